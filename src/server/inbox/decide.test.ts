import { describe, expect, test } from 'vitest';
import { comment, configWith, eventWith, issue, itself } from '../../trigger/given.fixture.ts';
import type { GitHubEvent, Item, Subject } from '../../words/event.ts';
import { type Known, type KnownThread, permitted, planDelivery } from './decide.ts';
import { decidedByPayload, type InboxSettings } from './payload-decision.ts';

const none: Known = { thread: null, message: null, overtaken: { deleted: false, closed: false } };
const thread: KnownThread = {
  key: 'octo-org/octo-repo#42',
  kind: 'issue',
  number: 42,
  pullNumber: 50,
  state: 'open',
};
const settings = (changes: Partial<Omit<InboxSettings, 'engine'>> = {}, engine = {}): InboxSettings => ({
  engine: configWith(engine),
  trigger: ['opened'],
  prFeedback: true,
  ...changes,
});
const says = (body: string, parts: Partial<GitHubEvent> = {}) =>
  eventWith({ item: { ...comment, body }, ...parts });
const opened = (text: { title?: string; body?: string } = {}, subject: Partial<Subject> = {}) =>
  eventWith({
    name: 'issues',
    action: 'opened',
    sender: issue.author,
    ...itself({ ...issue, ...subject }, text),
  });
const pull: Subject = { ...issue, kind: 'pull_request', number: 50 };
const bot = { login: 'helper[bot]', type: 'Bot' };

describe('what the payload alone decides', () => {
  const all = settings({ trigger: ['opened', 'mention', 'label', 'assign'] }, { assigneeTrigger: 'helper' });
  test.each<[string, GitHubEvent, InboxSettings, string | null]>([
    ['ping', eventWith({ name: 'ping', action: null }), settings(), 'unsupported_event'],
    ['push', eventWith({ name: 'push', action: null, subject: null }), settings(), 'unsupported_event'],
    ['pinned', eventWith({ name: 'issues', action: 'pinned' }), settings(), 'unsupported_event'],
    [
      'synchronize',
      eventWith({ name: 'pull_request', action: 'synchronize' }),
      settings(),
      'unsupported_event',
    ],
    ['a new issue', opened(), settings(), null],
    ['a new issue, only mentions wanted', opened(), settings({ trigger: ['mention'] }), 'not_mentioned'],
    ['a mention in a new issue', opened({ body: '@claude fix' }), settings({ trigger: ['mention'] }), null],
    [
      'the same, only labels wanted',
      opened({ body: '@claude fix' }),
      settings({ trigger: ['label'] }),
      'switched_off',
    ],
    ['a new issue, only labels wanted', opened(), settings({ trigger: ['label'] }), 'switched_off'],
    [
      'the label',
      eventWith({ name: 'issues', action: 'labeled', label: 'Claude' }),
      settings({ trigger: ['label'] }),
      null,
    ],
    [
      'the label, not wanted',
      eventWith({ name: 'issues', action: 'labeled', label: 'claude' }),
      settings(),
      'switched_off',
    ],
    ['another label', eventWith({ name: 'issues', action: 'labeled', label: 'bug' }), all, 'not_mentioned'],
    [
      'the assignment',
      eventWith({ name: 'issues', action: 'assigned', assignee: { login: 'Helper' } }),
      all,
      null,
    ],
    [
      'another assignment',
      eventWith({ name: 'issues', action: 'assigned', assignee: { login: 'octocat' } }),
      all,
      'not_mentioned',
    ],
    ['a comment: there may be a session', says('Me too.'), settings(), null],
    ["a bot's comment", says('Hello.', { item: { ...comment, author: bot } }), settings(), 'not_permitted'],
    [
      "a listed bot's comment",
      says('Hello.', { item: { ...comment, author: bot } }),
      settings({}, { allowedBots: ['helper'] }),
      null,
    ],
    ['a bot closes', eventWith({ name: 'issues', action: 'closed', sender: bot }), settings(), null],
    [
      'an approval without words',
      eventWith({ name: 'pull_request_review', action: 'submitted', subject: pull, item: review('') }),
      settings(),
      'not_mentioned',
    ],
    [
      'a review with words',
      eventWith({
        name: 'pull_request_review',
        action: 'submitted',
        subject: pull,
        item: review('Rename it.'),
      }),
      settings(),
      null,
    ],
    [
      'a pull request whose base was changed',
      eventWith({ name: 'pull_request', action: 'edited', subject: pull }),
      all,
      'not_mentioned',
    ],
    ['no issue in it', eventWith({ subject: null, item: comment }), settings(), 'invalid_input'],
  ])('%s', (_, event, given, reason) => {
    expect(decidedByPayload(event, given, null)?.reason ?? null).toBe(reason);
  });

  test('what our own App did is never answered', () => {
    const event = says('Done.', { sender: bot, item: { ...comment, author: bot } });
    const self = { login: 'helper[bot]', isBot: true };
    expect(decidedByPayload(event, settings({}, { allowedBots: ['*'] }), self)?.reason).toBe('own_activity');
  });
});

function review(body: string): Item {
  return { ...comment, kind: 'review', body };
}

