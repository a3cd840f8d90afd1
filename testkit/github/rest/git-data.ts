/** REST: the git database – refs, commits, trees and blobs. */
import { GitError, git, gitBytes } from '../git/command.ts';
import { readCommit, readTree, resolveObject, type TreeEntry } from '../git/history.ts';
import { deleteRef, listRefs, readRef, updateRef } from '../git/refs.ts';
import { gitUrl, renderGitCommit } from '../render/commit.ts';
import { repositoryUrl } from '../render/repository.ts';
import { followBranches } from '../state/pulls.ts';
import { nodeIdOf } from '../store.ts';
import {
  actor,
  type Call,
  created,
  noContent,
  ok,
  paginate,
  type Route,
  requiredText,
  textsOf,
} from './call.ts';
import { HttpProblem, notFound } from './problem.ts';

const data = '/repos/{owner}/{repo}/git';

export const gitDataRoutes: Route[] = [
  { method: 'GET', path: `${data}/ref/{ref}`, need: ['contents:read'], handle: getRef },
  { method: 'GET', path: `${data}/matching-refs/{ref}`, need: ['contents:read'], handle: matchingRefs },
  { method: 'POST', path: `${data}/refs`, need: ['contents:write'], handle: createRef },
  { method: 'PATCH', path: `${data}/refs/{ref}`, need: ['contents:write'], handle: moveRef },
  { method: 'DELETE', path: `${data}/refs/{ref}`, need: ['contents:write'], handle: removeRef },
  { method: 'GET', path: `${data}/commits/{commit_sha}`, need: ['contents:read'], handle: getCommit },
  { method: 'POST', path: `${data}/commits`, need: ['contents:write'], handle: createCommit },
  { method: 'GET', path: `${data}/trees/{tree_sha}`, need: ['contents:read'], handle: getTree },
  { method: 'POST', path: `${data}/trees`, need: ['contents:write'], handle: createTree },
  { method: 'GET', path: `${data}/blobs/{file_sha}`, need: ['contents:read'], handle: getBlob },
  { method: 'POST', path: `${data}/blobs`, need: ['contents:write'], handle: createBlob },
];

function renderRef(call: Call, ref: string, sha: string) {
  const url = `${repositoryUrl(call.store, call.repository)}/git/${ref}`;
  const object = { sha, type: 'commit', url: gitUrl(call.store, call.repository, 'commits', sha) };
  return { ref, node_id: nodeIdOf('REF', ref), url, object };
}

function getRef(call: Call) {
  const ref = `refs/${call.params.ref}`;
  const sha = readRef(call.repository.directory, ref);
  if (!sha) throw notFound();
  return ok(renderRef(call, ref, sha));
}

function matchingRefs(call: Call) {
  const wanted = `refs/${call.params.ref}`;
  const folder = wanted.slice(0, wanted.lastIndexOf('/') + 1);
  const found = [...listRefs(call.repository.directory, folder)].filter(([ref]) => ref.startsWith(wanted));
  return paginate(call, found, ([ref, sha]) => renderRef(call, ref, sha));
}

async function createRef(call: Call) {
  const [ref, sha] = [requiredText(call, 'ref'), requiredText(call, 'sha')];
  const { directory } = call.repository;
  if (!/^refs\/[^/]+\/.+/.test(ref))
    throw new HttpProblem(422, "Reference name must start with 'refs/' and contain at least two slashes.");
  if (readRef(directory, ref)) throw new HttpProblem(422, 'Reference already exists');
  if (!(await resolveObject(directory, sha))) throw new HttpProblem(422, 'Object does not exist');
  try {
    await updateRef(directory, ref, sha);
  } catch (error) {
    if (error instanceof GitError) throw new HttpProblem(422, `${ref} is not a valid ref name.`);
    throw error;
  }
  await followBranches(call.store, call.repository);
  return created(renderRef(call, ref, sha));
}

async function moveRef(call: Call) {
  const ref = `refs/${call.params.ref}`;
  const sha = requiredText(call, 'sha');
  const { directory } = call.repository;
  const former = readRef(directory, ref);
  if (!former) throw new HttpProblem(422, 'Reference does not exist');
  demandUnprotected(call, ref);
  if (!(await resolveObject(directory, sha))) throw new HttpProblem(422, 'Object does not exist');
  if (call.body.force !== true && !(await isAncestor(directory, former, sha))) {
    throw new HttpProblem(422, 'Update is not a fast forward');
  }
  await updateRef(directory, ref, sha);
  await followBranches(call.store, call.repository);
  return ok(renderRef(call, ref, sha));
}

async function removeRef(call: Call) {
  const ref = `refs/${call.params.ref}`;
  if (!readRef(call.repository.directory, ref)) throw new HttpProblem(422, 'Reference does not exist');
  demandUnprotected(call, ref);
  await deleteRef(call.repository.directory, ref);
  return noContent();
}

async function getCommit(call: Call) {
  const commit = await readCommit(call.repository.directory, call.params.commit_sha!);
  if (!commit) throw notFound();
  return ok(renderGitCommit(call.store, call.repository, commit));
}

