import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  checkout,
  commit,
  makeProject,
  type Project,
  shellGit,
  temporary,
  write,
} from './local-remote.test-support.ts';
import { restoreCheckout, type SavedCheckout } from './saved-checkout.ts';
import { openWorkspace } from './workspace.ts';

const header = 'AUTHORIZATION: basic c2VjcmV0LXRva2Vu';

function open(project: Project, directory: string) {
  return openWorkspace({ directory, scratch: join(project.root, 'scratch') });
}

/** The whole of `.git/config`, hooks and info, to compare before and after. */
function settingsOf(directory: string): string {
  return (
    shellGit(directory, 'config', '--local', '--list') +
    (existsSync(join(directory, '.git/hooks')) ? 'hooks' : '')
  );
}

test.each<[string, (directory: string) => void]>([
  ['a directory that does not exist', () => undefined],
  ['not a Git repository', (directory) => mkdirSync(directory)],
  ['a bare repository', (directory) => shellGit('/', 'init', '-q', '--bare', directory)],
  ['no commit yet', (directory) => shellGit('/', 'init', '-q', directory)],
  [
    'a linked worktree',
    (directory) => {
      mkdirSync(directory);
      write(directory, '.git', 'gitdir: /elsewhere\n');
    },
  ],
  [
    'is not a directory',
    (directory) => {
      mkdirSync(directory);
      symlinkSync('/elsewhere', join(directory, '.git'));
    },
  ],
])('refuses %s and names actions/checkout', async (what, make) => {
  const root = temporary();
  make(join(root, 'checkout'));
  const opening = openWorkspace({ directory: join(root, 'checkout'), scratch: join(root, 'scratch') });
  await expect(opening).rejects.toMatchObject({
    reason: 'invalid_input',
    remedy: expect.stringContaining('actions/checkout'),
  });
  await expect(opening).rejects.toThrow(what === 'a directory that does not exist' ? 'does not exist' : what);
});

test('takes credentials, helpers, includes and hooks of the checkout away for the run and puts them back', async () => {
  const project = makeProject();
  const directory = checkout(project);
  shellGit(directory, 'config', 'http.https://github.com/.extraheader', header);
  shellGit(directory, 'config', 'credential.helper', 'store');
  shellGit(directory, 'config', 'core.hooksPath', '/tmp/hooks');
  shellGit(directory, 'config', 'include.path', '/tmp/more');
  shellGit(
    directory,
    'config',
    'remote.origin.url',
    'https://x-access-token:ghp_secret@github.com/owner/repo',
  );
  shellGit(directory, 'config', 'user.name', 'Step before');
  write(directory, '.git/hooks/pre-push', 'original hook');
  const before = settingsOf(directory);
  const seen: SavedCheckout[] = [];
  const workspace = await openWorkspace({
    directory,
    scratch: join(project.root, 'scratch'),
    onSaved: (saved) => {
      seen.push(saved);
      expect(settingsOf(directory)).toBe(before);
    },
  });
  const config = readFileSync(join(directory, '.git/config'), 'utf8');
  expect(config).not.toMatch(/c2VjcmV0|helper|hooksPath|include|ghp_secret|Step before/i);
  expect(shellGit(directory, 'config', 'remote.origin.url')).toBe('https://github.com/owner/repo');
  expect(shellGit(directory, 'config', 'remote.origin.fetch')).toBe(
    '+refs/heads/main:refs/remotes/origin/main',
  );
  // Git's samples never run; nothing else is left.
  expect(readdirSync(join(directory, '.git/hooks')).filter((name) => !name.endsWith('.sample'))).toEqual([]);
  expect(statSync(workspace.saved.store).mode & 0o777).toBe(0o700);
  expect(seen).toEqual([workspace.saved]);

  write(directory, '.git/hooks/post-checkout', 'planted');
  write(directory, '.git/commondir', '/evil');
  for (const lock of ['config.lock', 'index.lock', 'HEAD.lock']) write(directory, `.git/${lock}`, '');
  write(directory, 'new.txt', 'Claude’s');
  expect(await workspace.restore()).toEqual([]);
  expect(await restoreCheckout(JSON.parse(JSON.stringify(workspace.saved)))).toEqual([]);
  expect(settingsOf(directory)).toBe(before);
  expect(existsSync(join(directory, '.git/hooks/post-checkout'))).toBe(false);
  expect(existsSync(join(directory, '.git/commondir'))).toBe(false);
  expect(readFileSync(join(directory, '.git/hooks/pre-push'), 'utf8')).toBe('original hook');
  expect(readFileSync(join(directory, 'new.txt'), 'utf8')).toBe('Claude’s');
  commit(directory, {}, 'A later step’s');
});

