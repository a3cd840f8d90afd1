import { expect, test } from 'vitest';
import { type BranchNaming, branchName, validateBranchName } from './branch.ts';

const naming: BranchNaming = {
  prefix: 'claude/',
  template: null,
  subject: {
    kind: 'issue',
    number: 42,
    title: 'Fix: the "BIG" bug in the old parser!',
    labels: ['Good First/Issue', 'bug'],
  },
  sha: '0123456789abcdef0123456789abcdef01234567',
  now: new Date('2026-01-31T09:45:10Z'),
};
const pullRequest = { ...naming.subject!, kind: 'pull_request' as const, labels: [] };

test.each<[string, Partial<BranchNaming>, string]>([
  ['an issue', {}, 'claude/issue-42-20260131-0945'],
  ['a pull request', { subject: pullRequest }, 'claude/pr-42-20260131-0945'],
  ['no subject', { subject: null }, 'claude/task-20260131-0945'],
  [
    'the time is UTC whatever the machine says',
    { now: new Date('2026-01-31T23:59:00-05:00') },
    'claude/issue-42-20260201-0459',
  ],
  ['lower case', { prefix: 'Claude/Bot-' }, 'claude/bot-issue-42-20260131-0945'],
  [
    'at most 50 characters',
    { prefix: 'a-rather-long-prefix-for-branches-of-this/' },
    'a-rather-long-prefix-for-branches-of-this/issue-42',
  ],
  ['an empty prefix', { prefix: '' }, 'issue-42-20260131-0945'],
  [
    'a template',
    { template: '{{prefix}}{{entityType}}/{{entityNumber}}-{{description}}' },
    'claude/issue/42-fix-the-big-bug-in',
  ],
  [
    'every variable',
    { template: '{{sha}}/{{label}}/{{timestamp}}' },
    '01234567/good-first-issue/20260131-0945',
  ],
  ['no label: the entity type', { template: '{{label}}/x', subject: pullRequest }, 'pr/x'],
  ['a template keeps its case', { template: 'Bot/{{entityNumber}}' }, 'Bot/42'],
  ['slashes collapse', { template: '//{{prefix}}//{{entityNumber}}//' }, 'claude/42'],
  [
    'a template that gives nothing',
    { template: '{{description}}', subject: { ...naming.subject!, title: '???' } },
    'claude/issue-42-20260131-0945',
  ],
])('%s', (_, change, name) => {
  expect(branchName({ ...naming, ...change })).toBe(name);
});

test.each([
  [''],
  ['-x'],
  ['a b'],
  ['a~1'],
  ['a^'],
  ['a:b'],
  ['a?'],
  ['a*'],
  ['a[b'],
  ['a\\b'],
  ['a\nb'],
  ['a\x7fb'],
  ['.a'],
  ['a.'],
  ['a/'],
  ['a//b'],
  ['a..b'],
  ['a@{b'],
  ['a.lock'],
  ['a.lock/b'],
  ['a/.b'],
  ['@'],
  ['$(id)'],
  ['`id`'],
  ['{{prefix}}'],
  ['ü'],
])('refuses %j', (name) => {
  expect(() => validateBranchName(name)).toThrow(expect.objectContaining({ reason: 'invalid_input' }));
});

test.each([
  ['main'],
  ['feature/a.b'],
  ['user@host'],
  ['v1.2+x,y#3'],
  ['_a'],
  ['dependabot/npm_and_yarn/x-1.0'],
])('accepts %s', (name) => {
  expect(() => validateBranchName(name)).not.toThrow();
});
