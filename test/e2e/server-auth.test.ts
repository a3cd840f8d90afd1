/** Signed in as a GitHub App: each repository has its own token, tokens are renewed in time, and nobody else sees any. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Step } from '../../testkit/claude/step.ts';
import { bash } from '../../testkit/claude/tools.ts';
import type { Installation } from '../../testkit/github/app-model.ts';
import type { CreatedApp } from '../../testkit/github/credentials.ts';
import type { Issue } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

let stage: ServerStage;
let app: CreatedApp;
let ours: RepositoryView;
let theirs: RepositoryView;
const installations = new Map<RepositoryView, Installation>();

beforeAll(async () => {
  stage = await setServerStage({ start: false });
  ours = stage.repository;
  theirs = await stage.github.createRepository({ owner: 'other-org', name: 'secret.plans' });
  app = await stage.github.createApp({ slug: 'forgehand-app' });
  for (const repository of [ours, theirs]) {
    repository.record.private = true;
    repository.setPermission('octocat', 'write');
    installations.set(repository, stage.github.installApp(app, repository.fullName));
  }
  const credentials = { GITHUB_APP_ID: String(app.id), GITHUB_APP_PRIVATE_KEY: app.privateKey };
  await stage.start({ ...credentials, GITHUB_TOKEN: '', SESSION_IDLE_MINUTES: '0.02' });
});
afterAll(() => stage?.[Symbol.asyncDispose]());
beforeEach(() => stage.github.clearRequests());

const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.05; done')] };
const commit = (file: string): Step => ({
  tools: [bash(`echo x > ${file} && git add -A && git commit -qm "Add ${file}"`)],
});
const go = (issue: Issue) => writeFileSync(stage.path(issue, '.git/go'), '');
const isBusy = ({ title }: Issue) =>
  stage.until('Claude is busy', () =>
    stage.model.main.some((request) => request.firstText().includes(title)),
  );

async function open(repository: RepositoryView, title: string): Promise<Issue> {
  const issue = stage.github.createIssue(repository, { title, body: 'Please.', author: 'octocat' });
  const installation = installations.get(repository)!;
  await stage.deliver(await stage.github.event.issues(issue, 'opened', { installation }));
  return issue;
}

const answered = (issue: Issue, words: string) =>
  stage.until(`an answer with “${words}”`, () =>
    issue.comments.find(({ author, body }) => author?.login === app.login && body.includes(words)),
  );
const parked = (issue: Issue) =>
  stage.until('the session has gone', async () => (await stage.thread(issue)).lease_owner === null);
const tokenOf = (value: string | null) => stage.github.tokens().find((token) => token.value === value)!;
const mints = () => stage.github.requests.filter(({ path }) => path.endsWith('/access_tokens'));
const pushes = () => stage.github.requests.filter(({ path }) => path.endsWith('/git-receive-pack'));

test('every request is made with a token of its own repository alone, and Claude sees none of them', async () => {
  for (const title of ['One of ours', 'One of theirs'])
    stage.model.when(title, [commit('done.txt'), busy, { text: `${title} is done.` }]);
  const issues = [await open(ours, 'One of ours'), await open(theirs, 'One of theirs')];
  for (const issue of issues) await isBusy(issue);
  for (const issue of issues) await stage.until('it has committed', () => turnsOf(issue) === 2);

  for (const issue of issues) {
    const seen = await whatOthersSee(issue);
    expect(
      [...seen].filter(([where, text]) => where.endsWith('cmdline') && text.includes('claude')),
    ).not.toEqual([]);
    for (const [where, text] of seen) {
      expect(secretsIn(text), where).toEqual([]);
    }
  }

  for (const issue of issues) go(issue);
  await answered(issues[0]!, 'One of ours is done.');
  await answered(issues[1]!, 'One of theirs is done.');
  for (const repository of [ours, theirs]) expect(await repository.file('issue-1', 'done.txt')).toBe('x\n');

  await stage.until('everything is answered', () => stage.github.requests.every(({ ms }) => ms !== null));
  const asked = stage.github.requests.filter(({ authorization }) => authorization !== 'app');
  expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(['rest', 'graphql', 'git']));
  for (const request of asked) {
    expect(request.authorization, request.path).toBe('installation');
    const { installation, repositories } = tokenOf(request.token);
    const [own, other] = installation === installations.get(ours) ? [ours, theirs] : [theirs, ours];
    expect([...repositories!].map(({ name }) => name)).toEqual([own.record.name]);
    expect(`${request.path} ${JSON.stringify(request.body)}`).not.toContain(other.record.name);
    expect(request.status, request.path).toBeLessThan(400);
  }
  // One in the server and one in the session, for each repository.
  expect(mints()).toHaveLength(4);
});

test('a token that nears its end while Claude works is renewed, once, before the work is pushed', async () => {
  installations.get(ours)!.tokenLifeMs = 5 * 60_000 + 3_000;
  stage.model.when('A long one', [busy, commit('late.txt'), { text: 'It took its time.' }]);
  const issue = await open(ours, 'A long one');
  await isBusy(issue);
  const [opening] = pushes();
  await stage.until(
    'the token nears its end',
    () => tokenOf(opening!.token).expiresAt! - Date.now() < 300_000,
  );
  stage.github.clearRequests();
  go(issue);
  await answered(issue, 'It took its time.');
  const [push] = pushes();
  expect(push!.token).not.toBe(opening!.token);
  expect(tokenOf(push!.token).expiresAt).toBeGreaterThan(push!.startedAt + 299_000);
  for (const [index, mint] of mints().entries())
    expect(mints()[index + 1]?.startedAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(
      mint.startedAt + mint.ms!,
    );
  installations.get(ours)!.tokenLifeMs = 3_600_000;
  await parked(issue);
});

test('a token that was revoked is replaced, and the work is published all the same', async () => {
  stage.model.when('Revoked', [busy, commit('revoked.txt'), { text: 'Published anew.' }]);
  const issue = await open(ours, 'Revoked');
  await isBusy(issue);
  for (const { value } of stage.github.tokens()) stage.github.revokeToken(value);
  go(issue);
  await answered(issue, 'Published anew.');
  expect(await ours.file(`issue-${issue.number}`, 'revoked.txt')).toBe('x\n');
  expect(issue.comments).toHaveLength(1);
});

test('GitHub gives no tokens for a while: the thread waits, and nothing of it is set aside', async () => {
  stage.model.when('No token', [{ text: 'Signed in.' }, { text: 'Signed in again.' }]);
  const issue = await open(ours, 'No token');
  await answered(issue, 'Signed in.');
  await parked(issue);
  const mend = stage.github.faults.add({ path: /access_tokens$/, status: 503 });
  const comment = stage.github.comment(issue, { author: 'octocat', body: 'Still there?' });
  const installation = installations.get(ours)!;
  await stage.deliver(await stage.github.event.issueComment(comment, 'created', { installation }));
  await stage.until('it was tried twice', async () => Number((await stage.thread(issue)).failures) >= 2);
  const { state, messages } = (await stage.thread(issue)) as {
    state: string;
    messages: { failures: number }[];
  };
  expect([state, messages.at(-1)!.failures]).toEqual(['open', 0]);
  mend();
  await answered(issue, 'Signed in again.');
});

function turnsOf({ title }: Issue): number {
  return stage.model.main.filter((request) => request.firstText().includes(title)).length;
}

/** Environment and arguments of the session's processes, its workspace, and everything that is written down. */
async function whatOthersSee(issue: Issue): Promise<Map<string, string>> {
  const { lease_pid: pid } = (await stage.thread(issue)) as { lease_pid: number };
  const seen = new Map([['the server’s output', stage.output()]]);
  for (const member of familyOf(pid)) {
    for (const file of ['environ', 'cmdline'])
      seen.set(`/proc/${member}/${file}`, read(`/proc/${member}/${file}`));
  }
  for (const directory of [
    stage.path(issue, '.'),
    join(stage.dataDir, 'logs'),
    join(stage.dataDir, 'threads'),
  ]) {
    for (const file of filesBelow(directory)) seen.set(file, read(file));
  }
  return seen;
}

function familyOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), Number(/\) \S (\d+)/.exec(read(`/proc/${name}/stat`))?.[1])] as const);
  const children = parents.filter(([, parent]) => parent === pid).map(([child]) => child);
  return [pid, ...children.flatMap(familyOf)];
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file, { throwIfNoEntry: false }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it ended meanwhile
  }
}

function secretsIn(text: string): string[] {
  const keyLine = app.privateKey.split('\n')[3]!;
  const values = [keyLine, ...stage.github.tokens().map(({ value }) => value)];
  const forms = values.flatMap((value) => [value, Buffer.from(`x-access-token:${value}`).toString('base64')]);
  return [...forms, 'ghs_', 'PRIVATE KEY'].filter((form) => text.includes(form));
}
