import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commit, makeProject, serveGit, shellGit, write } from './local-remote.test-support.ts';
import { openWorkspace } from './workspace.ts';

/** A pull request's branch `feature` and a base that has gone on since; the working copy of each is different. */
async function project() {
  const made = makeProject({
    'a.txt': 'one\ntwo\nthree\n',
    'lib/b.txt': 'b\n',
    'docs/c.txt': 'c\n',
    'model.bin': pointer('1'),
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n*.bat text eol=crlf\n',
    'run.bat': 'echo 1\n',
  });
  const { source } = made;
  for (let count = 0; count < 3; count++) commit(source, { 'lib/b.txt': `b${count}\n` });
  shellGit(source, 'checkout', '-q', '-b', 'feature');
  commit(source, { 'a.txt': 'one\n2\nthree\n', 'lib/new.txt': 'new\n', 'model.bin': pointer('2') });
  const headSha = commit(source, { 'docs/c.txt': 'see\n', 'run.bat': 'echo 2\n' });
  shellGit(source, 'push', '-q', 'origin', 'feature', 'feature:refs/pull/7/head');
  shellGit(source, 'checkout', '-q', 'main');
  commit(source, { 'moved.txt': 'on main\n' });
  const baseSha = commit(source, { 'moved.txt': 'further\n' });
  shellGit(source, 'push', '-q', 'origin', 'main');
  shellGit(made.bare, 'config', 'uploadpack.allowFilter', 'true');
  const { remote } = await serveGit(join(made.root, 'server'));
  return { ...made, headSha, baseSha, remote };
}

function pointer(digit: string): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${digit.repeat(64)}\nsize 1000\n`;
}

/** Claude has no network to the server. */
function cutOff(directory: string): void {
  shellGit(directory, 'remote', 'set-url', 'origin', 'http://127.0.0.1:1/');
}

/** `git clone` and what a step does after it. */
type Checkout = [name: string, cloneArguments: string[], after?: (directory: string) => void];

const checkouts: Checkout[] = [
  ['a checkout of one commit', ['--depth=1']],
  ['a checkout of one commit of the branch itself', ['--depth=1', '--branch=feature']],
  ['a detached HEAD', ['--depth=1'], (at) => shellGit(at, 'checkout', '-q', '--detach')],
  ['a tag', ['--depth=1', '--branch=v1']],
  ['a sparse checkout', ['--depth=1', '--sparse'], (at) => shellGit(at, 'sparse-checkout', 'set', 'lib')],
  ['a shallow partial clone', ['--filter=blob:none', '--depth=1']],
  [
    'a sparse partial clone',
    ['--filter=blob:none', '--sparse'],
    (at) => shellGit(at, 'sparse-checkout', 'set', 'lib'),
  ],
  ['line ends as on Windows', ['--depth=1', '--config=core.autocrlf=true']],
];

async function open([, args, after]: Checkout) {
  const made = await project();
  shellGit(made.source, 'push', '-q', 'origin', 'main~3:refs/tags/v1');
  const directory = join(made.root, 'checkout');
  shellGit(made.root, 'clone', '-q', '--no-tags', ...args, `file://${made.bare}`, directory);
  after?.(directory);
  shellGit(directory, 'remote', 'set-url', 'origin', made.remote.url);
  write(directory, 'untracked.txt', 'of a step before\n');
  const workspace = await openWorkspace({ directory, scratch: join(made.root, 'scratch') });
  return { made, directory, workspace };
}

test.each(checkouts)(
  '%s becomes the pull request’s head, with a diff that needs no network',
  async (...given) => {
    const { made, directory, workspace } = await open(given);
    const isWhole = !given[0].includes('sparse');
    const request = { ref: 'feature', sha: made.headSha, pullNumber: 7, fork: false, commitCount: 2 };
    const { baseSha, remote } = made;
    const head = await workspace.checkoutHead({ ...request, baseRef: 'main', baseSha, remote });
    cutOff(directory);
    expect(head).toMatchObject({ branch: 'feature', sha: made.headSha, moved: false });
    expect(shellGit(directory, 'diff', 'origin/main...HEAD').match(/^diff --git a\/\S+/gm)).toEqual(
      ['a.txt', 'docs/c.txt', 'lib/new.txt', 'model.bin', 'run.bat'].map((path) => `diff --git a/${path}`),
    );
    expect(shellGit(directory, 'log', '--format=%s', 'origin/main..HEAD').split('\n')).toHaveLength(2);
    expect(shellGit(directory, 'status', '--porcelain')).toBe('?? untracked.txt');
    // A pointer stays one, and what a sparse checkout leaves out stays away.
    if (isWhole)
      expect(readFileSync(join(directory, 'model.bin'), 'utf8').replaceAll('\r', '')).toBe(pointer('2'));
    expect(existsSync(join(directory, 'docs'))).toBe(isWhole);
  },
);

test.each(checkouts.filter(([name]) => /tag|sparse partial|Windows/.test(name)))(
  '%s becomes a new branch at the base',
  async (...given) => {
    const { made, directory, workspace } = await open(given);
    const { baseSha, remote } = made;
    await workspace.startBranch({ branch: 'claude/x', baseRef: 'main', baseSha, remote });
    cutOff(directory);
    expect(shellGit(directory, 'rev-parse', 'HEAD', 'origin/main')).toBe(`${baseSha}\n${baseSha}`);
    expect(shellGit(directory, 'symbolic-ref', 'HEAD')).toBe('refs/heads/claude/x');
    expect(shellGit(directory, 'status', '--porcelain')).toBe('?? untracked.txt');
  },
);

test('a checked-out branch with the name of the folder is kept, and the new branch is in none', async () => {
  const { made, directory, workspace } = await open(['', ['--depth=1']]);
  shellGit(directory, 'checkout', '-q', '-b', 'claude');
  const { headSha: baseSha } = workspace;
  const request = { branch: 'claude/x', baseRef: 'main', baseSha, remote: made.remote };
  expect(await workspace.startBranch(request)).toBe('claude-x');
  expect(shellGit(directory, 'symbolic-ref', '--short', 'HEAD')).toBe('claude-x');
  expect(shellGit(directory, 'rev-parse', 'claude')).toBe(baseSha);
});
