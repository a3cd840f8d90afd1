import { expect, test } from 'vitest';
import type { Config } from '../words/config.ts';
import type { Actor, GitHubEvent } from '../words/event.ts';
import type { Task } from '../words/task.ts';
import { type AccessFacts, actorsToCheck, decide, needsAccess, type Permission } from './decide.ts';
import { detect } from './detect.ts';
import { comment, configWith, eventWith } from './given.fixture.ts';

const facts: AccessFacts = {
  permissions: {},
  ownLogin: null,
  ownIsBot: false,
  actors: [],
  githubTokenGiven: false,
};

function taskFor(event: GitHubEvent): Task {
  const decision = detect(event, configWith({ prompt: 'Go' }));
  if (decision.verdict !== 'run') throw new Error(decision.message);
  return decision.task;
}

function by(author: Actor, parts: Partial<GitHubEvent> = {}): GitHubEvent {
  return eventWith({ sender: author, item: { ...comment, author }, ...parts });
}

const judge = (event: GitHubEvent, access: Partial<AccessFacts>, config: Partial<Config> = {}) =>
  decide({ event, task: taskFor(event) }, { ...facts, ...access }, configWith(config));

test.each([
  ['issues', true],
  ['issue_comment', true],
  ['pull_request', true],
  ['pull_request_target', true],
  ['pull_request_review', true],
  ['pull_request_review_comment', true],
  ['workflow_run', true],
  ['discussion', true],
  ['discussion_comment', true],
  ['check_suite', true],
  ['deployment_status', true],
  ['brand_new', true],
  ['workflow_dispatch', false],
  ['repository_dispatch', false],
  ['schedule', false],
  ['push', false],
  ['release', false],
  ['merge_group', false],
])('%s needs access: %s', (name, needed) => {
  const event = eventWith({ name });
  expect(needsAccess(event)).toBe(needed);
  expect(actorsToCheck(event, taskFor(event))).toHaveLength(needed ? 1 : 0);
  expect(judge(event, {}).verdict).toBe(needed ? 'deny' : 'run');
});

test.each<[Permission, string]>([
  ['admin', 'run'],
  ['maintain', 'run'],
  ['write', 'run'],
  ['triage', 'deny'],
  ['read', 'deny'],
  ['none', 'deny'],
  [null, 'deny'],
])('permission %s: %s', (permission, verdict) => {
  expect(judge(by({ login: 'amy' }), { permissions: { amy: permission } }).verdict).toBe(verdict);
});

test('a denial says who, why and what would help', () => {
  expect(judge(by({ login: 'amy' }), { permissions: { amy: 'read' } })).toEqual({
    verdict: 'deny',
    reason: 'not_permitted',
    message: '`amy` may not call Claude here: the permission is `read`, and write access is needed.',
    facts: [{ name: 'access of amy', value: 'the permission is `read`, and write access is needed' }],
  });
});

test('a login that nobody looked up is denied, also when it is called like a member of Object', () => {
  for (const login of ['amy', 'constructor', '__proto__'])
    expect(judge(by({ login }), {}).verdict).toBe('deny');
});

test.each<[string, string[], boolean, string]>([
  ['listed, with a token', ['amy'], true, 'run'],
  ['listed in other letters', ['AMY'], true, 'run'],
  ['listed with @', ['@amy'], true, 'run'],
  ['everyone', ['*'], true, 'run'],
  ['one of several', ['bob', 'amy'], true, 'run'],
  ['listed, without a token', ['amy'], false, 'deny'],
  ['everyone, without a token', ['*'], false, 'deny'],
  ['another', ['bob'], true, 'deny'],
  ['part of the name', ['am', 'amyy', 'a*'], true, 'deny'],
  ['nobody', [], true, 'deny'],
])('allowed_non_write_users: %s', (_, allowedNonWriteUsers, githubTokenGiven, verdict) => {
  const access = { permissions: { amy: 'read' as const }, githubTokenGiven };
  expect(judge(by({ login: 'amy' }), access, { allowedNonWriteUsers }).verdict).toBe(verdict);
});

