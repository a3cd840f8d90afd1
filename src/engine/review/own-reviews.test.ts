/** What the prompt is told of earlier reviews: only of our own, and only what their marks and GitHub say. */
import { expect, test } from 'vitest';
import { comment, pullRequest, review, reviewThread, thread } from '../../../test/contract/prompt-samples.ts';
import { hidden } from '../../report/marker.ts';
import type { PullRequestFacts, ReviewThread } from '../../words/thread.ts';
import { ownReviews } from './own-reviews.ts';

const viewer = { login: 'claude[bot]' };
const [first, last, gone] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const marked = (head?: string) =>
  `Text.\n\n${hidden({ workflow: 'w', job: 'j', run: '1', attempt: '1', review: 'r', head })}`;
const ours = (id: number) => comment(id, { author: viewer, body: marked() });
const commit = (sha: string) => ({
  sha,
  headline: '',
  author: 'octocat',
  committedAt: '2026-03-01T10:00:00Z',
});

const of = (facts: Partial<PullRequestFacts>) => {
  const head = { ref: 'topic', sha: last, repository: null };
  const commits = [commit(first), commit(last)];
  const seen = thread({ kind: 'pull_request', pullRequest: pullRequest({ head, commits, ...facts }) });
  return ownReviews({ thread: seen, viewer });
};
const by = (login: string, head?: string) => review(60, { author: { login }, body: marked(head) });

test.each<[string, Partial<PullRequestFacts>, unknown]>([
  ['none', { reviews: [] }, null],
  ['of somebody who copied our mark', { reviews: [by('mallory', first)] }, null],
  ['by our login and another program', { reviews: [review(60, { author: viewer, body: 'x' })] }, null],
  ['commits since', { reviews: [by('claude[bot]', first)] }, { head: first, since: 'commits' }],
  [
    'nothing since',
    { reviews: [by('claude[bot]', first), by('claude[bot]', last)] },
    { head: last, since: 'nothing' },
  ],
  ['a force-push since', { reviews: [by('claude[bot]', gone)] }, { head: gone, since: 'rewritten' }],
  ['a mark without its commit', { reviews: [by('claude[bot]', 'main; rm -rf /')] }, undefined],
])('reviewed before: %s', (_, facts, reviewed) => {
  if (reviewed === null) expect(of(facts)).toBeNull();
  else expect(of(facts)).toEqual({ reviewed: reviewed ?? null, threads: [] });
});

test('threads by what became of them, under the numbers that the prompt gives them', () => {
  const made = (comments: ReviewThread['comments'][number][] | ReturnType<typeof ours>[], more = {}) => ({
    ...reviewThread(comments, 60),
    ...more,
  });
  const reviewThreads = [
    made([comment(61, { author: { login: 'monalisa' }, body: marked() })]),
    made([ours(62)]),
    made([ours(63)], { outdated: true }),
    made([ours(64), comment(65, { author: { login: 'octocat' } })], { outdated: true }),
    made([ours(66), ours(67)], { resolved: true }),
  ];
  expect(of({ reviewThreads })).toEqual({
    reviewed: null,
    threads: [
      { number: 2, state: 'open' },
      { number: 3, state: 'outdated' },
      { number: 4, state: 'answered' },
      { number: 5, state: 'resolved' },
    ],
  });
});
