import { expect, test } from 'vitest';
import { commit, shellGit } from './local-remote.test-support.ts';
import { type MirroredProject, mirrored } from './mirror.test-support.ts';
import { deleteEmptyBranch, issueBranches, type OpeningRequest, openIssueBranch } from './opening.ts';

const identity = { name: 'claude[bot]', email: '41898282+claude[bot]@users.noreply.github.com' };

const tipOf = (project: MirroredProject, branch: string) => shellGit(project.bare, 'rev-parse', branch);
const branches = (project: MirroredProject) =>
  shellGit(project.bare, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/').split('\n');

async function ready(): Promise<MirroredProject> {
  const project = await mirrored();
  await project.update();
  return project;
}

function open(project: MirroredProject, more: Partial<OpeningRequest> = {}) {
  return openIssueBranch({
    mirror: project.mirror,
    remote: project.server.remote,
    candidates: issueBranches(42),
    base: { ref: 'main', sha: tipOf(project, 'main') },
    neverTo: ['main'],
    identity,
    message: 'Begin work on owner/repo#42',
    mark: 'owner/repo#42',
    ...more,
  });
}

test('opens issue-42 with one empty commit on the base', async () => {
  const project = await ready();
  const opened = await open(project);
  expect(opened).toEqual({
    branch: 'issue-42',
    sha: tipOf(project, 'issue-42'),
    opening: opened.sha,
    isNew: true,
  });
  expect(shellGit(project.bare, 'log', '--format=%an <%ae>%n%B', 'main..issue-42')).toBe(
    `claude[bot] <${identity.email}>\nBegin work on owner/repo#42\n\nForgehand-Thread: owner/repo#42`,
  );
  expect(shellGit(project.bare, 'rev-parse', 'issue-42^')).toBe(tipOf(project, 'main'));
  expect(shellGit(project.bare, 'diff', '--stat', 'main', 'issue-42')).toBe('');
});

test('a process that was killed before it could write this down finds the branch again', async () => {
  const project = await ready();
  const first = await open(project);
  expect(await open(project)).toEqual({ ...first, isNew: false });
  expect(branches(project)).toEqual(['issue-42', 'main']);
});

test('adopted where it is now: with the commits that came since, on a base that has gone on', async () => {
  const project = await ready();
  const { opening } = await open(project);
  shellGit(project.source, 'fetch', '-q', 'origin', 'issue-42:issue-42');
  const work = project.push('issue-42', { 'work.txt': 'done' });
  shellGit(project.source, 'checkout', '-q', 'main');
  project.push('main', { 'a.txt': 'later' });
  await project.update();
  // On another host, whose mirror does not have the branch.
  const elsewhere = await mirrored();
  const remote = { ...elsewhere.server.remote, url: elsewhere.server.remote.url };
  shellGit(elsewhere.bare, 'fetch', '-q', '--force', project.bare, '+refs/heads/main:refs/heads/main');
  await elsewhere.update();
  shellGit(elsewhere.bare, 'fetch', '-q', project.bare, '+refs/heads/issue-42:refs/heads/issue-42');
  expect(await open(elsewhere, { remote })).toEqual({ branch: 'issue-42', sha: work, opening, isNew: false });
});

test.each<[string, (project: MirroredProject) => void]>([
  ["somebody's own branch", (project) => void project.push('issue-42', { 'x.txt': 'theirs' })],
  [
    'a branch at the base, which a push would be a fast-forward of',
    (project) => shellGit(project.bare, 'branch', 'issue-42', 'main'),
  ],
  ['the opening commit of another thread', (project) => forge(project, { mark: 'owner/repo#4' })],
  ['the opening commit of another author', (project) => forge(project, { email: 'person@example.com' })],
  ['an opening commit that is not empty', (project) => forge(project, { files: { 'x.txt': 'x' } })],
  ['a folder of branches', (project) => shellGit(project.bare, 'branch', 'issue-42/one', 'main')],
])('%s is left alone, and the next name is taken', async (_, occupy) => {
  const project = await ready();
  occupy(project);
  const before = shellGit(project.bare, 'show-ref');
  expect(await open(project)).toMatchObject({ branch: 'issue-42-2', isNew: true });
  expect(shellGit(project.bare, 'show-ref')).toContain(before.split('\n')[0]);
  expect(await open(project)).toMatchObject({ branch: 'issue-42-2', isNew: false });
});

test('somebody who pushes in the same moment keeps the name', async () => {
  const project = await ready();
  let raced = false;
  const remote = {
    token: project.server.remote.token,
    // Read for each command: the first one is the push.
    get url() {
      if (!raced) {
        raced = true;
        shellGit(project.bare, 'branch', 'issue-42', 'main');
      }
      return project.server.remote.url;
    },
  };
  expect(await open(project, { remote })).toMatchObject({ branch: 'issue-42-2', isNew: true });
  expect(raced).toBe(true);
  expect(tipOf(project, 'issue-42')).toBe(tipOf(project, 'main'));
});

test('a push whose answer was lost is not made twice', async () => {
  const project = await ready();
  const opened = await open(project);
  // What the first push did is there; this process believes that it is not.
  const again = await open(project, { candidates: ['issue-42'] });
  expect(again).toEqual({ ...opened, isNew: false });
});

test('two processes at once: one branch', async () => {
  const project = await ready();
  const [one, two] = await Promise.all([open(project), open(project)]);
  expect([one.branch, two.branch]).toEqual(['issue-42', 'issue-42']);
  expect(one.sha).toBe(two.sha);
  expect(branches(project)).toEqual(['issue-42', 'main']);
});

test('never the default branch, never the base', async () => {
  const project = await ready();
  shellGit(project.bare, 'branch', 'release', 'main');
  const base = { ref: 'release', sha: tipOf(project, 'release') };
  const taken = open(project, { base, candidates: ['main', 'release'], neverTo: ['main'] });
  await expect(taken).rejects.toMatchObject({
    reason: 'git_failed',
    message: expect.stringContaining('taken'),
  });
});

test('every name taken is told, with what to do', async () => {
  const project = await ready();
  for (const branch of issueBranches(42)) project.push(branch, { 'x.txt': branch });
  await expect(open(project)).rejects.toMatchObject({
    reason: 'git_failed',
    message: expect.stringContaining('`issue-42-3`'),
    remedy: expect.stringContaining('Delete or rename'),
  });
});

test.each(['--delete', 'a b', 'x:refs/heads/main', '+issue-42', 'HEAD^', 'a..b'])(
  'a name that Git would read otherwise never reaches it: %s',
  async (name) => {
    const project = await ready();
    await expect(open(project, { candidates: [name] })).rejects.toMatchObject({ reason: 'invalid_input' });
    expect(branches(project)).toEqual(['main']);
  },
);

test('a branch that never got work is deleted, one with work is not', async () => {
  const project = await ready();
  const { remote } = project.server;
  const { branch, opening } = await open(project);
  expect(await deleteEmptyBranch({ remote, branch, opening })).toBe(true);
  expect(branches(project)).toEqual(['main']);
  expect(await deleteEmptyBranch({ remote, branch, opening })).toBe(true);

  const second = await open(project);
  shellGit(project.source, 'fetch', '-q', 'origin', 'issue-42');
  shellGit(project.source, 'checkout', '-q', '-B', 'issue-42', 'FETCH_HEAD');
  const work = commit(project.source, { 'work.txt': 'w' });
  shellGit(project.source, 'push', '-q', 'origin', 'issue-42');
  expect(await deleteEmptyBranch({ remote, branch, opening: second.opening })).toBe(false);
  expect(tipOf(project, 'issue-42')).toBe(work);
});

/** A branch `issue-42` that nearly looks as if this thread had opened it. */
function forge(
  project: MirroredProject,
  { mark = 'owner/repo#42', email = identity.email, files = {} as Record<string, string> },
): void {
  shellGit(project.source, 'checkout', '-q', '-b', 'issue-42', 'main');
  for (const [key, value] of [
    ['user.name', identity.name],
    ['user.email', email],
  ] as const)
    shellGit(project.source, 'config', key, value);
  commit(project.source, files, `Begin\n\nForgehand-Thread: ${mark}`);
  shellGit(project.source, 'commit', '-q', '--amend', '--allow-empty', '--no-edit', `--author=x <${email}>`);
  shellGit(project.source, 'push', '-q', 'origin', 'issue-42');
}
