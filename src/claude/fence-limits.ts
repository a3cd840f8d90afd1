/** Bounds the memory of what runs in a fence, where no cgroup can: the largest process is ended before the machine suffers. */
import { readdir, readFile } from 'node:fs/promises';
import type { Log } from '../words/log.ts';

interface Running {
  pid: number;
  parent: number;
  name: string;
  /** KiB that are its own: anonymous and shared memory, not the programs' files. */
  memory: number;
}

const everyMs = 500;

export interface MemoryWatch {
  /** @param pid the process that everything in the fence descends from. */
  add(pid: number, onEnded: (words: string) => void): void;
  close(): void;
}

export function watchMemory(memoryMiB: number, log: Log): MemoryWatch {
  const watched = new Map<number, (words: string) => void>();
  let timer: NodeJS.Timeout | null = null;
  const look = async () => {
    const all = await processes();
    for (const [root, onEnded] of watched) {
      const own = descendants(all, root);
      if (!own.length) watched.delete(root);
      const used = own.reduce((sum, { memory }) => sum + memory, 0) / 1024;
      if (used <= memoryMiB) continue;
      const largest = own.reduce((one, other) => (other.memory > one.memory ? other : one));
      const words = `The fence ended \`${largest.name}\`, the largest of ${own.length} processes that together used ${Math.round(used)} MiB; ${memoryMiB} MiB are allowed.`;
      log.warning(words);
      onEnded(words);
      kill(largest.pid);
    }
    schedule();
  };
  const schedule = () => {
    timer = watched.size ? setTimeout(() => void look(), everyMs) : null;
    timer?.unref();
  };
  return {
    add: (pid, onEnded) => {
      watched.set(pid, onEnded);
      if (!timer) schedule();
    },
    close: () => {
      watched.clear();
      if (timer) clearTimeout(timer);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}

/** Orphans belong to the first process of the fence, so none gets away by leaving its parent. */
function descendants(all: Running[], root: number): Running[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found: Running[] = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...(children.get(pid) ?? []));
  return found;
}

async function processes(): Promise<Running[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')));
  return read.filter(Boolean).map((text) => {
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '0';
    return {
      pid: Number(field('Pid')),
      parent: Number(field('PPid')),
      name: field('Name'),
      memory: Number(field('RssAnon')) + Number(field('RssShmem')),
    };
  });
}
