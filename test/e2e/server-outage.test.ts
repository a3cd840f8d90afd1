/** GitHub is away, slows us down, or says things twice: nothing is lost, nothing is done twice, nobody notices. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../testkit/claude/step.ts';
import { bash } from '../../testkit/claude/tools.ts';
import type { Issue } from '../../testkit/github/model.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

let stage: ServerStage;
beforeAll(async () => {
  stage = await setServerStage({ env: { MAX_SESSIONS: '6', MAX_SESSIONS_PER_REPOSITORY: '6' } });
});
afterAll(() => stage?.[Symbol.asyncDispose]());
afterEach(() => stage.github.faults.clear());

const busy: Step = { tools: [bash('while [ ! -e .git/go ]; do sleep 0.05; done')] };
const commit = (file: string): Step => ({
  tools: [bash(`echo x > ${file} && git add -A && git commit -qm "Add ${file}"`)],
});
const go = (issue: Issue) => writeFileSync(stage.path(issue, '.git/go'), '');
const heardOf = (title: string) => stage.model.main.filter((request) => request.firstText().includes(title));
const refused = (path: RegExp) =>
  stage.github.requests.filter((request) => path.test(request.path) && request.status !== 200);
/** Every request of the API is answered with 503, and git's connections are cut. The returned function ends it. */
const goAway = () => {
  const mends = [
    stage.github.faults.add({ path: /\.git\//, reset: true }),
    stage.github.faults.add({ status: 503 }),
  ];
  return () => mends.map((mend) => mend());
};
const draftsOf = ({ number }: Issue) =>
  stage.pulls().filter(({ head }) => head.ref.startsWith(`issue-${number}`));
/** Everything answered once, without a word about trouble, on one pull request. */
const asIfNothingHadBeen = async (issue: Issue) => {
  await stage.until(`everything of #${issue.number} is done`, async () => {
    const { state, messages } = (await stage.thread(issue)) as {
      state: string;
      messages: { state: string }[];
    };
    return state === 'open' && messages.every((message) => message.state === 'done');
  });
  expect(stage.answers(issue)).toHaveLength(1);
  expect(stage.answers(issue)[0]).not.toMatch(/could not|unavailable|503/);
  expect(draftsOf(issue)).toHaveLength(1);
};

test('GitHub goes away for a while: what was being decided, prepared, published and answered ends as if nothing had been', async () => {
  stage.model.when('Deciding', [commit('decided.txt'), { text: 'Decided late.' }]);
  stage.model.when('Preparing', [commit('prepared.txt'), { text: 'Prepared late.' }]);
  stage.model.when('Publishing', [busy, commit('published.txt'), { text: 'Published late.' }]);
  stage.model.when('Answering', [busy, { text: 'Answered late.' }]);
  const publishing = await stage.openIssue({ title: 'Publishing' });
  const answering = await stage.openIssue({ title: 'Answering' });
  await stage.until('both are busy', () =>
    [publishing, answering].every(({ title }) => heardOf(title).length > 0),
  );

  let mend: (() => unknown) | null = null;
  const watch = stage.github.onRequest(({ request }) => {
    // Between the branch and the draft: the request arrives, and from then on nobody is there.
    if (request.method !== 'POST' || !request.path.endsWith('/pulls')) return;
    mend = goAway();
    watch();
    return 'drop';
  });
  const preparing = await stage.openIssue({ title: 'Preparing' });
  await stage.until('GitHub is away', () => mend);
  const deciding = await stage.openIssue({ title: 'Deciding' });
  for (const issue of [publishing, answering]) go(issue);
  await stage.until('each has met it', async () => {
    const rows = await (await stage.database()).query<{ number: number }>(
      `select number from threads where failures > 0 and state = 'open'`,
    );
    const met = new Set(rows.map(({ number }) => Number(number)));
    const waits = stage.output().includes('Not decided yet');
    return waits && [preparing, publishing, answering].every(({ number }) => met.has(number));
  });
  mend!();

  await stage.answered(deciding, 'Decided late.');
  await stage.answered(preparing, 'Prepared late.');
  await stage.answered(publishing, 'Published late.');
  await stage.answered(answering, 'Answered late.');
  for (const issue of [deciding, preparing, publishing, answering]) await asIfNothingHadBeen(issue);
  for (const [issue, file] of [
    [deciding, 'decided.txt'],
    [preparing, 'prepared.txt'],
    [publishing, 'published.txt'],
  ] as const)
    expect(await stage.repository.file(`issue-${issue.number}`, file)).toBe('x\n');
});

test('git alone is away, while the API answers: the turn waits for its work to be published', async () => {
  stage.model.when('Only git', [busy, commit('git.txt'), { text: 'Published in the end.' }]);
  const issue = await stage.openIssue({ title: 'Only git' });
  await stage.until('Claude is busy', () => heardOf('Only git').length > 0);
  const mend = stage.github.faults.add({ path: /\.git\//, status: 503 });
  go(issue);
  await stage.until('the push was refused', () => refused(/receive-pack/).length > 0);
  await stage.until('it is to be tried again', async () => (await stage.thread(issue)).failures !== 0);
  expect(stage.answers(issue).join()).not.toContain('could not');
  mend();
  await stage.answered(issue, 'Published in the end.');
  await asIfNothingHadBeen(issue);
  expect(await stage.repository.file(`issue-${issue.number}`, 'git.txt')).toBe('x\n');
});

test('rate limits are waited out as long as GitHub asks for', async () => {
  stage.model.when('Limited', [commit('limited.txt'), { text: 'In good time.' }]);
  const resetAt = new Date(Date.now() + 3_000);
  stage.github.faults.rateLimit({ resetAt, path: /^\/api\//, times: 2 });
  stage.github.faults.secondaryRateLimit({
    method: 'POST',
    path: /\/pulls$/,
    retryAfterSeconds: 2,
    times: 1,
  });
  stage.github.faults.secondaryRateLimit({ method: 'PATCH', path: /\/comments\//, status: 429, times: 1 });
  const began = stage.github.requests.length;
  const issue = await stage.openIssue({ title: 'Limited' });
  await stage.answered(issue, 'In good time.');
  await asIfNothingHadBeen(issue);
  const requests = stage.github.requests.slice(began);
  const limited = requests.filter(({ status }) => status === 403 || status === 429);
  expect(limited).toHaveLength(4);
  const posted = requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/pulls'));
  expect(posted.map(({ status }) => status)).toEqual([403, 201]);
  expect(posted[1]!.startedAt - posted[0]!.startedAt).toBeGreaterThanOrEqual(2_000);
});

test('every delivery comes twice and the comment before its issue: each is taken once', async () => {
  stage.model.when('Twice over', [busy, { text: 'Heard once.' }]);
  const { github } = stage;
  const twice = async (event: Awaited<ReturnType<typeof github.event.issues>>) => {
    const { guid } = await stage.deliver(event);
    const again = await stage.deliver(event, guid);
    expect([again.statusCode, JSON.parse(again.response.payload).status]).toEqual([202, 'duplicate']);
  };
  const issue = github.createIssue(stage.repository, {
    title: 'Twice over',
    body: 'Look.',
    author: 'octocat',
  });
  const comment = github.comment(issue, { author: 'octocat', body: 'The comment that came too soon.' });
  const late = await github.event.issues(issue);
  await twice(await github.event.issueComment(comment));
  await twice(late);
  // The same under another delivery's id, as a second hook would send it.
  await stage.deliver(late);
  await stage.until('Claude is busy', () => heardOf('Twice over').length > 0);
  const more = github.comment(issue, { author: 'octocat', body: 'And one that came in time.' });
  const event = await github.event.issueComment(more);
  await Promise.all([stage.deliver(event, 'a-guid-of-two'), stage.deliver(event, 'a-guid-of-two')]);
  await stage.until('it is said', async () => {
    const { messages } = (await stage.thread(issue)) as { messages: { state: string; composed: unknown }[] };
    return messages.length === 2 && messages.every(({ composed }) => composed !== null);
  });
  go(issue);
  await stage.answered(issue, 'Heard once.');
  await asIfNothingHadBeen(issue);
  expect(stage.timesHeard('The comment that came too soon.')).toBe(1);
  expect(stage.timesHeard('And one that came in time.')).toBe(1);
});
