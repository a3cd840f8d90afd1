import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claudeBinary } from '../../testkit/claude/environment.ts';
import { fencedScene, whyNoFence } from './fence.test-support.ts';
import { openIdentity } from './identity.ts';

let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'forgehand-identity-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

test('the first token is there before Claude is told where it is, for nobody else to read', async () => {
  const identity = await openIdentity({ mint: async () => 'jwt-1', scratch, onProblem: () => {} });
  const file = identity.environment.ANTHROPIC_IDENTITY_TOKEN_FILE!;
  expect(await readFile(file, 'utf8')).toBe('jwt-1');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(file.startsWith(`${identity.directory}/`)).toBe(true);
  identity.close();
});

test('a token is replaced by a new one, also after one could not be had; none comes after the end', async () => {
  const answers = ['jwt-1', new Error('the issuer is down'), 'jwt-2'];
  const problems: string[] = [];
  const third = Promise.withResolvers<void>();
  const mint = async () => {
    const answer = answers.shift();
    if (answers.length === 0) third.resolve();
    if (answer instanceof Error) throw answer;
    return answer ?? 'too late';
  };
  const identity = await openIdentity({
    mint,
    scratch,
    everyMs: 5,
    onProblem: (e) => problems.push(e.message),
  });
  await third.promise;
  identity.close();
  const file = identity.environment.ANTHROPIC_IDENTITY_TOKEN_FILE!;
  await expect.poll(() => readFile(file, 'utf8')).toBe('jwt-2');
  expect(problems).toEqual(['the issuer is down']);
});

test('without a first token there is no start', async () => {
  const mint = async () => Promise.reject(new Error('no identity'));
  await expect(openIdentity({ mint, scratch, onProblem: () => {} })).rejects.toThrow('no identity');
});

test.runIf(process.getuid?.() === 0)('as root, every token is the fence’s user’s to read', async () => {
  const identity = await openIdentity({ mint: async () => 'jwt', scratch, everyMs: 5, onProblem: () => {} });
  const file = identity.environment.ANTHROPIC_IDENTITY_TOKEN_FILE!;
  await identity.giveTo({ uid: 54_321, gid: 54_321 });
  const { ino } = await stat(file);
  await expect.poll(async () => (await stat(file)).ino).not.toBe(ino);
  expect((await stat(file)).uid).toBe(54_321);
  identity.close();
});

test.skipIf(whyNoFence)('in the fence each new token is seen, and none can be put in its place', async () => {
  const tokens = ['jwt-1', 'jwt-2'];
  const mint = async () => tokens.shift() ?? 'jwt-3';
  const identity = await openIdentity({ mint, scratch, everyMs: 20, onProblem: () => {} });
  const scene = await fencedScene({ readOnly: [claudeBinary(), identity.directory] });
  const inFence = (script: string) => {
    const { command, args } = scene.fence.enclose('/bin/sh', ['-c', script]);
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  try {
    if (scene.fence.owner) await identity.giveTo(scene.fence.owner);
    const file = identity.environment.ANTHROPIC_IDENTITY_TOKEN_FILE!;
    await expect.poll(() => inFence(`cat ${file}`)).toBe('jwt-3');
    const attempts = [
      `ln -sf /etc/passwd ${file}.next`,
      `mv ${identity.directory} /tmp/x`,
      `echo x > ${file}`,
    ];
    for (const attempt of attempts) expect(() => inFence(attempt)).toThrow(/Read-only|Permission|busy/i);
  } finally {
    identity.close();
    await scene.close();
  }
});
