/** Makes repositories and forks with real bare git repositories behind them. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../git/command.ts';
import { type CommitRequest, writeCommit } from '../git/commit.ts';
import { installHook } from '../git/hook.ts';
import { branchTip } from '../git/refs.ts';
import type { Label, Repository, Role } from '../model.ts';
import { fullName, now, type Store } from '../store.ts';

export interface NewRepository {
  owner: string;
  name: string;
  /** Contents of the first commit, by path; a README when absent. `{}` leaves the repository empty. */
  files?: Record<string, string | Buffer>;
  /** `main` when absent. */
  defaultBranch?: string;
  private?: boolean;
  description?: string;
  /** Login to permission. The owner is always an admin. */
  collaborators?: Record<string, Role>;
}

/** Makes the repository and its first commit. */
export async function createRepository(store: Store, options: NewRepository): Promise<Repository> {
  const repository = register(store, options, null);
  await git(store.root, [
    'init',
    '-q',
    '--bare',
    '--template=',
    '-b',
    repository.defaultBranch,
    repository.directory,
  ]);
  configure(repository);
  const files = options.files ?? { 'README.md': `# ${options.name}\n` };
  if (Object.keys(files).length > 0) {
    await writeCommit(repository.directory, {
      branch: repository.defaultBranch,
      message: 'Initial commit',
      files,
      author: { name: options.owner, email: `${options.owner}@users.noreply.github.com` },
    });
  }
  return repository;
}

/** Copies every branch of `parent` into a repository of `owner`. */
export async function forkRepository(
  store: Store,
  parent: Repository,
  owner: string,
  name = parent.name,
): Promise<Repository> {
  const { defaultBranch, private: hidden } = parent;
  const fork = register(store, { owner, name, defaultBranch, private: hidden }, parent);
  await git(store.root, [
    'clone',
    '-q',
    '--bare',
    '--template=',
    '--no-hardlinks',
    parent.directory,
    fork.directory,
  ]);
  configure(fork);
  return fork;
}

/** Commits straight into the bare repository; a new branch starts at `from` or the default branch. */
export function commitTo(repository: Repository, request: CommitRequest): Promise<string> {
  const from = request.from ? (branchTip(repository.directory, request.from) ?? request.from) : undefined;
  const start = from ?? branchTip(repository.directory, repository.defaultBranch) ?? undefined;
  return writeCommit(repository.directory, { ...request, from: start });
}

/** The label of that name; made on first mention, as GitHub's API does. */
export function ensureLabel(store: Store, repository: Repository, name: string, color = 'ededed'): Label {
  const known = repository.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
  if (known) return known;
  const label = store.identify(
    'LA',
    (id, nodeId): Label => ({
      kind: 'label',
      id,
      nodeId,
      name,
      color,
      description: null,
      repository,
    }),
  );
  repository.labels.push(label);
  return label;
}

function register(store: Store, options: NewRepository, parent: Repository | null): Repository {
  if (store.findRepository(`${options.owner}/${options.name}`)) {
    throw new Error(`The local GitHub already has a repository ${options.owner}/${options.name}.`);
  }
  const repository = store.identify(
    'R',
    (id, nodeId): Repository => ({
      kind: 'repository',
      id,
      nodeId,
      owner: store.user(options.owner),
      name: options.name,
      description: options.description ?? null,
      private: options.private ?? false,
      defaultBranch: options.defaultBranch ?? 'main',
      directory: join(store.root, `${id}.git`),
      parent,
      collaborators: new Map(),
      labels: [],
      milestones: [],
      subjects: new Map(),
      discussions: new Map(),
      checks: [],
      statuses: [],
      runs: [],
      hooks: [],
      protectedBranches: new Set(),
      createdAt: now(),
      updatedAt: now(),
    }),
  );
  for (const [login, role] of Object.entries(options.collaborators ?? {})) {
    repository.collaborators.set(store.user(login), role);
  }
  mkdirSync(store.root, { recursive: true });
  store.repositories.set(fullName(repository).toLowerCase(), repository);
  return repository;
}

/** As on GitHub: partial clones and fetches of any reachable hash work. */
const serverConfig = `[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
`;

function configure(repository: Repository): void {
  mkdirSync(join(repository.directory, 'hooks'), { recursive: true });
  installHook(repository.directory);
  appendFileSync(join(repository.directory, 'config'), serverConfig);
}
