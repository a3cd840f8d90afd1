/** Servers come and go, sessions stay: ended, upgraded, killed; in tmux and without it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diligent, wish } from './chaos-claude.ts';
import { kill, sessionsOf } from './chaos-victims.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';
import { withoutTmux } from './without-tmux.ts';

const hasTmux = execFileSync('/bin/sh', ['-c', 'command -v tmux || true']).toString().trim() !== '';

describe.each([
  ['in tmux', hasTmux],
  ['without tmux', true],
] as const)('%s', (where, canRun) => {
  let stage: ServerStage;
  let newer: string;
  beforeAll(async () => {
    stage = await setServerStage({ env: where === 'in tmux' ? {} : withoutTmux() });
    // Another build, as an upgrade brings it.
    newer = join(stage.root, 'newer', 'dist', 'forgehand.mjs');
    mkdirSync(join(stage.root, 'newer'));
    cpSync('dist', join(stage.root, 'newer', 'dist'), { recursive: true });
    symlinkSync(resolve('node_modules'), join(stage.root, 'newer', 'node_modules'));
    cpSync('package.json', join(stage.root, 'newer', 'package.json'));
  }, 180_000);
  afterAll(() => stage?.[Symbol.asyncDispose]());
  const programOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1];
  /** An issue whose Claude waits for its model until it is let go. */
  const atWork = async () => {
    const issue = stage.github.createIssue(stage.repository, { author: 'octocat', title: 'To do', body: '' });
    const what = `task-${issue.number}`;
    issue.body = wish(what);
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const atRequest = async () => {
      asked.resolve();
      await go.promise;
    };
    stage.model.when(what, diligent({ atRequest }));
    await stage.deliver(await stage.github.event.issues(issue));
    await asked.promise;
    const key = `octo-org/hello#${issue.number}`;
    return { issue, key, what, sessions: sessionsOf(stage.dataDir, key), go: go.resolve };
  };
  const finds = async (key: string) => {
    const { active_sessions } = await stage.health();
    expect(active_sessions).toHaveProperty([key]);
    expect(active_sessions[key]!.tmux_active).toBe(where === 'in tmux');
  };

  test.skipIf(!canRun)(
    'ended and replaced by a newer build, the server finds its session at work',
    async () => {
      const { issue, key, what, sessions, go } = await atWork();
      expect(sessions).toHaveLength(1);
      await stage.kill('SIGTERM');
      expect(sessionsOf(stage.dataDir, key)).toEqual(sessions);
      await stage.start({}, newer);
      await finds(key);
      go();
      await stage.answered(issue, `I did ${what}.`);
      // The same process, which the new server has never started, takes a follow-up from it.
      await stage.comment(issue, wish('more'));
      await stage.answered(issue, 'I did more.');
      expect(sessionsOf(stage.dataDir, key)).toEqual(sessions);
      // What starts from now on is the newer build's.
      const next = await atWork();
      expect(programOf(next.sessions[0]!)).toBe(newer);
      next.go();
      await stage.answered(next.issue, `I did ${next.what}.`);
    },
    180_000,
  );

  test.skipIf(!canRun)(
    'killed, the server finds its session at work',
    async () => {
      const { issue, key, what, sessions, go } = await atWork();
      await stage.kill('SIGKILL');
      // Nobody is there, and the work goes on to its answer.
      go();
      await stage.answered(issue, `I did ${what}.`);
      await stage.start({}, newer);
      await finds(key);
      await stage.comment(issue, wish('more'));
      await stage.answered(issue, 'I did more.');
      expect(sessionsOf(stage.dataDir, key)).toEqual(sessions);
    },
    180_000,
  );

  test.skipIf(!canRun)(
    'a killed session is taken up again long before its lease runs out',
    async () => {
      const { issue, key, what, sessions, go } = await atWork();
      const database = await stage.database();
      const [before] = await database.query<{ lease: string; until: Date }>(
        `update threads set lease_until = now() + interval '10 minutes' where key = $1
       returning lease_owner as lease, lease_until as until`,
        [key],
      );
      await kill('session', { dataDir: stage.dataDir, key });
      go();
      await stage.answered(issue, `I did ${what}.`);
      const [after] = await database.query<{ lease: string; early: boolean }>(
        `select lease_owner as lease, now() < $2::timestamptz as early from threads where key = $1`,
        [key, before!.until],
      );
      expect(after).toMatchObject({ early: true });
      expect(after!.lease).not.toBe(before!.lease);
      expect(sessionsOf(stage.dataDir, key)).not.toEqual(sessions);
      expect(stage.output()).toContain('The session has died; it is taken up again.');
    },
    180_000,
  );
});