test('a list that does not count is named', () => {
  const decision = judge(
    by({ login: 'amy' }),
    { permissions: { amy: 'read' } },
    { allowedNonWriteUsers: ['amy'] },
  );
  expect(decision).toMatchObject({ message: expect.stringContaining('only together with `github_token`') });
});

const bot = { login: 'helper[bot]', type: 'Bot' };

test.each<[string, Actor, Partial<Config>, Partial<AccessFacts>, string]>([
  ['not listed', bot, {}, {}, 'deny'],
  ['not listed, with write access', bot, {}, { permissions: { 'helper[bot]': 'admin' } }, 'deny'],
  ['listed', bot, { allowedBots: ['helper[bot]'] }, {}, 'run'],
  ['listed without [bot]', bot, { allowedBots: ['helper'] }, {}, 'run'],
  ['listed in other letters', bot, { allowedBots: ['Helper[Bot]'] }, {}, 'run'],
  ['all', bot, { allowedBots: ['*'] }, {}, 'run'],
  ['another', bot, { allowedBots: ['other'] }, {}, 'deny'],
  [
    'listed among people only',
    bot,
    { allowedNonWriteUsers: ['*', 'helper[bot]'] },
    { githubTokenGiven: true },
    'deny',
  ],
  [
    'known by its suffix alone',
    { login: 'helper[bot]' },
    {},
    { permissions: { 'helper[bot]': 'write' } },
    'deny',
  ],
  [
    'known by its type alone',
    { login: 'Copilot', type: 'Bot' },
    {},
    { permissions: { Copilot: 'write' } },
    'deny',
  ],
  [
    'type known from GitHub',
    { login: 'Copilot' },
    {},
    { permissions: { Copilot: 'write' }, actors: [{ login: 'copilot', type: 'Bot' }] },
    'deny',
  ],
  [
    'listed, type known from GitHub',
    { login: 'Copilot' },
    { allowedBots: ['copilot'] },
    { actors: [{ login: 'Copilot', type: 'Bot' }] },
    'run',
  ],
  [
    'a person called like a listed bot',
    { login: 'helper', type: 'User' },
    { allowedBots: ['helper'] },
    { permissions: { helper: 'read' } },
    'deny',
  ],
])('a bot: %s', (_, actor, config, access, verdict) => {
  expect(judge(by(actor), access, config).verdict).toBe(verdict);
});

const upstream = (login: string) =>
  eventWith({ name: 'workflow_run', subject: null, sender: { login: 'amy' }, upstreamActor: { login } });

test.each<[string, string, Record<string, Permission>, string]>([
  ['both may', 'bob', { amy: 'write', bob: 'admin' }, 'run'],
  ['only the sender may', 'bob', { amy: 'write', bob: 'read' }, 'deny'],
  ['only the upstream actor may', 'bob', { amy: 'read', bob: 'write' }, 'deny'],
  ['they are one', 'AMY', { amy: 'write' }, 'run'],
])('workflow_run: %s', (_, login, permissions, verdict) => {
  expect(judge(upstream(login), { permissions }).verdict).toBe(verdict);
});

test('workflow_run: both are looked up, and the denied one is named', () => {
  const event = upstream('bob');
  expect(actorsToCheck(event, taskFor(event)).map(({ login }) => login)).toEqual(['amy', 'bob']);
  expect(judge(event, { permissions: { amy: 'write', bob: 'read' } })).toMatchObject({
    message: expect.stringMatching(/^`bob` may not/),
    facts: [{ name: 'access of amy' }, { name: 'access of bob' }],
  });
});

const app = { login: 'forgehand[bot]', type: 'Bot' };

test('own activity is ignored whatever the lists and permissions say', () => {
  const access = {
    ownLogin: app.login,
    ownIsBot: true,
    githubTokenGiven: true,
    permissions: { [app.login]: 'admin' as const },
  };
  expect(judge(by(app), access, { allowedBots: ['*'], allowedNonWriteUsers: ['*'] })).toMatchObject({
    verdict: 'ignore',
    reason: 'own_activity',
    message: expect.stringContaining('`forgehand[bot]`'),
  });
});
