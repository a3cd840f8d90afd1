import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Secret } from '../words/secret.ts';
import { git, identityEnvironment } from './git.ts';
import { makeProject, serveGit, shellGit, temporary, testToken } from './local-remote.test-support.ts';

test('answers with text, bytes and code', async () => {
  const { bare } = makeProject();
  const answer = await git(['rev-parse', 'main'], { gitDir: bare });
  expect(answer.stdout).toMatch(/^[0-9a-f]{40}$/);
  expect(answer.bytes.toString()).toBe(`${answer.stdout}\n`);
  expect(
    (await git(['cat-file', '-e', 'nothing'], { gitDir: bare, allowedCodes: [0, 1, 128] })).code,
  ).not.toBe(0);
});

test('a failure names the command, git’s words and no credential', async () => {
  const { bare } = makeProject();
  const failing = git(['fetch', `https://user:hunter2@127.0.0.1:1/x`, 'main'], { gitDir: bare });
  await expect(failing).rejects.toMatchObject({
    reason: 'git_failed',
    message: expect.stringMatching(/^`git fetch` failed/),
  });
  await expect(failing).rejects.not.toThrow('hunter2');
});

test('inherits only what is allowed from the caller', async () => {
  const directory = temporary();
  shellGit(directory, 'init', '-q');
  const environment = { PATH: process.env.PATH, GITHUB_TOKEN: 'secret', HTTPS_PROXY: 'http://proxy:1' };
  const config = { 'alias.show-env': '!env' };
  const { stdout } = await git(['show-env'], { gitDir: join(directory, '.git'), environment, config });
  expect(stdout).toContain('HTTPS_PROXY=http://proxy:1');
  expect(stdout).not.toContain('GITHUB_TOKEN');
  expect(stdout).toContain('HOME=/nonexistent');
});

test('without a remote no protocol is allowed, not even one that the repository allows itself', async () => {
  const { bare, root } = makeProject();
  shellGit(bare, 'config', 'protocol.ext.allow', 'always');
  const marker = join(root, 'ran');
  await expect(git(['fetch', `ext::sh -c "touch ${marker}"`], { gitDir: bare })).rejects.toThrow(
    /not allowed/,
  );
  expect(existsSync(marker)).toBe(false);
});

test('the token travels in a header, and is in no argument and no file', async () => {
  const { root, bare } = makeProject();
  const server = await serveGit(join(root, 'server'));
  await git(['ls-remote', server.remote.url], { remote: server.remote });
  expect(new Set(server.authorizations)).toEqual(
    new Set([`Basic ${Buffer.from(`x-access-token:${testToken}`).toString('base64')}`]),
  );
  await git(['fetch', '-q', server.remote.url, 'main'], { gitDir: bare, remote: server.remote });
  expect(() => shellGit(root, 'grep', '--no-index', '-q', testToken, '--', 'server')).toThrow();
});

test.each([
  ['a wrong token', 'github_auth', []],
  ['a server that stays down', 'github_unavailable', [503, 503, 503]],
  ['a server that moved', 'git_failed', [301]],
])('%s is %s', async (_, reason, failures) => {
  const { root } = makeProject();
  const server = await serveGit(join(root, 'server'));
  server.failures.push(...failures);
  const remote = { url: server.remote.url, token: new Secret('wrong-token-here') };
  await expect(git(['ls-remote', remote.url], { remote, retryDelaysMs: [1, 1] })).rejects.toMatchObject({
    reason,
  });
});

test('a server that comes back is asked again', async () => {
  const { root } = makeProject();
  const server = await serveGit(join(root, 'server'));
  server.failures.push(502, 503);
  const answer = await git(['ls-remote', server.remote.url], {
    remote: server.remote,
    retryDelaysMs: [1, 1],
  });
  expect(answer.stdout).toContain('refs/heads/main');
});

test('an abort ends git and its children', async () => {
  const directory = temporary();
  shellGit(directory, 'init', '-q');
  const started = join(directory, 'started');
  const controller = new AbortController();
  const running = git(['wait'], {
    gitDir: join(directory, '.git'),
    config: { 'alias.wait': `!touch ${started}; sleep 100` },
    signal: controller.signal,
  });
  while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  await expect(running).rejects.toMatchObject({ reason: 'cancelled' });
});

test('a command that takes too long is stopped', async () => {
  const directory = temporary();
  shellGit(directory, 'init', '-q');
  const config = { 'alias.wait': '!sleep 100' };
  await expect(git(['wait'], { gitDir: join(directory, '.git'), config, timeoutMs: 50 })).rejects.toThrow(
    /did not end within/,
  );
});

test('files stand in for standard input and output', async () => {
  const directory = temporary();
  writeFileSync(join(directory, 'in'), 'text');
  const files = { stdinFile: join(directory, 'in'), stdoutFile: join(directory, 'out') };
  await git(['hash-object', '--stdin'], files);
  expect((await git(['hash-object', join(directory, 'in')])).stdout).toMatch(/^[0-9a-f]{40}$/);
  expect(existsSync(join(directory, 'out'))).toBe(true);
});

test('the identity is environment, not configuration', () => {
  expect(
    identityEnvironment({ name: 'claude[bot]', email: '1+claude[bot]@users.noreply.github.com' }),
  ).toEqual({
    GIT_AUTHOR_NAME: 'claude[bot]',
    GIT_AUTHOR_EMAIL: '1+claude[bot]@users.noreply.github.com',
    GIT_COMMITTER_NAME: 'claude[bot]',
    GIT_COMMITTER_EMAIL: '1+claude[bot]@users.noreply.github.com',
  });
});
