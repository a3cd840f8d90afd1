import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entering, makeControlGroup } from './fence-cgroup.ts';

let mount: string;
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rmSync(mount, { recursive: true }));

/** Files that stand for the kernel's; the kernel itself would fill a new group with its own. */
function kernel(self: string, controllers: string) {
  mkdirSync(join(mount, 'system.slice'));
  writeFileSync(join(mount, 'self'), self);
  writeFileSync(join(mount, 'system.slice/cgroup.subtree_control'), controllers);
  return { mount, self: join(mount, 'self') };
}

const limits = { processes: 100, memoryMiB: 1000 };

test.each([
  ['only version 1', '4:memory:/a\n1:name=systemd:/\n', 'memory pids'],
  ['in the root group', '0::/\n', 'memory pids'],
  ['without the controllers', '0::/system.slice/forgehand.service\n', 'cpu'],
  ['a mount that makes no groups', '0::/system.slice/forgehand.service\n', 'cpu memory pids'],
])('there is none: %s', async (_, self, controllers) => {
  expect(await makeControlGroup('fence-1', limits, kernel(self, controllers))).toBeNull();
});

test('a program that cannot be put into it starts all the same', () => {
  const run = (group: string, ...command: string[]) => {
    const [program, ...args] = entering(group, command);
    return execFileSync(program!, args, { encoding: 'utf8' });
  };
  expect(run(join(mount, 'gone'), 'echo', 'a b')).toBe('a b\n');
  writeFileSync(join(mount, 'cgroup.procs'), '');
  run(mount, 'true');
  expect(readFileSync(join(mount, 'cgroup.procs'), 'utf8')).toMatch(/^\d+\n$/);
});