test('moves the credential file of actions/checkout v6 away and puts it back', async () => {
  const project = makeProject();
  const directory = checkout(project);
  const credentials = join(mkdtempSync(join(project.root, 'runner-')), 'git-credentials-1234-abcd.config');
  writeFileSync(credentials, `[http "https://github.com/"]\n\textraheader = ${header}\n`, { mode: 0o600 });
  shellGit(directory, 'config', `includeIf.gitdir:${directory}/.git.path`, credentials);
  shellGit(
    directory,
    'config',
    'includeIf.gitdir:/github/workspace/.git.path',
    '/github/runner_temp/git-credentials-1234-abcd.config',
  );
  expect(shellGit(directory, 'config', 'http.https://github.com/.extraheader')).toBe(header);
  const { saved } = await open(project, directory);
  expect(existsSync(credentials)).toBe(false);
  expect(() => shellGit(directory, 'config', 'http.https://github.com/.extraheader')).toThrow();
  // Claude puts a link where the file was: the token must not be written through it.
  symlinkSync(join(directory, 'a.txt'), credentials);
  expect(await restoreCheckout(saved)).toEqual([]);
  expect(lstatSync(credentials).isFile()).toBe(true);
  expect(statSync(credentials).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('one\n');
  expect(shellGit(directory, 'config', 'http.https://github.com/.extraheader')).toBe(header);
});

test('an included file that is not a credential file of actions/checkout stays where it is', async () => {
  const project = makeProject();
  const directory = checkout(project);
  write(project.root, 'own.config', '[user]\n\tname = x\n');
  shellGit(directory, 'config', 'include.path', join(project.root, 'own.config'));
  await open(project, directory);
  expect(existsSync(join(project.root, 'own.config'))).toBe(true);
});

test('cleans and restores the configuration of submodules', async () => {
  const project = makeProject();
  const other = makeProject({ 'sub.txt': 'sub\n' });
  shellGit(project.source, 'submodule', '--quiet', 'add', `file://${other.bare}`, 'deps/sub');
  commit(project.source, {}, 'Submodule');
  shellGit(project.source, 'push', '-q', 'origin', 'main');
  const directory = checkout(project);
  shellGit(directory, 'submodule', '--quiet', 'update', '--init');
  shellGit(join(directory, 'deps/sub'), 'config', 'http.https://github.com/.extraheader', header);
  const { saved } = await open(project, directory);
  const config = join(directory, '.git/modules/deps/sub/config');
  expect(readFileSync(config, 'utf8')).not.toContain('c2VjcmV0');
  expect(shellGit(directory, 'status', '--porcelain')).toBe('');
  await restoreCheckout(saved);
  expect(readFileSync(config, 'utf8')).toContain('c2VjcmV0');
});

test.each<[string, (directory: string, elsewhere: string) => void]>([
  [
    '.git is a link to another repository',
    (directory, elsewhere) => symlinkSync(elsewhere, join(directory, '.git')),
  ],
  [
    '.git is a file that names another repository',
    (directory, elsewhere) => write(directory, '.git', `gitdir: ${elsewhere}\n`),
  ],
  ['.git is gone', () => undefined],
])('restores nothing through it when %s', async (_, plant) => {
  const project = makeProject();
  const directory = checkout(project);
  const { saved } = await open(project, directory);
  const elsewhere = join(project.root, 'elsewhere');
  shellGit('/', 'init', '-q', elsewhere);
  const untouched = readFileSync(join(elsewhere, '.git/config'), 'utf8');
  renameSync(join(directory, '.git'), join(project.root, 'moved'));
  plant(directory, join(elsewhere, '.git'));
  const problems = await restoreCheckout(saved);
  expect(problems.join('\n')).toContain('`.git/config` was not put back');
  expect(readFileSync(join(elsewhere, '.git/config'), 'utf8')).toBe(untouched);
});

test('restores over links that were planted as config, hooks and info', async () => {
  const project = makeProject();
  const directory = checkout(project);
  const before = settingsOf(directory);
  const { saved } = await open(project, directory);
  write(project.root, 'victim/file', 'untouched');
  for (const name of ['config', 'hooks', 'info']) {
    rmSync(join(directory, '.git', name), { recursive: true, force: true });
    symlinkSync(
      join(project.root, name === 'config' ? 'victim/file' : 'victim'),
      join(directory, '.git', name),
    );
  }
  expect(await restoreCheckout(saved)).toEqual([]);
  expect(readFileSync(join(project.root, 'victim/file'), 'utf8')).toBe('untouched');
  expect(settingsOf(directory)).toBe(before);
});
