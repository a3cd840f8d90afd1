import { expect, test } from 'vitest';
import { type BranchNaming, branchNames, mayBeOurs, validateBranchName } from './branch.ts';

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
  expect(branchNames({ ...naming, ...change })[0]).toBe(name);
});

/** What a title or a label may do to a name that has it in. */
test.each<[string, { title?: string; labels?: string[] }, string]>([
  ['a title in another script', { title: '修复 错误' }, 'bug/42'],
  ['a title that would be an option', { title: '--upload-pack=touch x' }, 'bug/42-upload-packtouch-x'],
  ['a title of dashes', { title: '- — fix -it-' }, 'bug/42-fix-it'],
  ['a title that leads elsewhere', { title: '../../main @{-1} HEAD^ x.lock' }, 'bug/42-main-1-head-xlock'],
  [
    'a title with control characters',
    { title: 'a\u0000b\u202ec\n\nrefs/heads/main' },
    'bug/42-abc-refsheadsmain',
  ],
  ['a title that is one long word', { title: 'x'.repeat(256) }, `bug/42-${'x'.repeat(100)}`],
  ['a label with symbols', { labels: ['🐛 Bug!'], title: 'x' }, 'bug/42-x'],
  ['a label of symbols only', { labels: ['🐛'], title: 'x' }, 'issue/42-x'],
  ['a label that would be an option', { labels: ['--force'], title: 'x' }, 'force/42-x'],
])('%s', (_, change, name) => {
  const subject = { ...naming.subject!, labels: ['bug'], ...change };
  const template = `{{label}}/{{entityNumber}}${subject.title.startsWith('修') ? '/' : '-'}{{description}}`;
  expect(branchNames({ ...naming, template, subject })[0]).toBe(name);
});

test('when the name is taken there are others, the last one without a folder', () => {
  const numbers = [2, 3, 4, 5, 6, 7, 8, 9];
  const own = 'claude/issue-42-20260131-0945';
  expect(branchNames(naming)).toEqual([
    own,
    ...numbers.map((number) => `${own}-${number}`),
    'claude-issue-42-20260131-0945',
  ]);
  expect(branchNames({ ...naming, template: 'fix-{{entityNumber}}' })).toEqual([
    'fix-42',
    ...numbers.map((number) => `fix-42-${number}`),
    own,
    'claude-issue-42-20260131-0945',
  ]);
});

test.each<[string, Partial<BranchNaming>, string, string]>([
  [
    'a prefix',
    { prefix: '--upload-pack=evil/' },
    'Input `branch_prefix` gives the branch name `--upload-pack=evil/issue-42-20260131-0945`, which starts with `-`',
    'Correct `branch_prefix`.',
  ],
  [
    'a template',
    { template: 'fix {{entityNumber}}; rm -rf /' },
    'Input `branch_name_template` gives the branch name `fix 42; rm -rf `, which has a character other than',
    'Correct `branch_name_template`.',
  ],
  [
    'a template that is too long',
    { template: 'x'.repeat(300) },
    'which is longer than 240 characters',
    'Correct',
  ],
  [
    'a variable that there is not',
    { template: 'x/{{ prefix }}' },
    'Input `branch_name_template`: there is no variable `{{ prefix }}`.',
    'The variables are `{{prefix}}`, `{{entityType}}`, `{{entityNumber}}`',
  ],
  ['a word of JavaScript', { template: '{{constructor}}' }, 'there is no variable `{{constructor}}`', ''],
])('%s that gives no name is named with what to do', (_, change, message, remedy) => {
  expect(() => branchNames({ ...naming, ...change })).toThrow(
    expect.objectContaining({
      reason: 'invalid_input',
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    }),
  );
});

test.each([
  [
    'the default',
    { prefix: 'claude/', template: null },
    ['other/issue-42', 'main', 'claude/x:refs/heads/main'],
  ],
  ['a prefix with capitals', { prefix: 'Claude/Bot-', template: null }, ['claude/issue-42']],
  ['a template', { prefix: 'bot/', template: '//{{prefix}}/Fix-{{entityNumber}}' }, ['main', 'fix-42']],
])('names of ours are known again: %s', (_, { prefix, template }, others) => {
  for (const name of branchNames({ ...naming, prefix, template }))
    expect([name, mayBeOurs(name, { prefix, template })]).toEqual([name, true]);
  for (const name of others) expect([name, mayBeOurs(name, { prefix, template })]).toEqual([name, false]);
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
  ['ma\u200bin'],
  ['main\u202e'],
  ['HEAD'],
  ['refs/heads/main'],
  ['0123456789abcdef0123456789abcdef01234567'],
  ['x'.repeat(300)],
  ['+main'],
  ['x:refs/heads/main'],
  ['--force'],
  ['/main'],
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
