/** The diff of one file of a pull request at its pinned head, read by the page of GitHub's list that has it. */
import { AppError } from '../words/errors.ts';
import type { PullRequestFacts } from '../words/thread.ts';

export interface DiffAddress {
  /** One REST request. */
  rest<T>(route: string, parameters: Record<string, unknown>): Promise<T>;
  repository: { owner: string; name: string };
  number: number;
  /** As `filterThread` left them. `files` may be empty: then the pages are read from the first on. */
  facts: Pick<PullRequestFacts, 'files'> & { head: { sha: string } };
}

export interface FileDiff {
  path: string;
  status: string;
  /** Null where GitHub shows none: binary files, very large ones, and those that were only renamed. */
  patch: string | null;
}

interface RawFile {
  filename: string;
  status: string;
  /** Absent for binary and very large files. */
  patch?: string;
  /** Ends in `?ref=` and the commit that the list is of. */
  contents_url: string;
}

const pageSize = 100;
/** GitHub lists 3,000 files. */
const lastPage = 30;

/** @throws AppError `invalid_input` when the file is not changed, or GitHub's list is of a later commit than the request. */
export async function readFileDiff(address: DiffAddress, path: string): Promise<FileDiff> {
  const found = await findFile(address, path);
  if (found === 'moved') throw moved();
  if (!found) throw unchanged();
  return found;
}

/** The same also when the pull request has newer commits: from the comparison, which lists 300 files. Null when the file is not changed. */
export async function readPinnedDiff(
  address: DiffAddress & { base: string },
  path: string,
): Promise<FileDiff | null> {
  const listed = await findFile(address, path);
  if (listed !== 'moved') return listed;
  const { rest, repository, base, facts } = address;
  const { files = [] } = await rest<{ files?: RawFile[] }>('GET /repos/{owner}/{repo}/compare/{basehead}', {
    owner: repository.owner,
    repo: repository.name,
    basehead: `${base}...${facts.head.sha}`,
  });
  const found = files.find(({ filename }) => filename === path);
  return found ? toDiff(found) : null;
}

/** GraphQL's list and REST's have nearly the same order: the page is guessed, and its neighbours come next. */
async function findFile(address: DiffAddress, path: string): Promise<FileDiff | 'moved' | null> {
  const { files, head } = address.facts;
  const index = files.findIndex((file) => file.path === path);
  if (files.length > 0 && index < 0) return null;
  const count = files.length > 0 ? Math.min(lastPage, Math.ceil(files.length / pageSize)) : lastPage;
  for (const page of nearest(Math.floor(Math.max(index, 0) / pageSize) + 1, count)) {
    const listed = await readPage(address, page);
    if (listed.some((file) => refOf(file) !== head.sha)) return 'moved';
    const found = listed.find(({ filename }) => filename === path);
    if (found) return toDiff(found);
    if (files.length === 0 && listed.length < pageSize) break;
  }
  return null;
}

function toDiff({ filename, status, patch }: RawFile): FileDiff {
  return { path: filename, status, patch: patch ?? null };
}

function readPage({ rest, repository, number }: DiffAddress, page: number): Promise<RawFile[]> {
  return rest<RawFile[]>('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', {
    owner: repository.owner,
    repo: repository.name,
    pull_number: number,
    per_page: pageSize,
    page,
  });
}

function refOf({ contents_url }: RawFile): string | null {
  return URL.parse(contents_url)?.searchParams.get('ref') ?? null;
}

/** 1 to `count`, in the order of their distance from `guess`. */
function nearest(guess: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1).toSorted(
    (a, b) => Math.abs(a - guess) - Math.abs(b - guess),
  );
}

function unchanged(): AppError {
  return new AppError('invalid_input', 'The pull request does not change that file.', {
    remedy: 'Call it without a path for the list of the changed files.',
  });
}

/** Attack: commits pushed after a maintainer's request, to be taken for what was asked about. */
function moved(): AppError {
  return new AppError('invalid_input', 'The pull request has newer commits than the request.', {
    remedy: 'The checkout stands at the commit of the request: use `git diff` there.',
  });
}
