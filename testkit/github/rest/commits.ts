/** REST: commits and comparisons. */
import { git } from '../git/command.ts';
import { changedFiles, compare } from '../git/diff.ts';
import { type Commit, readCommit, readLog } from '../git/history.ts';
import { renderCommit, renderFile } from '../render/commit.ts';
import { repositoryPage, repositoryUrl } from '../render/repository.ts';
import { findHead } from '../state/pulls.ts';
import { type Call, ok, paginate, type Route } from './call.ts';
import { HttpProblem, notFound } from './problem.ts';

const repository = '/repos/{owner}/{repo}';

export const commitRoutes: Route[] = [
  { method: 'GET', path: `${repository}/commits/{ref}`, need: ['contents:read'], handle: one },
  { method: 'GET', path: `${repository}/commits`, need: ['contents:read'], handle: list },
  { method: 'GET', path: `${repository}/compare/{basehead}`, need: ['contents:read'], handle: comparison },
];

/** The empty tree, which every repository can be compared with. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/** The commit that a branch, tag or hash names. @throws HttpProblem 422 as GitHub does */
export async function commitOf(call: Call, ref: string): Promise<Commit> {
  const commit = await readCommit(call.repository.directory, ref.replace(/^heads\//, 'refs/heads/'));
  if (!commit) throw new HttpProblem(422, `No commit found for SHA: ${ref}`);
  return commit;
}

async function one(call: Call) {
  const commit = await commitOf(call, call.params.ref!);
  const files = await changedFiles(call.repository.directory, commit.parents[0] ?? emptyTree, commit.sha);
  return ok(renderCommit(call.store, call.repository, commit, files));
}

async function list(call: Call) {
  const start = await commitOf(call, call.query.get('sha') ?? call.repository.defaultBranch);
  const all = await readLog(call.repository.directory, [start.sha]);
  return paginate(call, all, (commit) => renderCommit(call.store, call.repository, commit));
}

async function comparison(call: Call) {
  const { store } = call;
  const [base, head] = call.params.basehead!.split('...');
  if (!base || !head) throw notFound();
  const from = await endOf(call, base);
  const to = await endOf(call, head);
  const found = await compare(call.repository.directory, from.sha, to.sha);
  const mergeBase = (await readCommit(call.repository.directory, found.mergeBase)) ?? from;
  const [ahead, behind] = [found.commits.length, found.behindBy];
  const page = `${repositoryPage(store, call.repository)}/compare/${base}...${head}`;
  return ok({
    url: `${repositoryUrl(store, call.repository)}/compare/${base}...${head}`,
    html_url: page,
    permalink_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    base_commit: renderCommit(store, call.repository, from),
    merge_base_commit: renderCommit(store, call.repository, mergeBase),
    status: ahead && behind ? 'diverged' : ahead ? 'ahead' : behind ? 'behind' : 'identical',
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits: found.commits.map((commit) => renderCommit(store, call.repository, commit)),
    files: found.files.slice(0, 300).map((file) => renderFile(store, call.repository, file, to.sha)),
  });
}

/** `branch` or `owner:branch`; a fork's objects are fetched first. @throws HttpProblem 404 */
async function endOf(call: Call, name: string): Promise<Commit> {
  const place = name.includes(':') ? findHead(call.store, call.repository, name) : null;
  if (name.includes(':') && !place) throw notFound();
  if (place && place.repository !== call.repository) {
    await git(call.repository.directory, [
      'fetch',
      '-q',
      '--no-tags',
      place.repository.directory,
      `refs/heads/${place.ref}`,
    ]);
  }
  const commit = place
    ? await readCommit(place.repository.directory, place.ref)
    : await readCommit(call.repository.directory, name);
  if (!commit) throw notFound();
  return commit;
}
