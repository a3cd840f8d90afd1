import { expect, test } from 'vitest';
import type { Config } from '../words/config.ts';
import type { GitHubEvent, Item, Subject } from '../words/event.ts';
import { comment, configWith, eventWith, issue, itself } from './given.fixture.ts';
import { detectMode } from './mode.ts';

type Parts = Partial<GitHubEvent>;
type Settings = Partial<Config>;

const pull = { ...issue, kind: 'pull_request' as const };
const call = { ...comment, body: '@claude fix it' };
const go = { prompt: 'Go' };
const goOn = { prompt: 'Go', trackProgress: true };

const about = (name: string): Subject => (name === 'issues' ? issue : pull);
const on = (name: string, action: string, more: Parts = {}): Parts => ({
  name,
  action,
  subject: about(name),
  ...more,
});
const without = (name: string, more: Parts = {}): Parts => ({ name, action: null, subject: null, ...more });
const dispatched = (clientPayload: Record<string, unknown>) =>
  without('repository_dispatch', { clientPayload });
const assigned = (login: string, name = 'issues') => on(name, 'assigned', { assignee: { login } });
const labeled = (label: string, name = 'issues') => on(name, 'labeled', { label });
const opened = (name: string, text: { title?: string; body?: string }) =>
  on(name, 'opened', itself(about(name), text));
const edited = (name: string, text: { title?: string; body?: string }, former: Parts) =>
  on(name, 'edited', { ...itself(about(name), text), ...former });
const reviewed = (action: string, more: Partial<Item> = {}, former: Parts = {}) =>
  on('pull_request_review', action, { item: { ...call, kind: 'review', ...more }, ...former });
const remarked = (action: string, former: Parts = {}) =>
  on('pull_request_review_comment', action, { item: { ...call, kind: 'review_comment' }, ...former });

test.each<[number, string, Parts, Settings]>([
  [1, 'prompt and progress on a comment', { item: comment }, goOn],
  [1, 'prompt and progress beat a mention', { item: call }, goOn],
  [1, 'prompt and progress on a push to a pull request', on('pull_request', 'synchronize'), goOn],
  [1, 'prompt and progress on an edited issue', on('issues', 'edited'), goOn],
  [2, 'prompt on a comment', { item: comment }, go],
  [2, 'prompt beats a mention', { item: call }, go],
  [2, 'prompt on a deleted comment', { action: 'deleted', item: comment }, go],
  [2, 'prompt and progress without a subject', without('push'), goOn],
  [2, 'prompt on a schedule', without('schedule'), go],
  [2, 'prompt on an event nobody knows', without('brand_new'), go],
  [2, 'prompt beats a dispatched task', dispatched({ description: 'x' }), go],
  [3, 'a description', dispatched({ description: 'x' }), {}],
  [3, 'a description that is null', dispatched({ description: null }), {}],
  [3, 'an endpoint', dispatched({ progress_endpoint: '' }), {}],
  [4, 'assignment', assigned('claude-dev'), { assigneeTrigger: 'claude-dev' }],
  [4, 'assignment with @', assigned('claude-dev'), { assigneeTrigger: '@claude-dev' }],
  [4, 'assignment in other letters', assigned('Claude-Dev'), { assigneeTrigger: 'claude-DEV' }],
  [4, 'assigned pull request', assigned('bob', 'pull_request'), { assigneeTrigger: 'bob' }],
  [4, 'assigned pull request target', assigned('bob', 'pull_request_target'), { assigneeTrigger: 'bob' }],
  [5, 'label', labeled('claude'), {}],
  [5, 'label in other letters', labeled('Claude'), { labelTrigger: 'CLAUDE' }],
  [5, 'labeled pull request', labeled('claude', 'pull_request'), {}],
  [5, 'labeled pull request target', labeled('claude', 'pull_request_target'), {}],
  [6, 'comment', { item: call }, {}],
  [6, 'comment with another phrase', { item: { ...comment, body: '/ai go' } }, { triggerPhrase: '/ai' }],
  [6, 'progress alone changes nothing', { item: call }, { trackProgress: true }],
  [6, 'blank prompt is none', { item: call }, { prompt: ' \n' }],
  [6, 'review', reviewed('submitted'), {}],
  [6, 'review comment', remarked('created'), {}],
  [6, 'body of an opened issue', opened('issues', { body: '@claude' }), {}],
  [6, 'title of an opened issue', opened('issues', { title: '@claude fix' }), {}],
  [6, 'body of an opened pull request', opened('pull_request', { body: '@claude' }), {}],
  [6, 'title of an opened pull request', opened('pull_request', { title: '@claude' }), {}],
  [6, 'opened pull request target', opened('pull_request_target', { body: '@claude' }), {}],
  [6, 'comment that gained the mention', { action: 'edited', item: call, formerBody: 'fix it' }, {}],
  [6, 'comment whose mention was code', { action: 'edited', item: call, formerBody: '`@claude` fix it' }, {}],
  [6, 'review that gained the mention', reviewed('edited', {}, { formerBody: '' }), {}],
  [6, 'review comment that gained it', remarked('edited', { formerBody: '' }), {}],
  [6, 'issue body that gained it', edited('issues', { body: '@claude' }, { formerBody: '' }), {}],
  [6, 'issue title that gained it', edited('issues', { title: '@claude' }, { formerTitle: 'Login' }), {}],
  [6, 'pull request that gained it', edited('pull_request', { body: '@claude' }, { formerBody: '' }), {}],
])('row %i: %s', (row, _, parts, settings) => {
  const mode = row === 2 || row === 3 ? 'agent' : 'tag';
  const decided = detectMode(eventWith(parts), configWith(settings));
  expect(decided).toEqual({ mode, row, why: expect.stringMatching(/^.+\.$/) });
});

