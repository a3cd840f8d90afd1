/** The trigger's view of a thread, as tables. */
import { describe, expect, test } from 'vitest';
import type { Item } from '../words/event.ts';
import type { PullRequestFacts, Thread, ThreadComment } from '../words/thread.ts';
import { type FilterInput, filterThread } from './filter.ts';

const at = (time: string) => `2026-03-01T${time}Z`;
const triggeredAt = at('12:00:00');

const comment = (id: number, more: Partial<ThreadComment> = {}): ThreadComment => ({
  id,
  author: { login: 'octocat' },
  authorAssociation: 'NONE',
  body: `comment ${id}`,
  createdAt: at('10:00:00'),
  editedAt: null,
  url: `https://github.com/octo-org/hello/issues/7#issuecomment-${id}`,
  ...more,
});

const thread = (comments: ThreadComment[], pullRequest: PullRequestFacts | null = null): Thread => ({
  kind: pullRequest ? 'pull_request' : 'issue',
  number: 7,
  nodeId: 'I_7',
  title: 'title now',
  body: 'body now',
  author: { login: 'octocat' },
  authorAssociation: 'NONE',
  state: 'open',
  labels: [],
  assignees: [],
  milestone: null,
  createdAt: at('09:00:00'),
  url: 'https://github.com/octo-org/hello/issues/7',
  comments,
  pullRequest,
  leftOut: [],
  defaultBranch: { name: 'main', sha: null },
});

const facts = (more: Partial<PullRequestFacts>): PullRequestFacts => ({
  base: { ref: 'main', sha: 'b' },
  head: { ref: 'topic', sha: 'c3', repository: 'octo-org/hello' },
  fork: false,
  maintainerCanModify: false,
  draft: false,
  merged: false,
  additions: 0,
  deletions: 0,
  commits: ['c1', 'c2', 'c3'].map((sha, hour) => ({
    sha,
    headline: sha,
    author: 'octocat',
    committedAt: at(`${10 + hour}:30:00`),
  })),
  commitCount: 3,
  files: [{ path: 'a.ts', change: 'ADDED', additions: 1, deletions: 0 }],
  reviews: [],
  reviewThreads: [],
  linkedIssues: [],
  checks: null,
  ...more,
});

const item = (kind: Item['kind'], more: Partial<Item> = {}): Item => ({
  kind,
  id: 50,
  author: { login: 'monalisa' },
  authorAssociation: 'OWNER',
  body: '@claude fix this',
  htmlUrl: 'https://github.com/octo-org/hello/issues/7#issuecomment-50',
  createdAt: triggeredAt,
  ...more,
});

const view = (whole: Thread, more: Partial<FilterInput> = {}) =>
  filterThread({
    thread: whole,
    viewer: { login: 'claude[bot]' },
    minimised: new Set(),
    task: { subject: null, trigger: { kind: 'mention', item: item('issue_comment') }, triggeredAt },
    include: [],
    exclude: [],
    trackingCommentId: null,
    ...more,
  });

const mention = (trigger: Item): FilterInput['task'] => ({
  subject: null,
  trigger: { kind: 'mention', item: trigger },
  triggeredAt,
});
const label: FilterInput['task'] = {
  subject: null,
  trigger: { kind: 'label', label: 'claude' },
  triggeredAt,
};

describe('by time', () => {
  test.each<[string, Partial<ThreadComment>, string | null]>([
    ['an earlier comment stays', { createdAt: at('11:59:59') }, null],
    ['a later comment goes', { createdAt: at('12:00:01') }, 'written after the trigger'],
    ['edited before: stays', { editedAt: at('11:59:59') }, null],
    [
      'a comment edited after the maintainer’s mention goes',
      { editedAt: at('12:00:01') },
      'edited after the trigger',
    ],
    ['edited in the very second: goes', { editedAt: triggeredAt }, 'edited after the trigger'],
    ['written in the very second, smaller id: stays', { createdAt: triggeredAt, id: 49 }, null],
    [
      'written in the very second, larger id: goes',
      { createdAt: triggeredAt, id: 51 },
      'written after the trigger',
    ],
    ['milliseconds do not matter', { createdAt: '2026-03-01T12:00:00.900Z', id: 49 }, null],
    ['an unreadable time goes', { createdAt: 'soon' }, 'written after the trigger'],
    ['an unreadable edit goes', { editedAt: 'soon' }, 'edited after the trigger'],
  ])('%s', (_, more, why) => {
    const seen = view(thread([comment(1, more)]));
    expect(seen.comments.map(({ id }) => id)).toEqual(why ? [50] : [more.id ?? 1, 50]);
    expect(seen.leftOut).toEqual(why ? [{ what: 'comments', count: 1, why }] : []);
  });

  test('in the second of a label no comment is known to be earlier', () => {
    expect(view(thread([comment(49, { createdAt: triggeredAt })]), { task: label }).comments).toEqual([]);
  });

  test('an event without a time cuts nothing', () => {
    const task = { ...label, triggeredAt: null };
    expect(view(thread([comment(1, { createdAt: at('23:00:00') })]), { task }).comments).toHaveLength(1);
  });

  test('title and body are the event’s', () => {
    const subject = { title: 'title then', body: 'body then' } as FilterInput['task']['subject'];
    expect(view(thread([]), { task: { ...label, subject } })).toMatchObject(subject!);
  });
});

