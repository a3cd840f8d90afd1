/** What new commits change, file by file, as plumbing prints it. */
import type { GateContext } from './gate-state.ts';

export interface Change {
  commit: string;
  path: string;
  /** The blobs that were there before, one for each parent that had one. */
  oldIds: string[];
  /** What they were, one for each parent; `000000` where there was nothing. */
  oldModes: string[];
  /** Octal as git writes it: `100644`, `100755`, `120000` (symbolic link), `160000` (gitlink), `000000` (deleted). */
  mode: string;
  id: string;
}

const nothing = /^0+$/;
const rawDiff = ['-r', '-z', '--raw', '--abbrev=40', '--no-renames', '--no-ext-diff', '--no-textconv'];

/** Commits that `tip` reaches and none of `known` does, newest first. */
export async function newCommits({ run }: GateContext, tip: string, known: string[]): Promise<string[]> {
  return (await run(['rev-list', '--topo-order', tip, '--not', ...known])).stdout.split('\n').filter(Boolean);
}

/** Each commit against its parent; a merge against all of its parents (what no parent had), a root against nothing. */
export async function changesOf({ run }: GateContext, commits: string[]): Promise<Change[]> {
  if (!commits.length) return [];
  const stdin = commits.map((commit) => `${commit}\n`).join('');
  return parseRaw((await run(['diff-tree', '--stdin', '--root', '-c', ...rawDiff], { stdin })).stdout);
}

/** Paths and entries in which two trees differ. */
export async function differences({ run }: GateContext, older: string, newer: string): Promise<Change[]> {
  return parseRaw((await run(['diff-tree', ...rawDiff, older, newer])).stdout).map((change) => ({
    ...change,
    commit: newer,
  }));
}

/** `<commit>` then, for every file, `:<modes> <ids> <status>` and its path; a merge has one colon for each parent. */
function parseRaw(text: string): Change[] {
  const changes: Change[] = [];
  let commit = '';
  const words = text.split('\0');
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const parents = /^:+/.exec(word)?.[0].length;
    if (!parents) {
      commit = word || commit;
      continue;
    }
    const fields = word.slice(parents).split(' ');
    const ids = fields.slice(parents + 1, -1);
    const oldIds = ids
      .slice(0, parents)
      .filter((id, index) => !nothing.test(id) && fields[index] !== '160000');
    const oldModes = fields.slice(0, parents);
    changes.push({ commit, path: words[++at]!, oldIds, oldModes, mode: fields[parents]!, id: ids[parents]! });
  }
  return changes;
}
