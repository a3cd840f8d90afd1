/** The part of a push payload that comes from git. */
import { changedFiles } from '../git/diff.ts';
import { type Commit, readCommit, readLog } from '../git/history.ts';
import type { Repository } from '../model.ts';
import { userBehind } from '../render/commit.ts';
import { repositoryPage } from '../render/repository.ts';
import type { Store } from '../store.ts';

const nothing = '0'.repeat(40);
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export async function pushPayload(
  store: Store,
  repository: Repository,
  range: { branch: string; before?: string; after: string },
) {
  const { directory } = repository;
  const head = await readCommit(directory, range.after);
  const before = range.before ?? head?.parents[0] ?? nothing;
  const span = before === nothing ? [range.after] : [`${before}..${range.after}`];
  const log = await readLog(directory, ['--reverse', '-n', '20', ...span]);
  const commits = await Promise.all(log.map((commit) => renderPushed(store, repository, commit)));
  return {
    ref: `refs/heads/${range.branch}`,
    before,
    after: range.after,
    base_ref: null,
    created: before === nothing,
    deleted: false,
    forced: false,
    compare: `${repositoryPage(store, repository)}/compare/${before.slice(0, 12)}...${range.after.slice(0, 12)}`,
    commits,
    head_commit: commits.at(-1) ?? null,
    pusher: { name: repository.owner.login, email: `${repository.owner.login}@users.noreply.github.com` },
  };
}

async function renderPushed(store: Store, repository: Repository, commit: Commit) {
  const files = await changedFiles(repository.directory, commit.parents[0] ?? emptyTree, commit.sha);
  const paths = (...statuses: string[]) =>
    files.filter((file) => statuses.includes(file.status)).map((file) => file.path);
  const person = ({ name, email }: { name: string; email: string }) => {
    const username = userBehind(store, email)?.login;
    return { name, email, ...(username ? { username } : {}) };
  };
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${repositoryPage(store, repository)}/commit/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    added: paths('added', 'copied', 'renamed'),
    removed: paths('removed'),
    modified: paths('modified', 'changed'),
  };
}
