import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import { createClient } from '../github/client.ts';
import { defaultPolicy } from '../github/retry.ts';
import { redactor } from '../words/redact.ts';
import type { Progress, Result } from '../words/result.ts';
import { type TrackingCommentOptions, trackingComment } from './comment.ts';
import { hidden, type Marker, readMarker } from './marker.ts';
import { type CommentState, longestComment } from './render.ts';

const github: LocalGitHub = await startGitHub();
await github.createRepository({ owner: 'octo-org', name: 'hello' });
const token = github.token({ login: 'claude[bot]', repositories: ['octo-org/hello'] });
const host = { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl: github.serverUrl };
const client = createClient(host, async () => token, { ...defaultPolicy, attempts: 2, firstDelayMs: 1 });
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});
beforeEach(() => {
  github.faults.clear();
  github.clearRequests();
  github.latencyMs = 0;
});

const marker: Marker = { workflow: 'Claude', job: 'claude', run: '42', attempt: '1' };
const says = (message: string): Progress => ({ status: 'in_progress', message });
const ended: Result = {
  conclusion: 'success',
  reason: '',
  summary: 'All done.',
  remedy: '',
  notes: [],
  sessionId: null,
  branch: null,
  pullRequestUrl: null,
  commentUrl: null,
  usage: null,
};

/** A tracking comment on an issue of its own. */
function tracked(changes: Partial<TrackingCommentOptions> & { issue?: ReturnType<typeof newIssue> } = {}) {
  const { issue = newIssue(), ...options } = changes;
  const told: { there: boolean; text: string; ended: boolean }[] = [];
  const comment = trackingComment({
    client,
    place: { owner: 'octo-org', repo: 'hello', number: issue.number, replyTo: null },
    state: stateOf(),
    redact: (text) => text,
    stickyFor: null,
    onState: (ref, state, ended) => told.push({ there: ref !== null, text: state.progress.message, ended }),
    ...options,
  });
  return { comment, issue, told };
}

const stateOf = (): CommentState => ({
  actor: 'octocat',
  startedAt: Date.now(),
  progress: says(''),
  jobUrl: null,
  branch: null,
  createPullRequestUrl: null,
  result: null,
  marker,
});
const newIssue = () => github.createIssue('octo-org/hello', { title: 'Help', author: 'mona' });
/** What a comment's body says between header and marker. */
const textOf = (body: string) => body.split('\n---\n')[1]?.split('\n<!--')[0]?.trim();
const patches = () => github.requests.filter(({ method }) => method === 'PATCH').length;

test('a task is told from its start to its end in one comment', async () => {
  const { comment, issue, told } = tracked();
  expect(comment.ref()).toBeNull();
  await comment.started();
  expect(comment.ref()).toMatchObject({ kind: 'issue_comment', id: issue.comments[0]!.id });
  await comment.progress(says('Looking.'));
  await comment.progress(says('Fixing.'));
  await comment.finished(ended);
  expect(issue.comments).toHaveLength(1);
  expect(issue.comments[0]!.history.map(({ body }) => textOf(body))).toEqual([
    '*Claude has not reported yet.*',
    'Looking.',
    'Fixing.',
    'Fixing.',
  ]);
  expect(issue.comments[0]!.body).toContain("✅ **Claude finished @octocat's task**");
  // Whoever finishes the comment when this process is killed knows of it before GitHub does, of each change, and of
  // the end only when it is shown.
  expect(told).toEqual([
    { there: false, text: '', ended: false },
    { there: true, text: '', ended: false },
    { there: true, text: 'Looking.', ended: false },
    { there: true, text: 'Fixing.', ended: false },
    { there: true, text: 'Fixing.', ended: false },
    { there: true, text: 'Fixing.', ended: true },
  ]);
});

test('what is learnt on the way is shown with the next change', async () => {
  const { comment, issue } = tracked();
  await comment.started();
  comment.learn({ branch: { name: 'claude/issue-1', url: 'http://127.0.0.1/tree/claude/issue-1' } });
  expect(patches()).toBe(0);
  await comment.progress(says('Looking.'));
  expect(issue.comments[0]!.body).toContain('[`claude/issue-1`](http://127.0.0.1/tree/claude/issue-1)');
});