describe('where there is no session', () => {
  test.each<[string, GitHubEvent, InboxSettings, string]>([
    ['a new issue starts one', opened(), settings(), 'start opened'],
    [
      'in the words of a mention',
      opened({ body: '@claude fix' }),
      settings({ trigger: ['opened', 'mention'] }),
      'start mention',
    ],
    ['not when mentions are off', opened({ body: '@claude fix' }), settings(), 'start opened'],
    [
      'the label starts one',
      eventWith({ name: 'issues', action: 'labeled', label: 'claude' }),
      settings({ trigger: ['label'] }),
      'start label',
    ],
    ['a comment does not', says('Me too.'), settings(), 'not_mentioned'],
    ['a mention does', says('@claude fix'), settings({ trigger: ['mention'] }), 'start mention'],
    [
      'a mention on a pull request',
      says('@claude fix', { subject: pull }),
      settings({ trigger: ['mention'] }),
      'start mention',
    ],
    ['not when mentions are off', says('@claude fix'), settings(), 'switched_off'],
    [
      'a command has nothing to command',
      says('@claude /status'),
      settings({ trigger: ['mention'] }),
      'not_mentioned',
    ],
    ['closing ends nothing', eventWith({ name: 'issues', action: 'closed' }), settings(), 'handed_over'],
    ['reopening wakes nothing', eventWith({ name: 'issues', action: 'reopened' }), settings(), 'handed_over'],
    ['a deleted comment', says('x', { action: 'deleted' }), settings(), 'handed_over'],
    ['an edit', says('x', { action: 'edited', formerBody: 'y' }), settings(), 'not_mentioned'],
    [
      'an edit that adds a mention',
      says('@claude x', { action: 'edited', formerBody: 'x' }),
      settings({ trigger: ['mention'] }),
      'start mention',
    ],
  ])('%s (%#)', (_, event, given, wanted) => {
    expect(shown(planDelivery(event, given, none))).toBe(wanted);
  });

  test('a closing or a deletion that came first counts', () => {
    const closed = { ...none, overtaken: { deleted: false, closed: true } };
    expect(shown(planDelivery(opened(), settings(), closed))).toBe('handed_over');
    const deleted = { ...none, overtaken: { deleted: true, closed: false } };
    expect(shown(planDelivery(says('@claude x'), settings({ trigger: ['mention'] }), deleted))).toBe(
      'handed_over',
    );
  });

  test("an issue's own text carries no authority: the instruction of an opened one is ours", () => {
    const plan = planDelivery(opened({ body: 'Fix it.' }), settings(), none);
    expect(plan).toMatchObject({
      verdict: 'run',
      asks: { actor: { login: 'outsider' } },
      effect: { task: { instruction: '', trigger: { kind: 'opened' }, mode: 'tag' } },
    });
  });
});