describe('the triggering item', () => {
  test('has the event’s text, whatever happened to it since', () => {
    const swapped = comment(50, { body: 'swapped', createdAt: triggeredAt, editedAt: at('12:05:00') });
    const seen = view(thread([comment(1), swapped]), { exclude: ['*'], minimised: new Set([swapped.url]) });
    expect(seen.comments).toMatchObject([{ id: 50, body: '@claude fix this' }]);
  });

  test('is there although GitHub does not list it (yet, or any more)', () => {
    expect(view(thread([comment(1)])).comments.map(({ id }) => id)).toEqual([1, 50]);
  });

  test('a review comes with all its inline comments, and the later ones of others do not', () => {
    const inline = (id: number, reviewId: number, createdAt: string) => ({
      ...comment(id, { createdAt }),
      reviewId,
    });
    const reviewThread = (comments: ReturnType<typeof inline>[]) => ({
      path: 'a.ts',
      line: 1,
      startLine: null,
      diffHunk: '@@',
      resolved: false,
      outdated: false,
      comments,
    });
    const pullRequest = facts({
      reviews: [
        { ...comment(50, { createdAt: triggeredAt }), state: 'CHANGES_REQUESTED' },
        { ...comment(60, { createdAt: at('11:00:00') }), state: 'PENDING' },
      ],
      reviewThreads: [
        reviewThread([
          inline(1, 50, triggeredAt),
          inline(2, 50, at('12:00:02')),
          inline(3, 51, at('12:00:02')),
        ]),
        reviewThread([inline(4, 60, at('11:00:00'))]),
      ],
    });
    const seen = view(thread([], pullRequest), {
      task: mention(item('review', { body: '@claude all of these' })),
    });
    expect(seen.pullRequest!.reviews).toMatchObject([
      { id: 50, body: '@claude all of these', state: 'CHANGES_REQUESTED' },
    ]);
    expect(seen.pullRequest!.reviewThreads.map((one) => one.comments.map(({ id }) => id))).toEqual([[1, 2]]);
    expect(seen.leftOut).toEqual([{ what: 'review comments', count: 1, why: 'written after the trigger' }]);
  });

  test.each<[string, Partial<Item>, number[][]]>([
    ['a reply joins its thread', { inReplyToId: 1 }, [[1, 50]]],
    ['the first comment of a thread opens one', { path: 'b.ts', line: 4 }, [[1], [50]]],
  ])('%s', (_, more, ids) => {
    const first = { ...comment(1), reviewId: null };
    const reviewThreads = [
      {
        path: 'a.ts',
        line: 1,
        startLine: null,
        diffHunk: '@@',
        resolved: false,
        outdated: false,
        comments: [first],
      },
    ];
    const seen = view(thread([], facts({ reviewThreads })), { task: mention(item('review_comment', more)) });
    expect(seen.pullRequest!.reviewThreads.map((one) => one.comments.map(({ id }) => id))).toEqual(ids);
  });
});

describe('by author and by hand', () => {
  test.each<[string, string[], string[], string[]]>([
    ['no lists: everybody', [], [], ['octocat', 'hubot', 'dependabot[bot]']],
    ['include', ['OctoCat'], [], ['octocat']],
    ['exclude bots', [], ['*[bot]'], ['octocat', 'hubot']],
    ['exclude wins', ['*'], ['hubot'], ['octocat', 'dependabot[bot]']],
  ])('%s', (_, include, exclude, logins) => {
    const comments = ['octocat', 'hubot', 'dependabot[bot]'].map((login, i) =>
      comment(i, { author: { login } }),
    );
    const seen = view(thread(comments), { task: label, include, exclude });
    expect(seen.comments.map(({ author }) => author.login)).toEqual(logins);
    const count = 3 - logins.length;
    expect(seen.leftOut).toEqual(count ? [{ what: 'comments', count, why: 'excluded by author' }] : []);
  });

  test('minimised comments go', () => {
    const hidden = comment(1);
    const seen = view(thread([hidden]), { task: label, minimised: new Set([hidden.url]) });
    expect([seen.comments, seen.leftOut]).toEqual([[], [{ what: 'comments', count: 1, why: 'minimised' }]]);
  });
});