test('a comment that is refreshed shows that its run lives, until the run has ended', async () => {
  const { comment, issue } = tracked({ refreshMs: 20 });
  await comment.started();
  await expect.poll(() => issue.comments[0]!.history.length).toBeGreaterThan(2);
  await comment.finished(ended);
  const { length } = issue.comments[0]!.history;
  const other = tracked({ refreshMs: 20 });
  await other.comment.started();
  await expect.poll(() => other.issue.comments[0]!.history.length).toBeGreaterThan(2);
  await other.comment.finished(ended);
  expect(issue.comments[0]!.history).toHaveLength(length);
});

test('reports that come faster than GitHub answers are sent one at a time, and the newest wins', async () => {
  const { comment, issue } = tracked();
  await comment.started();
  github.latencyMs = 200;
  const first = comment.progress(says('1'));
  await expect.poll(patches, { interval: 5 }).toBe(1);
  await Promise.all([first, ...['2', '3', '4'].map((text) => comment.progress(says(text)))]);
  expect(issue.comments[0]!.history.map(({ body }) => textOf(body)).slice(1)).toEqual(['1', '4']);
});

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
  'a report is not forgotten that comes %i ticks after GitHub took the one before',
  async (ticks) => {
    let second: Promise<void> | null = null;
    const rest: typeof client.rest = async (route, ...rest) => {
      const answer = await client.rest<never>(route, ...rest);
      if (route.startsWith('PATCH') && !second) {
        let tick = Promise.resolve();
        for (let i = 0; i < ticks; i += 1) tick = tick.then(() => {});
        second = tick.then(() => comment.progress(says('second')));
      }
      return answer;
    };
    const { comment, issue } = tracked({ client: { ...client, rest } });
    await comment.started();
    await comment.progress(says('first'));
    await second;
    expect(textOf(issue.comments[0]!.body)).toBe('second');
  },
);

test('reports before the comment exists wait for it', async () => {
  const { comment, issue } = tracked();
  const started = comment.started();
  await comment.progress(says('Early.'));
  await started;
  expect(issue.comments.map(({ body }) => textOf(body))).toEqual(['Early.']);
});

describe('when GitHub does not play along', () => {
  test('an update that fails does not hinder the next', async () => {
    const { comment, issue } = tracked();
    await comment.started();
    github.faults.add({ method: 'PATCH', status: 422, times: 1 });
    await expect(comment.progress(says('lost'))).rejects.toThrow();
    await comment.progress(says('shown'));
    expect(textOf(issue.comments[0]!.body)).toBe('shown');
  });

  test('a comment that could not be created at the start still shows the end', async () => {
    const { comment, issue, told } = tracked();
    const undo = github.faults.add({ method: 'POST', status: 403 });
    await expect(comment.started()).rejects.toMatchObject({ reason: 'github_auth' });
    await comment.progress(says('unseen'));
    expect(comment.ref()).toBeNull();
    undo();
    await comment.finished(ended);
    expect(issue.comments).toHaveLength(1);
    expect(issue.comments[0]!.body).toMatch(/✅[\s\S]*unseen/);
    expect(comment.ref()).not.toBeNull();
    expect(told.at(-1)).toEqual({ there: true, text: 'unseen', ended: true });
  });

  test('an end that GitHub does not take is an error, and nobody is told that it is shown', async () => {
    const { comment, told } = tracked();
    await comment.started();
    github.faults.add({ method: 'PATCH', status: 422 });
    await expect(comment.finished(ended)).rejects.toThrow();
    expect(told.some(({ ended }) => ended)).toBe(false);
  });
});

