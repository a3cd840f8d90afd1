/** A PATH on which tmux does not work, whatever is installed; everything else is where it was. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns variables for a server. */
export function withoutTmux(): Record<string, string> {
  const bin = mkdtempSync(join(tmpdir(), 'forgehand-bin-'));
  process.once('exit', () => rmSync(bin, { recursive: true, force: true }));
  writeFileSync(join(bin, 'tmux'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
  return { PATH: `${bin}:${process.env.PATH}` };
}