/** As GitHub's documentation lists them, but for those of the rows above. */
const actions: Record<string, string> = {
  issues:
    'opened edited deleted transferred pinned unpinned closed reopened assigned unassigned labeled unlabeled locked unlocked milestoned demilestoned typed untyped',
  issue_comment: 'created edited deleted',
  pull_request:
    'assigned unassigned labeled unlabeled opened edited closed reopened synchronize converted_to_draft locked unlocked enqueued dequeued milestoned demilestoned ready_for_review review_requested review_request_removed auto_merge_enabled auto_merge_disabled',
  pull_request_target: 'opened synchronize labeled closed',
  pull_request_review: 'submitted edited dismissed',
  pull_request_review_comment: 'created edited deleted',
};

test.each(
  Object.entries(actions).flatMap(([name, all]) => all.split(' ').map((action) => [name, action] as const)),
)('progress with a prompt takes `%s` with action `%s`', (name, action) => {
  expect(detectMode(eventWith(on(name, action)), configWith(goOn))).toMatchObject({ mode: 'tag', row: 1 });
});

const old = { subject: { ...issue, title: '@claude', body: '@claude' } };

test.each<[string, Parts, Settings, string]>([
  ['comment without mention', { item: comment }, {}, 'does not mention `@claude`'],
  ['mention in a quote only', { item: { ...comment, body: '> @claude' } }, {}, 'does not mention'],
  ['progress without prompt', { item: comment }, { trackProgress: true }, 'does not mention'],
  ['title and body of the issue are no part of a comment', { item: comment, ...old }, {}, 'does not mention'],
  ['edit that kept it', { action: 'edited', item: call, formerBody: 'hey @claude' }, {}, 'edit did not add'],
  [
    'edit that removed it',
    { action: 'edited', item: comment, formerBody: '@claude' },
    {},
    'edit did not add',
  ],
  ['edit of something else', { action: 'edited', item: call }, {}, 'edit did not add'],
  [
    'new title for an issue that had called before',
    edited('issues', { title: '@claude', body: '@claude' }, { formerTitle: 'Login' }),
    {},
    'edit did not add',
  ],
  ['review without words', reviewed('submitted', { body: '' }), {}, 'does not mention'],
  ['opened without mention', opened('issues', {}), {}, 'does not mention'],
  ['another label', labeled('bug'), {}, 'label is not `claude`'],
  ['another label on an issue that mentions', { ...labeled('bug'), ...old }, {}, 'label is not'],
  ['a label that is gone', on('issues', 'labeled'), {}, 'label is not'],
  ['assigned to another', assigned('bob'), { assigneeTrigger: '@amy' }, 'not assigned to `amy`'],
])('not mentioned: %s', (_, parts, settings, why) => {
  const decided = detectMode(eventWith(parts), configWith(settings));
  expect(decided).toEqual({ mode: null, reason: 'not_mentioned', why: expect.stringContaining(why) });
});

test.each<[string, Parts, Settings, string]>([
  ['deleted comment', { action: 'deleted', item: call }, {}, '`deleted`'],
  ['dismissed review', reviewed('dismissed'), {}, '`dismissed`'],
  ['closed with a mention in the old text', { ...on('issues', 'closed'), ...old }, {}, '`closed`'],
  ['reopened with a mention in the old text', { ...on('issues', 'reopened'), ...old }, {}, '`reopened`'],
  ['push to a pull request', on('pull_request', 'synchronize'), {}, '`synchronize`'],
  ['unlabeled', on('issues', 'unlabeled', { label: 'claude' }), {}, '`unlabeled`'],
  ['unassigned', on('issues', 'unassigned'), { assigneeTrigger: 'amy' }, '`unassigned`'],
  ['a label of a discussion', without('discussion', { action: 'labeled', label: 'claude' }), {}, 'only with'],
  ['a dispatch of something else', dispatched({ task: 'x' }), {}, 'neither `description`'],
  ['inherited keys', dispatched(Object.create({ description: 'x' })), {}, 'neither `description`'],
  ['a schedule', without('schedule'), {}, '`schedule` runs only with a `prompt`'],
  ['a push', without('push'), {}, '`push` runs only with a `prompt`'],
  ['an event called like a member of Object', without('constructor'), {}, 'only with a `prompt`'],
])('unsupported: %s', (_, parts, settings, why) => {
  const decided = detectMode(eventWith(parts), configWith(settings));
  expect(decided).toEqual({ mode: null, reason: 'unsupported_event', why: expect.stringContaining(why) });
});

test.each<[string, Parts, Settings, string]>([
  ['assigned, with nobody to look for', assigned('bob'), {}, '`assignee_trigger` is not set'],
  ['labeled, with nothing to look for', labeled('x'), { labelTrigger: null }, '`label_trigger` is not set'],
])('switched off: %s', (_, parts, settings, why) => {
  const decided = detectMode(eventWith(parts), configWith(settings));
  expect(decided).toEqual({ mode: null, reason: 'switched_off', why: expect.stringContaining(why) });
});