describe('one comment used again and again', () => {
  test('it is found over all pages, of the same workflow and job, and by our own login alone', async () => {
    const issue = newIssue();
    const by = (author: string, of: Marker) =>
      github.comment(issue, { author, body: `Old.\n\n${hidden(of)}` });
    const before = { ...marker, run: '1' };
    const others = [
      by('claude[bot]', { ...before, workflow: 'Review' }),
      by('claude[bot]', { ...before, job: 'review' }),
      by('mallory', before),
    ];
    const ours = by('claude[bot]', before);
    const continuation = by('claude[bot]', { ...before, part: 2 });
    for (let i = 0; i < 120; i += 1) github.comment(issue, { author: 'mona', body: `talk ${i}` });
    const count = issue.comments.length;

    const { comment } = tracked({ issue, stickyFor: 'claude[bot]' });
    await comment.started();
    await comment.finished(ended);
    expect(comment.ref()!.id).toBe(ours.id);
    expect(readMarker(ours.body)).toEqual(marker);
    expect(ours.body).toContain('All done.');
    expect(issue.comments).toHaveLength(count);
    for (const other of [...others, continuation]) expect(other.history).toHaveLength(1);
  });

  test('which it leaves to the run that is at work there', async () => {
    const issue = newIssue();
    const options = { issue, stickyFor: 'claude[bot]' };
    const state = { ...stateOf(), watched: true as const };
    const atWork = tracked({ ...options, state: { ...state, marker: { ...marker, run: '1' } } });
    await atWork.comment.started();
    const second = tracked({ ...options, state });
    await second.comment.started();
    expect(second.comment.ref()!.id).not.toBe(atWork.comment.ref()!.id);
    await atWork.comment.finished(ended);
    await second.comment.finished(ended);
    expect(issue.comments.map(({ body }) => readMarker(body)!.run)).toEqual(['1', '42']);
    // Of those that ended, the latest is used again.
    const third = tracked({ ...options, state });
    await third.comment.started();
    expect(third.comment.ref()!.id).toBe(second.comment.ref()!.id);
    await third.comment.finished(ended);
  });

  test("text that quotes the mark of another workflow does not make the comment that workflow's", async () => {
    const issue = newIssue();
    const release = { ...marker, workflow: 'Release' };
    const first = tracked({ issue, stickyFor: 'claude[bot]' });
    await first.comment.started();
    await first.comment.progress(says(`Look: ${hidden(release)}`));
    const second = tracked({
      issue,
      stickyFor: 'claude[bot]',
      state: {
        actor: 'mona',
        startedAt: Date.now(),
        progress: says(''),
        jobUrl: null,
        branch: null,
        createPullRequestUrl: null,
        result: null,
        marker: release,
      },
    });
    await second.comment.started();
    expect(issue.comments).toHaveLength(2);
  });

  test('without an earlier one a new one is made', async () => {
    const { comment, issue } = tracked({ stickyFor: 'claude[bot]' });
    await comment.started();
    expect(issue.comments).toHaveLength(1);
  });
});

describe('texts longer than a comment may be', () => {
  const long = Array.from({ length: 9_000 }, (_, i) => `line ${i}`)
    .join('\n')
    .padEnd(150_000, '\nmore words');

  test('go on in further comments at the end, whole and in order', async () => {
    const { comment, issue } = tracked();
    await comment.started();
    await comment.progress(says(long));
    expect(issue.comments).toHaveLength(1);
    await comment.finished(ended);
    expect(issue.comments.length).toBeGreaterThan(2);
    for (const { body } of issue.comments) expect(body.length).toBeLessThanOrEqual(longestComment);
    expect(issue.comments.map(({ body }) => readMarker(body)!.part)).toEqual(
      issue.comments.map((_, index) => (index === 0 ? undefined : index + 1)),
    );
    const shown = issue.comments.flatMap(({ body }) => body.match(/^(line \d+|more words)$/gm) ?? []);
    expect(shown).toEqual(long.split('\n').filter((line) => /^(line \d+|more words)$/.test(line)));
  });

  test('a continuation whose answer is lost is not doubled', async () => {
    const { comment, issue } = tracked();
    await comment.started();
    await comment.progress(says('word\n'.repeat(15_000)));
    github.faults.add({ method: 'POST', after: true, times: 1, reset: true });
    await comment.finished(ended);
    expect(issue.comments).toHaveLength(2);
  });
});

test('no secret is shown, also not in halves where a text is split', async () => {
  const secret = 'hunter2-'.repeat(20);
  const { comment, issue } = tracked({ redact: redactor([secret]) });
  await comment.started();
  // Wherever the text is split, it is split in the middle of a secret.
  await comment.progress(says(`${secret} `.repeat(1_000)));
  await comment.finished({
    ...ended,
    conclusion: 'failure',
    reason: 'internal',
    summary: `Failed with ${secret}`,
  });
  const all = issue.comments.flatMap(({ history }) => history.map(({ body }) => body)).join('\n');
  expect(all).toContain('*** *** ***');
  expect(all).not.toContain('hunter2');
});
