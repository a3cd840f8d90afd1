/** The ground goes away under the server: its PostgreSQL dies, an operator's is stopped, the disk is full, everything is ended. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import {
  debianPostgres,
  type OperatorsPostgres,
  startDebianPostgres,
} from '../../src/server/store/debian-postgres.test-support.ts';
import type { ModelRequest } from '../../testkit/claude/request.ts';
import type { Script, Step } from '../../testkit/claude/step.ts';
import { bash } from '../../testkit/claude/tools.ts';
import type { Issue } from '../../testkit/github/model.ts';
import { type ServerScene, type ServerStage, setServerStage } from './server-stage.ts';

let stage: ServerStage;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  await stage?.[Symbol.asyncDispose]();
  for (const end of ends.splice(0)) await end();
});
const set = async (scene: ServerScene = {}) => {
  stage = await setServerStage(scene);
  return stage;
};

const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.05; done')] };
const step = (file: string): Step => ({
  tools: [bash(`echo x >> ${file} && git add -A && git commit -qm "Add ${file}"`)],
});
/** Commits the file, and says the words once that is in the conversation, whatever was cut before. */
const thenSay = (file: string, words: string): Script =>
  Array.from({ length: 6 }, () => (request: ModelRequest) => {
    const isDone = JSON.stringify(request.body.messages).includes(`Add ${file}`);
    return isDone ? { text: words } : step(file);
  });
const allDone = (issue: Issue) =>
  stage.until('all are done', async () =>
    ((await stage.thread(issue)).messages as { state: string }[]).every(({ state }) => state === 'done'),
  );
const go = (issue: Issue) => writeFileSync(stage.path(issue, '.git/go'), '');
const isBusy = () => stage.until('Claude is busy', () => stage.model.main.length > 0);
const health = async () => {
  const [ready, shown] = await Promise.all(['ready', 'health'].map((path) => fetch(`${stage.url}/${path}`)));
  return [ready!.status, ((await shown!.json()) as { status: string }).status] as const;
};
const is = (status: number, word: string) =>
  stage.until(`it is ${word}`, async () => String(await health()) === `${status},${word}`);
/** As GitHub does when it was not told "accepted": somebody delivers it again. */
const untilAccepted = async (issue: Issue, body: string) => {
  const comment = stage.github.comment(issue, { author: 'octocat', body });
  const event = await stage.github.event.issueComment(comment);
  const answers: number[] = [];
  await stage.until('it is accepted', async () => {
    const { statusCode } = await stage.deliver(event, `of-${comment.id}`);
    answers.push(statusCode);
    return statusCode === 202;
  });
  return answers;
};
const postmaster = () =>
  Number(readFileSync(join(stage.dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);

test('its own PostgreSQL is killed while Claude works and while a delivery arrives: nothing is lost', async () => {
  await set({ script: [busy, ...thenSay('during.txt', 'Went through it.')] });
  const issue = await stage.openIssue();
  await isBusy();
  process.kill(postmaster(), 'SIGKILL');
  const answers = await untilAccepted(issue, 'Said in the dark.');
  expect(answers.filter((status) => status !== 202 && status !== 503)).toEqual([]);
  go(issue);
  await stage.answered(issue, 'Went through it.');
  await allDone(issue);
  await is(200, 'ok');
  expect(stage.timesHeard('Said in the dark.')).toBe(1);
  expect(await stage.repository.log(`main..issue-${issue.number}`)).toHaveLength(2);
  expect(stage.pulls()).toHaveLength(1);
});

test.skipIf(!debianPostgres)(
  'an operator’s PostgreSQL is away for ten seconds: 503 meanwhile, and then everything goes on',
  async () => {
    const postgres: OperatorsPostgres = await startDebianPostgres();
    ends.push(postgres.close);
    await set({
      script: [busy, ...thenSay('during.txt', 'Waited for it.')],
      env: { DATABASE_URL: postgres.url },
    });
    const issue = await stage.openIssue();
    await isBusy();
    await postgres.kill();
    await is(503, 'degraded');
    const { statusCode } = await stage.deliver(
      await stage.github.event.issues(
        stage.github.createIssue(stage.repository, { title: 'Refused', body: '' }),
      ),
    );
    expect(statusCode).toBe(503);
    // What Claude does now waits for its transcript.
    go(issue);
    await sleep(10_000);
    await postgres.start();
    await is(200, 'ok');
    await untilAccepted(issue, 'Said afterwards.');
    await stage.answered(issue, 'Waited for it.');
    await allDone(issue);
    expect(stage.timesHeard('Said afterwards.')).toBe(1);
    expect(await stage.repository.file(`issue-${issue.number}`, 'during.txt')).toBe('x\n');
    expect(stage.pulls()).toHaveLength(1);
  },
);

const canMount = (() => {
  if (process.getuid?.() !== 0) return false;
  const place = mkdtempSync(join(tmpdir(), 'fh-can-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false; // a container that may not mount
  } finally {
    rmdirSync(place);
  }
})();

test.skipIf(!canMount)(
  'the disk of the workspaces is full: the thread says so, the server stays, /retry goes on',
  async () => {
    await set({ start: false, script: [step('after.txt'), { text: 'There is room again.' }] });
    const disk = join(stage.root, 'workspaces');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=755', 'tmpfs', disk]);
    const unmount = () => execFileSync('umount', ['-l', disk]);
    try {
      await stage.start();
      writeFileSync(join(disk, 'filler'), '');
      execFileSync('sh', ['-c', `cat /dev/zero > ${disk}/filler || true`], { stdio: 'ignore' });
      const issue = await stage.openIssue();
      await stage.until('the thread says so', () =>
        stage.answers(issue).find((body) => /no space left|disk/i.test(body)),
      );
      await is(200, 'ok');
      execFileSync('rm', [join(disk, 'filler')]);
      await stage.comment(issue, '/retry');
      await stage.answered(issue, 'There is room again.');
    } finally {
      await stage.kill();
      await stage.forgehand('stop');
      unmount();
    }
  },
);

test('forgehand stop with live sessions ends everything, and the next start goes on with the conversation', async () => {
  await set({ script: [step('first.txt'), busy, ...thenSay('second.txt', 'To the end.')] });
  const issue = await stage.openIssue();
  await stage.until('it has committed', () => stage.model.main.length === 2);
  const database = postmaster();
  const { lease_pid: session } = (await stage.thread(issue)) as { lease_pid: number };
  const { code, output } = await stage.forgehand('stop');
  expect([code, output]).toEqual([
    0,
    expect.stringMatching(/server[\s\S]*1 session has ended[\s\S]*PostgreSQL/),
  ]);
  expect([database, session].filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  expect(processesOf(stage.root)).toEqual([]);
  expect(existsSync(stage.path(issue, 'first.txt'))).toBe(true);

  go(issue);
  await stage.start();
  await stage.answered(issue, 'To the end.');
  const log = await stage.repository.log(`main..issue-${issue.number}`);
  expect(log.map(({ message }) => message.trim()).slice(0, 2)).toEqual(['Add second.txt', 'Add first.txt']);
  expect(stage.timesHeard('The greeting is misspelt')).toBe(1);
  expect(stage.answers(issue)).toHaveLength(1);
  expect(stage.pulls()).toHaveLength(1);
});

/** Processes that know of this stage's directories, besides tmux's own server. */
function processesOf(root: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
        const isOurs = command.includes(root) || environment.includes(root);
        return isOurs && !command.startsWith('tmux') ? [command] : [];
      } catch {
        return [];
      }
    });
}
