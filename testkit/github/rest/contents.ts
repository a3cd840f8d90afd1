/** REST: reading and writing files of a repository. */
import { demandWorkflows } from '../access.ts';

import { writeCommit } from '../git/commit.ts';
import { readCommit, readFileAt, readTree, resolveObject, type TreeEntry } from '../git/history.ts';
import { branchTip } from '../git/refs.ts';
import { gitUrl, renderGitCommit } from '../render/commit.ts';
import { repositoryPage, repositoryUrl } from '../render/repository.ts';
import { followBranches } from '../state/pulls.ts';
import { type Answer, actor, type Call, ok, type Route, requiredText, textOf } from './call.ts';
import { HttpProblem, invalid, notFound } from './problem.ts';

const path = '/repos/{owner}/{repo}/contents/{path}';

export const contentRoutes: Route[] = [
  { method: 'GET', path, need: ['contents:read'], handle: get },
  { method: 'GET', path: path.replace('/{path}', ''), need: ['contents:read'], handle: get },
  { method: 'PUT', path, need: ['contents:write'], handle: put },
  { method: 'DELETE', path, need: ['contents:write'], handle: remove },
];

async function get(call: Call): Promise<Answer> {
  const { directory, defaultBranch } = call.repository;
  const ref = call.query.get('ref') ?? defaultBranch;
  const file = clean(call);
  const commit = await readCommit(directory, ref);
  if (!commit) throw new HttpProblem(404, `No commit found for the ref ${ref}`);
  const object = await resolveObject(directory, `${commit.sha}:${file}`);
  if (!object) throw notFound();
  if (object.type === 'tree') {
    const entries = (await readTree(directory, `${commit.sha}:${file}`)) ?? [];
    return ok(
      entries.map((entry) => describe(call, file ? `${file}/${entry.path}` : entry.path, ref, entry)),
    );
  }
  const bytes = (await readFileAt(directory, commit.sha, file))!;
  if (/application\/vnd\.github\.(v3\.)?raw/.test(call.headers.accept ?? '')) {
    return {
      status: 200,
      headers: { 'content-type': 'application/vnd.github.raw; charset=utf-8' },
      body: bytes.toString(),
    };
  }
  const entry: TreeEntry = { mode: '100644', type: 'blob', sha: object.sha, size: bytes.length, path: file };
  return ok({ ...describe(call, file, ref, entry), encoding: 'base64', content: lines(bytes) });
}

async function put(call: Call): Promise<Answer> {
  const file = clean(call);
  const branch = textOf(call, 'branch') ?? call.repository.defaultBranch;
  const content = Buffer.from(requiredText(call, 'content'), 'base64');
  const existing = await resolveObject(call.repository.directory, `refs/heads/${branch}:${file}`);
  if (existing && existing.sha !== call.body.sha) throw staleOr422(call, file, existing.sha);
  const commit = await write(call, branch, { files: { [file]: content } });
  const object = (await resolveObject(call.repository.directory, `${commit.sha}:${file}`))!;
  const entry: TreeEntry = {
    mode: '100644',
    type: 'blob',
    sha: object.sha,
    size: content.length,
    path: file,
  };
  return { status: existing ? 200 : 201, body: { content: describe(call, file, branch, entry), commit } };
}

async function remove(call: Call): Promise<Answer> {
  const file = clean(call);
  const branch = textOf(call, 'branch') ?? call.repository.defaultBranch;
  const existing = await resolveObject(call.repository.directory, `refs/heads/${branch}:${file}`);
  if (!existing) throw notFound();
  if (existing.sha !== call.body.sha) throw staleOr422(call, file, existing.sha);
  return ok({ content: null, commit: await write(call, branch, { deletions: [file] }) });
}

async function write(
  call: Call,
  branch: string,
  change: { files?: Record<string, Buffer>; deletions?: string[] },
) {
  const { store, repository } = call;
  if (!branchTip(repository.directory, branch)) throw new HttpProblem(404, `Branch ${branch} not found`);
  demandWorkflows(call.identity, [...Object.keys(change.files ?? {}), ...(change.deletions ?? [])]);
  const user = actor(call);
  const author = { name: user.login, email: `${user.id}+${user.login}@users.noreply.github.com` };
  const message = requiredText(call, 'message');
  const sha = await writeCommit(repository.directory, { branch, message, author, ...change });
  await followBranches(store, repository);
  return renderGitCommit(store, repository, (await readCommit(repository.directory, sha))!);
}

function staleOr422(call: Call, file: string, actual: string): HttpProblem {
  if (call.body.sha === undefined)
    return invalid('Commit', 'sha', 'missing_field', '"sha" wasn\'t supplied.');
  return new HttpProblem(409, `${file} does not match ${String(call.body.sha ?? actual)}`);
}

function describe(call: Call, file: string, ref: string, entry: TreeEntry) {
  const at = `${encodeURI(file)}?ref=${encodeURIComponent(ref)}`;
  const url = `${repositoryUrl(call.store, call.repository)}/contents/${at}`;
  const kind = entry.type === 'tree' ? 'trees' : 'blobs';
  const git = gitUrl(call.store, call.repository, kind, entry.sha);
  const page = `${repositoryPage(call.store, call.repository)}/${entry.type === 'tree' ? 'tree' : 'blob'}/${ref}/${encodeURI(file)}`;
  return {
    name: file.split('/').at(-1)!,
    path: file,
    sha: entry.sha,
    size: entry.size ?? 0,
    url,
    html_url: page,
    git_url: git,
    download_url: entry.type === 'tree' ? null : page.replace('/blob/', '/raw/'),
    type: entry.type === 'tree' ? 'dir' : 'file',
    _links: { self: url, git, html: page },
  };
}

function clean(call: Call): string {
  return (call.params.path ?? '').replace(/^\/+|\/+$/g, '');
}

/** GitHub breaks base64 after 60 characters. */
function lines(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{60}(?=.)/g, '$&\n') + (bytes.length > 0 ? '\n' : '');
}