describe('our own tracking comments', () => {
  const own = { author: { login: 'claude[bot]' }, body: '<!-- forgehand run=1 -->\nDone.' };

  test.each<[string, ThreadComment, number]>([
    ['an earlier run’s stays', comment(1, own), 1],
    ['this run’s goes', comment(9, own), 0],
    ['one that was begun since goes', comment(2, { ...own, createdAt: at('12:00:01') }), 0],
    ['a forged marker of somebody else is a comment like any other', comment(9, { body: own.body }), 1],
  ])('%s', (_, tracking, count) => {
    const seen = view(thread([tracking]), { task: label, trackingCommentId: 9 });
    expect(seen.comments).toHaveLength(count);
    expect(seen.leftOut).toEqual([]);
  });
});

describe('the head is pinned', () => {
  const head = (sha: string) => ({ subject: { head: { sha } } as FilterInput['task']['subject'] });

  test.each<[string, string, string[], [string, number][]]>([
    ['the event’s head is the head', 'c3', ['c1', 'c2', 'c3'], []],
    ['a later push', 'c2', ['c1', 'c2'], [['pushed after the trigger', 1]]],
    ['a force-push', 'x9', [], [['of a branch that was rewritten after the trigger', 3]]],
  ])('%s', (_, sha, commits, causes) => {
    const seen = view(thread([], facts({})), { task: { ...label, ...head(sha) } });
    expect(seen.pullRequest!.head.sha).toBe(sha);
    expect(seen.pullRequest!.commits.map((commit) => commit.sha)).toEqual(commits);
    expect(
      seen.leftOut.filter(({ what }) => what === 'commits').map(({ why, count }) => [why, count]),
    ).toEqual(causes);
    expect(seen.pullRequest!.files).toHaveLength(causes.length ? 0 : 1);
  });
});

test('what checks say of a later commit is not what they say of the pinned one', () => {
  const subject = { head: { sha: 'c2' } } as FilterInput['task']['subject'];
  const seen = view(thread([], facts({ checks: { state: 'SUCCESS', list: [] } })), {
    task: { ...label, subject },
  });
  expect(seen.pullRequest!.checks).toBeNull();
  expect(seen.leftOut).toContainEqual({ what: 'check results', count: 1, why: 'of a later commit' });
});

describe('commits that are younger than the request, where the event does not say what the head was', () => {
  test.each<[string, FilterInput['task'], (boolean | undefined)[]]>([
    ['a comment does not say it: they are marked', label, [undefined, undefined, true]],
    ['no moment: nothing is known', { ...label, triggeredAt: null }, [undefined, undefined, undefined]],
  ])('%s', (_, task, late) => {
    const seen = view(thread([], facts({})), { task });
    expect(seen.pullRequest!.commits.map((commit) => commit.late)).toEqual(late);
  });
});

describe('linked issues', () => {
  const body = 'Closes #3.';
  const subject = { title: 'title then', body } as FilterInput['task']['subject'];
  const linkedIssues = [
    { number: 3, title: 'Wanted' },
    { number: 4, title: 'Planted' },
  ];

  test.each<[string, string | null, number[]]>([
    ['never edited: all', null, [3, 4]],
    ['edited before the trigger: all', at('11:59:59'), [3, 4]],
    ['edited in its second: those that the event names', triggeredAt, [3]],
    ['edited later: those that the event names', at('12:00:01'), [3]],
  ])('of a description that was %s', (_, editedAt, numbers) => {
    const seen = view({ ...thread([], facts({ linkedIssues })), editedAt }, { task: { ...label, subject } });
    expect(seen.pullRequest!.linkedIssues.map(({ number }) => number)).toEqual(numbers);
    expect(seen.leftOut).toEqual(
      numbers.length < 2
        ? [{ what: 'linked issues', count: 1, why: 'named by an edit after the trigger' }]
        : [],
    );
  });

  test.each<[string, string, string]>([
    ['renamed before the trigger: as now', at('11:59:59'), 'Now'],
    ['renamed in its second: as before', triggeredAt, 'Before'],
    ['renamed later: as before', at('12:00:01'), 'Before'],
  ])('%s', (_, moment, title) => {
    const formerTitles = [
      { title: 'Once', at: at('08:00:00') },
      { title: 'Before', at: moment },
    ];
    const renamed = { number: 3, title: 'Now', formerTitles };
    const whole = { ...thread([], facts({ linkedIssues: [renamed] })), ...renamed };
    const seen = view(whole, { task: label });
    expect(seen.pullRequest!.linkedIssues).toEqual([{ number: 3, title }]);
    // So is a thread of which no event brought the title.
    expect(seen.title).toBe(title);
  });
});

describe('the description of a thread that no event brought', () => {
  test.each<[string, string | null, string, number]>([
    ['never edited: stays', null, 'body now', 0],
    ['edited before: stays', at('11:59:59'), 'body now', 0],
    ['edited after the trigger: goes', at('12:00:01'), '', 1],
  ])('%s', (_, editedAt, body, count) => {
    const seen = view({ ...thread([]), editedAt }, { task: label });
    expect(seen.body).toBe(body);
    expect(seen.leftOut.filter(({ what }) => what === 'description')).toHaveLength(count);
  });
});
