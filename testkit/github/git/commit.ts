/** Writes commits into a bare repository in one process, however many files they have. */
import { git } from './command.ts';
import { branchTip } from './refs.ts';
import { inTurn } from './turns.ts';

interface Person {
  name: string;
  email: string;
}

export interface CommitRequest {
  branch: string;
  message: string;
  /** Whole new contents by path. */
  files?: Record<string, string | Buffer>;
  deletions?: string[];
  author?: Person;
  committer?: Person;
  /** ISO 8601; now when absent. */
  date?: string;
  /** Where a new branch starts: a hash; without it a new branch has no parent. */
  from?: string;
  /** Where the branch must be, so that of two writers one learns that it is late. */
  expectedTip?: string;
  /** Paths that are executable. */
  executables?: string[];
}

const nobody: Person = { name: 'octocat', email: 'octocat@users.noreply.github.com' };

/** The branch was not where the writer expected it. */
export class StaleBranch extends Error {}

/**
 * Commits onto `branch` (made when it does not exist) and gives the new hash.
 * @throws GitError, and StaleBranch when the tip is not `expectedTip`
 */
export function writeCommit(directory: string, request: CommitRequest): Promise<string> {
  return inTurn(directory, () => writeInTurn(directory, request));
}

async function writeInTurn(directory: string, request: CommitRequest): Promise<string> {
  if (request.expectedTip && branchTip(directory, request.branch) !== request.expectedTip) {
    throw new StaleBranch(request.branch);
  }
  const parent = branchTip(directory, request.branch) ?? request.from ?? null;
  const author = request.author ?? nobody;
  const seconds = Math.floor((request.date ? Date.parse(request.date) : Date.now()) / 1000);
  const stream: (string | Buffer)[] = [
    `commit refs/heads/${request.branch}\n`,
    `author ${author.name} <${author.email}> ${seconds} +0000\n`,
    `committer ${(request.committer ?? author).name} <${(request.committer ?? author).email}> ${seconds} +0000\n`,
    ...data(request.message),
    parent ? `from ${parent}\n` : '',
    ...(request.deletions ?? []).map((path) => `D ${quote(path)}\n`),
    ...Object.entries(request.files ?? {}).flatMap(([path, content]) => [
      `M ${request.executables?.includes(path) ? '100755' : '100644'} inline ${quote(path)}\n`,
      ...data(content),
    ]),
    '\n',
  ];
  await git(
    directory,
    ['fast-import', '--quiet', '--date-format=raw'],
    Buffer.concat(stream.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))),
  );
  return branchTip(directory, request.branch)!;
}

function data(content: string | Buffer): (string | Buffer)[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return [`data ${bytes.length}\n`, bytes, '\n'];
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