async function createCommit(call: Call) {
  const { store, repository } = call;
  const [message, tree] = [requiredText(call, 'message'), requiredText(call, 'tree')];
  const parents = (textsOf(call, 'parents') ?? []).flatMap((sha) => ['-p', sha]);
  const user = actor(call);
  const given = (call.body.author ?? {}) as { name?: string; email?: string };
  const name = given.name ?? user.login;
  const email = given.email ?? `${user.id}+${user.login}@users.noreply.github.com`;
  const identity = ['-c', `user.name=${name}`, '-c', `user.email=${email}`];
  try {
    const sha = (
      await git(repository.directory, [...identity, 'commit-tree', tree, ...parents, '-F', '-'], message)
    ).trim();
    // as GitHub does, when a bot does not name another author
    if (user.type === 'Bot' && !call.body.author && !call.body.committer) store.signedCommits.add(sha);
    return created(renderGitCommit(store, repository, (await readCommit(repository.directory, sha))!));
  } catch (error) {
    if (error instanceof GitError) throw new HttpProblem(422, 'Tree SHA does not exist');
    throw error;
  }
}

async function getTree(call: Call) {
  const entries = await readTree(
    call.repository.directory,
    call.params.tree_sha!,
    Boolean(call.query.get('recursive')),
  );
  const object = await resolveObject(call.repository.directory, `${call.params.tree_sha}^{tree}`);
  if (!entries || !object) throw notFound();
  return ok(renderTree(call, object.sha, entries));
}

interface WantedEntry {
  path: string;
  mode: string;
  type?: string;
  sha?: string | null;
  content?: string;
}

/** Goes through an index of its own, so that nested paths and a base tree work as in a work tree. */
async function createTree(call: Call) {
  const { directory } = call.repository;
  const base = call.body.base_tree ? await readTree(directory, String(call.body.base_tree), true) : [];
  if (!base) throw new HttpProblem(422, 'base_tree is not a valid tree');
  const entries = new Map(base.filter((entry) => entry.type !== 'tree').map((entry) => [entry.path, entry]));
  for (const wanted of (call.body.tree ?? []) as WantedEntry[]) {
    const { path, mode } = wanted;
    if (wanted.sha === null) {
      if (!entries.delete(path)) throw new HttpProblem(422, 'GitRPC::BadObjectState');
      continue;
    }
    const sha = wanted.sha ?? (await writeBlob(directory, Buffer.from(wanted.content ?? '')));
    // as in an index, a file takes the place of a directory and the other way round
    for (const other of entries.keys())
      if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) entries.delete(other);
    const type = mode === '160000' ? 'commit' : 'blob';
    entries.set(path, { path, mode, type, sha, size: null });
  }
  const sha = await writeTree(directory, [...entries.values()]);
  return created(renderTree(call, sha, (await readTree(directory, sha))!));
}

async function writeTree(directory: string, entries: TreeEntry[]): Promise<string> {
  const here = entries.filter((entry) => !entry.path.includes('/'));
  const folders = Map.groupBy(
    entries.filter((entry) => entry.path.includes('/')),
    (entry) => entry.path.slice(0, entry.path.indexOf('/')),
  );
  const lines = here.map((entry) => `${entry.mode} ${entry.type} ${entry.sha}\t${entry.path}`);
  for (const [folder, inside] of folders) {
    const below = inside.map((entry) => ({ ...entry, path: entry.path.slice(folder.length + 1) }));
    lines.push(`040000 tree ${await writeTree(directory, below)}\t${folder}`);
  }
  try {
    return (await git(directory, ['mktree', '-z'], lines.map((line) => `${line}\0`).join(''))).trim();
  } catch (error) {
    if (error instanceof GitError) throw new HttpProblem(422, 'GitRPC::BadObjectState');
    throw error;
  }
}

async function getBlob(call: Call) {
  const { directory } = call.repository;
  const object = await resolveObject(directory, call.params.file_sha!);
  if (object?.type !== 'blob') throw notFound();
  const bytes = await gitBytes(directory, ['cat-file', 'blob', object.sha]);
  const url = gitUrl(call.store, call.repository, 'blobs', object.sha);
  return ok({
    sha: object.sha,
    node_id: nodeIdOf('B', object.sha),
    size: bytes.length,
    url,
    content: bytes.toString('base64'),
    encoding: 'base64',
  });
}

async function createBlob(call: Call) {
  const encoding = call.body.encoding === 'base64' ? 'base64' : 'utf8';
  const sha = await writeBlob(
    call.repository.directory,
    Buffer.from(requiredText(call, 'content'), encoding),
  );
  return created({ url: gitUrl(call.store, call.repository, 'blobs', sha), sha });
}

async function writeBlob(directory: string, bytes: Buffer): Promise<string> {
  return (await git(directory, ['hash-object', '-w', '--stdin'], bytes)).trim();
}

function renderTree(call: Call, sha: string, entries: TreeEntry[]) {
  const kinds = { blob: 'blobs', tree: 'trees', commit: 'commits' } as const;
  const tree = entries.map((entry) => ({
    path: entry.path,
    mode: entry.mode,
    type: entry.type,
    sha: entry.sha,
    ...(entry.size === null ? {} : { size: entry.size }),
    url: gitUrl(call.store, call.repository, kinds[entry.type], entry.sha),
  }));
  return { sha, url: gitUrl(call.store, call.repository, 'trees', sha), tree, truncated: false };
}

async function isAncestor(directory: string, former: string, next: string): Promise<boolean> {
  try {
    await git(directory, ['merge-base', '--is-ancestor', former, next]);
    return true;
  } catch {
    return false;
  }
}

function demandUnprotected(call: Call, ref: string): void {
  if (!call.repository.protectedBranches.has(ref.replace('refs/heads/', ''))) return;
  throw new HttpProblem(422, `Repository rule violations found\n\nCannot update this protected ref.`);
}