describe('where there is one', () => {
  const known = (changes: Partial<KnownThread> = {}, message: Known['message'] = null): Known => ({
    ...none,
    thread: { ...thread, ...changes },
    message,
  });
  const queued = { id: 'm1', state: 'queued', composed: false };
  const closedIssue = { ...issue, state: 'closed' as const };

  test.each<[string, GitHubEvent, Known, InboxSettings, string]>([
    ['a comment steers', says('Also the tests.'), known(), settings(), 'message: Also the tests.'],
    [
      'a mention too, whatever starts',
      says('@claude also the tests'),
      known(),
      settings(),
      'message!: also the tests',
    ],
    ['any other slash goes to Claude', says('/review this'), known(), settings(), 'message: /review this'],
    ['a command', says('/stop'), known(), settings(), 'command stop'],
    ['a mention before it', says('@claude /continue $5'), known(), settings(), 'command continue'],
    ['the same comment twice', says('x'), known({}, queued), settings(), 'handed_over'],
    ['opened again', opened(), known(), settings(), 'handed_over'],
    ['a comment on its pull request', says('No.', { subject: pull }), known(), settings(), 'message: No.'],
    [
      'the same without PR_FEEDBACK',
      says('No.', { subject: pull }),
      known(),
      settings({ prFeedback: false }),
      'switched_off',
    ],
    [
      'a command there without PR_FEEDBACK',
      says('/stop', { subject: pull }),
      known(),
      settings({ prFeedback: false }),
      'switched_off',
    ],
    [
      "people's pull request",
      says('Nice.', { subject: pull }),
      known({ kind: 'pull_request', number: 50, pullNumber: null }),
      settings(),
      'not_mentioned',
    ],
    [
      'a mention there',
      says('@claude fix', { subject: pull }),
      known({ kind: 'pull_request', number: 50, pullNumber: null }),
      settings(),
      'message!: fix',
    ],
    [
      'a comment after it was closed',
      says('Thanks!', { subject: closedIssue }),
      known({ state: 'closed' }),
      settings(),
      'switched_off',
    ],
    [
      'a mention after it was closed',
      says('@claude more', { subject: closedIssue }),
      known({ state: 'closed' }),
      settings(),
      'message!: more',
    ],
    [
      'a comment on an open issue whose pull request was closed',
      says('Again.'),
      known({ state: 'closed' }),
      settings(),
      'message: Again.',
    ],
    ['closed', eventWith({ name: 'issues', action: 'closed' }), known(), settings(), 'close'],
    ['transferred', eventWith({ name: 'issues', action: 'transferred' }), known(), settings(), 'close'],
    [
      'its pull request is closed',
      eventWith({ name: 'pull_request', action: 'closed', subject: pull }),
      known(),
      settings(),
      'close',
    ],
    [
      'closed twice',
      eventWith({ name: 'issues', action: 'closed' }),
      known({ state: 'closed' }),
      settings(),
      'handed_over',
    ],
    [
      'reopened',
      eventWith({ name: 'issues', action: 'reopened' }),
      known({ state: 'closed' }),
      settings(),
      'reopen',
    ],
    [
      'edited while queued',
      says('Better.', { action: 'edited', formerBody: 'x' }),
      known({}, queued),
      settings(),
      'edit: Better.',
    ],
    [
      'edited too late',
      says('Better.', { action: 'edited', formerBody: 'x' }),
      known({}, { ...queued, state: 'delivered' }),
      settings(),
      'not_mentioned',
    ],
    [
      'edited while it is being said',
      says('Better.', { action: 'edited', formerBody: 'x' }),
      known({}, { ...queued, composed: true }),
      settings(),
      'not_mentioned',
    ],
    [
      'edited too late, with a mention',
      says('@claude better', { action: 'edited', formerBody: 'x' }),
      known({}, { ...queued, state: 'done' }),
      settings(),
      'message!: better',
    ],
    ['deleted while queued', says('x', { action: 'deleted' }), known({}, queued), settings(), 'withdraw'],
    [
      'deleted too late',
      says('x', { action: 'deleted' }),
      known({}, { ...queued, state: 'done' }),
      settings(),
      'handed_over',
    ],
  ])('%s', (_, event, facts, given, wanted) => {
    expect(shown(planDelivery(event, given, facts))).toBe(wanted);
  });

  test('everyone who steers, commands, edits or reopens is asked about; who closes or deletes is not', () => {
    const asks = (event: GitHubEvent, facts: Known) => {
      const plan = planDelivery(event, settings(), facts);
      return plan.verdict === 'run' ? (plan.asks?.actor.login ?? null) : expect.unreachable();
    };
    expect(asks(says('x'), known())).toBe('octocat');
    expect(asks(says('/stop'), known())).toBe('octocat');
    const editor = { action: 'edited', formerBody: 'y', sender: { login: 'editor' } };
    expect(asks(says('x', editor), known({}, queued))).toBe('editor');
    expect(
      asks(
        eventWith({ name: 'issues', action: 'reopened', sender: { login: 'opener' } }),
        known({ state: 'closed' }),
      ),
    ).toBe('opener');
    expect(asks(eventWith({ name: 'issues', action: 'closed' }), known())).toBeNull();
    expect(asks(says('x', { action: 'deleted' }), known({}, queued))).toBeNull();
  });
});

describe('repositories that move', () => {
  const moved = (action: string, changes?: unknown) =>
    eventWith({ name: 'repository', action, subject: null, payload: { changes } });
  test.each<[string, GitHubEvent, object]>([
    [
      'renamed',
      moved('renamed', { repository: { name: { from: 'old' } } }),
      { kind: 'rename', from: 'octo-org/old', to: 'octo-org/octo-repo' },
    ],
    [
      'transferred',
      moved('transferred', { owner: { from: { user: { login: 'octocat' } } } }),
      { kind: 'rename', from: 'octocat/octo-repo' },
    ],
    ['deleted', moved('deleted'), { kind: 'gone', repository: 'octo-org/octo-repo' }],
  ])('%s', (_, event, effect) => {
    expect(planDelivery(event, settings(), none)).toMatchObject({ verdict: 'run', effect, asks: null });
  });
});

test("the access rule's no takes the place of the plan, with the facts of both", () => {
  const plan = planDelivery(says('x'), settings(), { ...none, thread });
  if (plan.verdict !== 'run') return expect.unreachable();
  const no = permitted(plan, {
    verdict: 'deny',
    reason: 'not_permitted',
    message: 'No.',
    facts: [{ name: 'access of octocat', value: 'read' }],
  });
  expect(no).toMatchObject({ verdict: 'deny', reason: 'not_permitted' });
  expect(no.facts.map(({ name }) => name)).toEqual([
    'event',
    'action',
    'sender',
    'subject',
    'does',
    'access of octocat',
  ]);
});

/** A plan in a few words; `!` for what wakes. */
function shown(plan: ReturnType<typeof planDelivery>): string {
  if (plan.verdict !== 'run') return plan.reason;
  const { effect } = plan;
  switch (effect.kind) {
    case 'start':
      return `start ${effect.task.trigger.kind}`;
    case 'message':
      return `message${effect.wake ? '!' : ''}: ${effect.body}`;
    case 'command':
      return `command ${effect.command.name}`;
    case 'edit':
      return `edit: ${effect.body}`;
    default:
      return effect.kind;
  }
}
