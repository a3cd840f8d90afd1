import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolCall } from '../../testkit/claude/step.ts';
import { bash, edit, grep, read, write } from '../../testkit/claude/tools.ts';
import { type FencedScene, fencedScene, plantSecret, realKey, whyNoFence } from './fence.test-support.ts';

const isRoot = process.getuid?.() === 0;
let scene: FencedScene;

afterEach(async () => {
  await scene?.close();
});

/** Ends with what the shell said. */
async function said(script: string): Promise<string> {
  await scene.claude([bash(script)]);
  return scene.model.toolResults().at(-1)?.text ?? '';
}

describe.skipIf(whyNoFence)('a fenced Claude does its work', () => {
  test('it edits files, runs commands and git, and has a HOME and a TMPDIR', async () => {
    scene = await fencedScene();
    const file = join(scene.workspace, 'a.txt');
    const result = await scene.claude([
      write(file, 'hello\n'),
      edit(file, 'hello', 'goodbye'),
      bash(
        'git init -q . && git add a.txt && git -c user.name=x -c user.email=x@x commit -qm one && git log --oneline',
      ),
      bash('touch "$HOME/x" "$TMPDIR/x" /tmp/x && id -un && cat a.txt'),
    ]);
    expect(result).toMatchObject({ reason: '', text: 'Done.' });
    const results = scene.model.toolResults().map(({ text }) => text);
    expect(results[2]).toMatch(/one$/);
    expect(results[3]).toBe('claude\ngoodbye');
    expect(readFileSync(file, 'utf8')).toBe('goodbye\n');
  });

  test.skipIf(!isRoot)(
    'also where only root may go, as another user, and root has its files back at the end',
    async () => {
      scene = await fencedScene({}, homedir());
      expect(await said('echo x > made; mkdir sub; echo y > sub/y; echo $(cat /proc/self/uid_map)')).toBe(
        `1000 0 1`,
      );
      expect(statSync(join(scene.workspace, 'made')).uid).toBe(scene.fence.owner!.uid);
      await scene.fence.giveBackWorkspace();
      expect(statSync(join(scene.workspace, 'made')).uid).toBe(0);
      expect(statSync(join(scene.workspace, 'sub/y')).uid).toBe(0);
    },
  );
});
