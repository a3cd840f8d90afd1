import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Secret } from '../../words/secret.ts';
import { claudeCommits, identity, type SceneOptions, scene, target } from '../gate/gate.test-support.ts';
import { openGate } from '../gate/gate.ts';
import { commit, shellGit, write } from '../local-remote.test-support.ts';
import { isSignedBy, makeKey } from './signing.test-support.ts';
import { checkSigningKey } from './ssh-key.ts';

const environment = { PATH: process.env.PATH };

function signedScene(options: SceneOptions = {}) {
  const pair = makeKey();
  const signing = { by: 'ssh', key: new Secret(pair.key), identity } as const;
  return scene({ ...options, change: { ...options.change, signing } }).then((made) => ({
    ...made,
    signing,
    isSigned: (sha: string) => isSignedBy(made.project.bare, sha, { ...pair, email: identity.email }),
    /** What Claude has and what is published, as trees and messages. */
    pair: (mine: string, published: string) =>
      [shellGit(made.directory, 'log', '--format=%T %B', `${made.base}..${mine}`)].concat(
        shellGit(made.project.bare, 'log', '--format=%T %B', `${made.base}..${published}`),
      ),
  }));
}

test('what is published is signed by the key, and its trees and messages are Claude’s', async () => {
  const { directory, publish, onServer, isSigned, pair, project } = await signedScene();
  claudeCommits(directory, { 'a.txt': 'changed\n' }, 'First\n\nBecause.');
  const mine = claudeCommits(directory, { 'new/c.bin': '\0\u0001' }, 'Second — ü');
  const published = await publish();

  expect(published).toMatchObject({ outcome: 'pushed', sha: onServer(), commits: 2 });
  expect(published.sha).not.toBe(mine);
  const [ours, theirs] = pair(mine, published.sha);
  expect(theirs).toBe(ours);
  expect([published.sha, `${published.sha}~1`].map(isSigned)).toEqual([true, true]);
  expect(shellGit(project.bare, 'log', '-1', '--format=%an %ae %cn %ce', published.sha)).toBe(
    `${identity.name} ${identity.email} ${identity.name} ${identity.email}`,
  );
});

test('later work goes on top of what was published, also by post, and nothing is signed twice', async () => {
  const { directory, publish, gate, signing, server, isSigned, pair, base, project } = await signedScene();
  claudeCommits(directory, { 'a.txt': 'one\n' });
  const first = await publish();
  expect(await publish()).toMatchObject({ outcome: 'nothing' });
  const mine = claudeCommits(directory, { 'a.txt': 'two\n' });
  write(directory, 'left.txt', 'uncommitted');
  const reopened = openGate(JSON.parse(JSON.stringify(gate.state)), { signing });
  const leftovers = { message: 'Save uncommitted work', identity };
  const last = await reopened.publish({ target, remote: server.remote, leftovers });

  expect(last).toMatchObject({ outcome: 'pushed', commits: 2 });
  const published = shellGit(project.bare, 'rev-list', `${base}..${last.sha}`).split('\n');
  expect(published).toHaveLength(3);
  expect(published[2]).toBe(first.sha);
  expect(published.map(isSigned)).toEqual([true, true, true]);
  const [ours, theirs] = pair(mine, `${last.sha}~1`);
  expect(theirs).toBe(ours);
});

test('a merge keeps its shape, and what it merges in stays its author’s', async () => {
  let theirs = '';
  const { directory, publish, project, isSigned } = await signedScene({
    depth: 0,
    before: ({ source }) => {
      shellGit(source, 'checkout', '-q', '-b', 'feature');
      theirs = commit(source, { 'feature.txt': 'theirs' }, 'Their work');
      shellGit(source, 'push', '-q', 'origin', 'feature');
      shellGit(source, 'checkout', '-q', 'main');
    },
  });
  claudeCommits(directory, { 'a.txt': 'ours\n' });
  shellGit(directory, 'merge', '-q', '--no-ff', '-m', 'Merge feature', 'origin/feature');
  const { sha } = await publish();

  const [first, second] = shellGit(project.bare, 'log', '-1', '--format=%P', sha).split(' ');
  expect(second).toBe(theirs);
  expect([sha, first!, theirs].map(isSigned)).toEqual([true, true, false]);
});

test('the key is on disk only while it signs', async () => {
  const { directory, publish, gate } = await signedScene();
  claudeCommits(directory, { 'a.txt': 'x\n' });
  await publish();
  const kept = readdirSync(gate.state.directory);
  expect(kept).toContain('signed.json');
  expect(kept.filter((name) => name.startsWith('signing-'))).toEqual([]);
});

test.each([
  ['with the line ends of Windows', (key: string) => key.replaceAll('\n', '\r\n')],
  ['without its last line end', (key: string) => key.trimEnd()],
])('a key %s can be used', async (_, change) => {
  const { gate } = await scene();
  const key = new Secret(change(makeKey().key));
  await expect(checkSigningKey(gate.state.directory, key, environment)).resolves.toBeUndefined();
});

test.each([
  ['a public key', () => makeKey().publicKey, /not a private key/],
  ['a key with a passphrase', () => makeKey('a passphrase').key, /protected by a passphrase/],
  [
    'an older key with a passphrase',
    () => makeKey('a passphrase', ['-t', 'rsa', '-b', '2048', '-m', 'PEM']).key,
    /protected by a passphrase/,
  ],
  ['a key that was cut', () => makeKey().key.replace(/\n.{70}\n/, '\n'), /ssh-keygen cannot read it/],
])('%s is refused', async (_, key, says) => {
  const { gate } = await scene();
  const checking = checkSigningKey(gate.state.directory, new Secret(key()), environment);
  await expect(checking).rejects.toMatchObject({
    reason: 'invalid_input',
    message: expect.stringMatching(says),
    remedy: expect.stringContaining('ssh-keygen'),
  });
});
