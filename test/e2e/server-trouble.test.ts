/** Repositories that cannot be cloned, hostile names, pushes that are refused: the thread says so, and goes on once it is mended. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../testkit/claude/step.ts';
import { bash } from '../../testkit/claude/tools.ts';
import type { Issue } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

let stage: ServerStage;
beforeAll(async () => {
  stage = await setServerStage({ env: { MAX_SESSIONS_PER_REPOSITORY: '4', SESSION_IDLE_MINUTES: '0.02' } });
});
afterAll(() => stage?.[Symbol.asyncDispose]());
afterEach(() => stage.github.faults.clear());

const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.05; done')] };
const commit = (file: string, content = 'x'): Step => ({
  tools: [
    bash(
      `mkdir -p $(dirname ${file}) && echo '${content}' > ${file} && git add -A && git commit -qm "Add a file"`,
    ),
  ],
});
const go = (issue: Issue) => writeFileSync(stage.path(issue, '.git/go'), '');
const isBusy = ({ title }: Issue) =>
  stage.until('Claude is busy', () =>
    stage.model.main.some((request) => request.firstText().includes(title)),
  );
const said = (issue: Issue, words: RegExp) =>
  stage.until(`the thread says ${words}`, () => stage.answers(issue).find((body) => words.test(body)));
const pausedFor = (issue: Issue, reason: string) =>
  stage.until(`it waits (${reason})`, async () => {
    const { state, pause_reason, lease_owner } = await stage.thread(issue);
    return state === 'paused' && pause_reason === reason && lease_owner === null;
  });
const make = async (name: string, more: { files?: Record<string, string>; defaultBranch?: string } = {}) => {
  const made = await stage.github.createRepository({ owner: 'octo-org', name, ...more });
  for (const login of ['octocat', 'forgehand-bot']) made.setPermission(login, 'write');
  return made;
};
const pullIn = (repository: RepositoryView) => repository.pullRequests()[0]!;

test('a repository that may not be cloned: the thread says so, and /retry goes on once it may', async () => {
  const repository = await make('locked');
  const mend = stage.github.faults.add({ path: /\/octo-org\/locked\.git\//, status: 403 });
  stage.model.when('Behind a lock', [commit('a.txt'), { text: 'Opened and done.' }]);
  const issue = await stage.openIssue({ title: 'Behind a lock', repository });
  await pausedFor(issue, 'github_auth');
  await said(issue, /403[\s\S]*\/retry/);
  mend();
  await stage.comment(issue, '/retry');
  await stage.answered(issue, 'Opened and done.');
  expect(await repository.file('issue-1', 'a.txt')).toBe('x\n');
  expect(repository.pullRequests()).toHaveLength(1);
});

test('a repository that has another name now: git follows nobody there, and the thread says so', async () => {
  const repository = await make('former');
  const location = `${stage.github.serverUrl}/octo-org/present.git/info/refs?service=git-upload-pack`;
  const mend = stage.github.faults.add({ path: /\/former\.git\//, status: 301, headers: { location } });
  stage.model.when('Under another name', [{ text: 'Found again.' }]);
  const issue = await stage.openIssue({ title: 'Under another name', repository });
  await pausedFor(issue, 'git_failed');
  await said(issue, /renamed or moved[\s\S]*\/retry/);
  expect(stage.github.requests.some(({ path }) => path.includes('present.git'))).toBe(false);
  mend();
  await stage.comment(issue, '/retry');
  await stage.answered(issue, 'Found again.');
});

test('a repository that is renamed: its sessions go along, in the middle of work and at rest, to the same pull request', async () => {
  const repository = await make('old-name');
  // Cut off, Claude Code puts a word of its own into the conversation; the step of that number is then passed over.
  const committing = [commit('a.txt'), commit('a.txt')];
  stage.model.when('At work then', [busy, ...committing, { text: 'Done there.' }]);
  stage.model.when('At rest then', [
    commit('b.txt'),
    { text: 'At rest.' },
    commit('c.txt'),
    { text: 'Gone along.' },
  ]);
  const resting = await stage.openIssue({ title: 'At rest then', repository });
  await stage.answered(resting, 'At rest.');
  const working = await stage.openIssue({ title: 'At work then', repository });
  await isBusy(working);
  repository.rename('new-name');
  const changes = { repository: { name: { from: 'old-name' } } };
  await stage.deliver(
    await stage.github.event.other('repository', repository.record, { action: 'renamed', changes }),
  );
  await stage.answered(working, 'Done there.');
  await stage.comment(resting, 'And under the new name?');
  await stage.answered(resting, 'Gone along.');
  expect(await repository.files('issue-1')).toEqual(expect.arrayContaining(['b.txt', 'c.txt']));
  expect(await repository.files(`issue-${working.number}`)).toContain('a.txt');
  expect(repository.pullRequests()).toHaveLength(2);
  // Another repository may have the name now, and has its own sessions.
  const next = await make('old-name');
  stage.model.when('The next of that name', [commit('d.txt'), { text: 'Somewhere else.' }]);
  const other = await stage.openIssue({ title: 'The next of that name', repository: next });
  await stage.answered(other, 'Somewhere else.');
  expect(await next.files('issue-1')).toContain('d.txt');
  expect(await repository.files('issue-1')).not.toContain('d.txt');
});

test('a repository without a first commit: the thread says what is missing', async () => {
  const repository = await make('empty', { files: {} });
  stage.model.when('Nothing yet', [{ text: 'Begun.' }]);
  const issue = await stage.openIssue({ title: 'Nothing yet', repository });
  await pausedFor(issue, 'invalid_input');
  await said(issue, /no commits yet[\s\S]*first commit[\s\S]*\/retry/);
  await repository.addCommit({ branch: 'main', message: 'First', files: { 'README.md': '# Here\n' } });
  await stage.comment(issue, '/retry');
  await stage.answered(issue, 'Begun.');
});

test('a repository that is gone in the middle: the log says so, and what Claude did is there when it is back', async () => {
  const repository = await make('fleeting');
  repository.record.private = true;
  stage.model.when('Now you see me', [busy, commit('kept.txt'), { text: 'First.' }, { text: 'Back again.' }]);
  const issue = await stage.openIssue({ title: 'Now you see me', repository });
  await isBusy(issue);
  repository.setPermission('forgehand-bot', 'none');
  go(issue);
  await stage.until('the log says that nobody can be told', () =>
    stage
      .output()
      .split('\n')
      .some((line) => line.includes('Session: unsaid') && line.includes('fleeting')),
  );
  repository.setPermission('forgehand-bot', 'write');
  await stage.comment(issue, '/retry');
  await stage.answered(issue, 'Back again.');
  expect(await repository.file('issue-1', 'kept.txt')).toBe('x\n');
});

test('an answer that somebody deletes while Claude works is given once more', async () => {
  stage.model.when('Tidy people', [busy, { text: 'Said all the same.' }]);
  const issue = await stage.openIssue({ title: 'Tidy people' });
  await isBusy(issue);
  const ours = await stage.until('the comment', () =>
    issue.comments.find(({ author }) => author?.login === 'forgehand-bot'),
  );
  stage.github.deleteComment(ours);
  go(issue);
  await stage.until('a second comment', () =>
    issue.comments.some(({ deleted, body }) => !deleted && body.includes('Said all the same.')),
  );
});

test('names that want out stay names: default branch, repository, title', async () => {
  const outside = join(stage.root, 'pwned');
  const defaultBranch = `feat/$(touch\${IFS}${outside.replaceAll('/', '%2f')});"&é'|<b>-main`;
  const repository = await make('.a-b..c', { defaultBranch });
  const title = `<img src=x onerror=alert(1)> **b** [x](javascript:1) \`id\` $(touch ${outside})\u0007\u202e\r\n# --upload-pack=${'very long '.repeat(400)}`;
  stage.model.when('<img src=x', [commit('out.txt'), { text: 'Nothing got out.' }]);
  const issue = stage.github.createIssue(repository, { title, body: 'Look.', author: 'octocat' });
  const event = await stage.github.event.issues(issue);
  (event.payload.issue as { body: string | null }).body = null;
  await stage.deliver(event);
  await stage.answered(issue, 'Nothing got out.');
  const pull = pullIn(repository);
  expect(pull).toMatchObject({ draft: true, head: { ref: 'issue-1' }, base: { ref: defaultBranch } });
  expect(pull.title.length).toBeLessThanOrEqual(256);
  expect(pull.title).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(pull.body.match(/Closes #1\b/g)).toHaveLength(1);
  expect(await repository.file('issue-1', 'out.txt')).toBe('x\n');
  expect(stage.path(issue, 'out.txt')).toBe(join(stage.root, 'workspaces/octo-org/.a-b..c/issue-1/out.txt'));
  expect(existsSync(stage.path(issue, 'out.txt'))).toBe(true);
  expect(existsSync(outside)).toBe(false);
  expect((await stage.thread(issue)).session_name).toBe('claude-octo-org-_a-b__c-1');
  expect(readdirSync(stage.root).sort()).toEqual(['data', 'home', 'tmux', 'workspaces']);
});

test('GitHub refuses the push: the answer says why, nothing is lost, and the next turn publishes it', async () => {
  stage.model.when('A protected name', [
    busy,
    commit('one.txt'),
    { text: 'Pushed?' },
    { text: 'Pushed now.' },
  ]);
  stage.model.when('A forbidden push', [
    busy,
    commit('two.txt'),
    { text: 'Pushed?' },
    { text: 'Pushed now.' },
  ]);
  const ruled = await stage.openIssue({ title: 'A protected name' });
  const forbidden = await stage.openIssue({ title: 'A forbidden push' });
  for (const issue of [ruled, forbidden]) await isBusy(issue);
  stage.repository.protect(`issue-${ruled.number}`);
  go(ruled);
  const refusal = await said(ruled, /GH006/);
  expect(patchOf(refusal)).toContain('one.txt');
  stage.github.faults.add({ path: /git-receive-pack/, status: 403 });
  go(forbidden);
  expect(patchOf(await said(forbidden, /error: 403/))).toContain('two.txt');
  expect(ruled.reactions.map(({ content }) => content)).toContain('confused');

  stage.repository.record.protectedBranches.clear();
  stage.github.faults.clear();
  for (const [issue, file] of [
    [ruled, 'one.txt'],
    [forbidden, 'two.txt'],
  ] as const) {
    await stage.comment(issue, 'It is allowed now.');
    await stage.answered(issue, 'Pushed now.');
    expect(await stage.repository.file(`issue-${issue.number}`, file)).toBe('x\n');
  }
});

test('a workflow file or a secret in a commit does not leave: the answer says so, and keeps it as a patch', async () => {
  const { key } = stage.model;
  stage.model.when('A workflow', [commit('.github/workflows/mine.yml', 'on: push'), { text: 'Changed CI.' }]);
  stage.model.when('A secret', [commit('config.txt', key), { text: 'Configured.' }]);
  const workflow = await stage.openIssue({ title: 'A workflow' });
  const leak = await stage.openIssue({ title: 'A secret' });
  expect(patchOf(await said(workflow, /gate_refused[\s\S]*/))).toContain('mine.yml');
  await said(leak, /gate_refused/);
  for (const issue of [workflow, leak]) {
    const [top] = await stage.repository.log(`issue-${issue.number}`);
    expect(top!.message).toContain('Start work');
    expect(issue.comments.flatMap(({ history }) => history.map(({ body }) => body)).join()).not.toContain(
      key,
    );
  }
  expect(stage.output()).not.toContain(key);
});

/** The patch that an answer names. */
function patchOf(answer: string): string {
  const file = /`([^`]+\.patch)`/.exec(answer)?.[1];
  return file ? readFileSync(file, 'utf8') : `no patch in: ${answer}`;
}
