/** A hard limit for what runs in a fence, where control groups (version 2) can be written, as root nearly everywhere. */
import { mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface ControlGroup {
  /** Puts the program, and so all that it starts, into the group; where that fails it starts all the same. */
  enter(command: string[]): string[];
  close(): Promise<void>;
}

/**
 * A group beside our own. Its memory limit is a little above the one that the memory watch keeps: that one says what it
 * ends, this one is there for what grows faster than it looks. @returns null where there is none to be had.
 */
export async function makeControlGroup(
  name: string,
  limits: { processes: number; memoryMiB: number },
  { mount = '/sys/fs/cgroup', self = '/proc/self/cgroup' } = {},
): Promise<ControlGroup | null> {
  try {
    const own = /^0::(\/.*)$/m.exec(await readFile(self, 'utf8'))?.[1];
    // In the root there is no place beside us, and a group may not have both processes and groups with limits.
    if (!own || own === '/') return null;
    const parent = join(mount, dirname(own));
    const given = await readFile(join(parent, 'cgroup.subtree_control'), 'utf8');
    if (!/\bmemory\b/.test(given) || !/\bpids\b/.test(given)) return null;
    const group = join(parent, name);
    await mkdir(group);
    try {
      await stat(join(group, 'cgroup.procs'));
      const bytes = Math.round(limits.memoryMiB * 1.1) * 2 ** 20;
      await writeFile(join(group, 'memory.max'), String(bytes));
      await writeFile(join(group, 'memory.swap.max'), '0').catch(() => undefined);
      // Claude's own threads and those of git in the gate count as well.
      await writeFile(join(group, 'pids.max'), String(limits.processes + 256));
    } catch (error) {
      await rmdir(group);
      throw error;
    }
    return {
      enter: (command) => entering(group, command),
      close: () => rmdir(group).catch(() => undefined),
    };
  } catch {
    return null;
  }
}

export function entering(group: string, command: string[]): string[] {
  const script = '(echo $$ > "$1/cgroup.procs") 2>/dev/null; shift; exec "$@"';
  return ['/bin/sh', '-c', script, 'enter', group, ...command];
}
