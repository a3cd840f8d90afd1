import { describe, expect, test } from 'vitest';
import type { Task } from '../../words/task.ts';
import { closesIssue, describedAs, firstText, linkedBody, pullRequestText } from './pull-request-text.ts';

const task = {
  key: 'octo-org/hello#42',
  repository: { owner: 'octo-org', name: 'hello' },
  subject: { kind: 'issue', number: 42, title: 'The greeting\nis  misspelt', body: '', labels: [] },
} as unknown as Task;

/** Without the hidden lines. */
const visible = (body: string) => body.replace(/<!--[^\n]*-->\n?/g, '').trim();
const first = (template: string | null = null) => firstText(task, template);
const count = (body: string) => body.match(/Closes #42/g)?.length ?? 0;

describe('the first text', () => {
  test('has the title of the issue, three headings and the link', () => {
    expect(first().title).toBe('Fix #42: The greeting is misspelt');
    expect(visible(first().body)).toMatch(/## What[\s\S]*## Why\n\nCloses #42\n\n## How tested/);
  });

  test('or the template as it is, linked', () => {
    const template = '## Summary\n<!-- say what -->\n\n- [ ] I have tested this';
    expect(first(template).body).toContain(`${template}\n\nCloses #42`);
  });

  test.each([
    'Fixes #42',
    'This resolves: octo-org/hello#42.',
    'CLOSED https://github.com/octo-org/hello/issues/42',
  ])('a template that links it already is not linked twice: %s', (link) =>
    expect(count(first(`Text\n\n${link}`).body)).toBe(0),
  );

  test('a template as long as GitHub allows still fits with what is added', () => {
    const { body } = first('x'.repeat(70_000));
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain('Closes #42');
  });
});

test.each<[string, boolean]>([
  ['Closes #42', true],
  ['fixed #42, fixes #7', true],
  ['* Resolves: #42', true],
  ['Closes #421', false],
  ['Closes # 42', false],
  ['See #42', false],
  ['discloses #42', false],
  ['Closes other/hello#42', false],
  ['<!-- Closes #42 -->', false],
  ['<!-- Closes #42', false],
  ['`Closes #42`', false],
  ['```\nCloses #42\n```', false],
  ['```\ncode\n```\nCloses #42', true],
  ['Closes\n#42', false],
])('%j closes the issue: %s', (body, closes) => {
  expect(closesIssue(body, task)).toBe(closes);
});

describe("Claude's text", () => {
  test('takes the place of what Claude wrote before, and stays linked', () => {
    const one = describedAs(first(), { title: 'Greet in German', body: '## What\nGerman' }, task);
    const two = describedAs(one, { title: 'Greet in Dutch', body: '## What\nDutch' }, task);
    expect(one.title).toBe('Greet in German');
    expect(two.title).toBe('Greet in Dutch');
    expect(visible(two.body)).toBe('## What\nDutch\n\nCloses #42');
  });

  test('the same text again changes nothing', () => {
    const one = describedAs(first(), { title: 'Greet', body: 'Text\r\n\r\nFixes #42' }, task);
    expect(describedAs(one, { title: 'Greet', body: 'Text\r\n\r\nFixes #42' }, task)).toEqual(one);
    expect(describedAs(one, { body: 'Text\n\nFixes #42' }, task)).toEqual(one);
    expect(count(one.body)).toBe(0);
  });

  test('what people write above and below stays, also from a browser with its own line ends', () => {
    const { title, body } = describedAs(first(), { body: 'One' }, task);
    const edited = `Please read this first.\n\n${body}\n\nReviewed with @octocat`.replaceAll('\n', '\r\n');
    const after = describedAs({ title, body: edited }, { body: 'Two' }, task);
    expect(visible(after.body)).toBe(
      'Please read this first.\n\nTwo\n\nCloses #42\n\nReviewed with @octocat',
    );
  });

  test('what people write into it stays too, as theirs', () => {
    const { title, body } = describedAs(first(), { body: 'One\n\nClose #42' }, task);
    const edited = { title, body: body.replace('One', 'One, but see #7') };
    const after = describedAs(edited, { body: 'Two' }, task);
    expect(visible(after.body)).toBe('One, but see #7\n\nClose #42\n\nTwo');
    const again = describedAs(after, { body: 'Three' }, task);
    expect(visible(again.body)).toBe('One, but see #7\n\nClose #42\n\nThree');
  });

  test('boxes that people tick stay ticked; those that Claude ticks are its own', () => {
    const text = '- [ ] I agree\n- [x] Tests pass';
    const one = describedAs(first(), { body: text }, task);
    expect(visible(describedAs(one, { body: '- [ ] Tests pass' }, task).body)).toContain('- [ ] Tests pass');
    const ticked = { ...one, body: one.body.replace('- [ ] I agree', '- [x] I agree') };
    const after = describedAs(ticked, { body: `More\n${text}` }, task);
    expect(visible(after.body)).toBe('More\n- [x] I agree\n- [x] Tests pass\n\nCloses #42');
  });

  test('a title that a person changed is theirs from then on', () => {
    const one = describedAs(first(), { title: 'Ours', body: 'One' }, task);
    const renamed = { ...one, title: 'Theirs' };
    const two = describedAs(renamed, { title: 'Ours again', body: 'Two' }, task);
    expect(two.title).toBe('Theirs');
    expect(describedAs({ ...two, title: 'Ours' }, { title: 'Ours, third', body: 'Three' }, task).title).toBe(
      'Ours',
    );
  });

  test('a description that a person emptied gets the block, and no title of ours', () => {
    const after = describedAs({ title: 'Theirs', body: '' }, { title: 'Ours', body: 'Text' }, task);
    expect(after.title).toBe('Theirs');
    expect(visible(after.body)).toBe('Text\n\nCloses #42');
  });

  test.each([
    ['our own marks', 'x <!-- /forgehand description --> <!-- forgehand description {"title":""} --> y'],
    ['an open comment', 'x <!-- y'],
    ['an open code block', '```js\nx'],
  ])('%s do not reach what people wrote below', (_, hostile) => {
    const one = describedAs(first(), { body: 'One' }, task);
    const noted = { ...one, body: `${one.body}\n\nA note.` };
    const two = describedAs(noted, { body: hostile }, task);
    const three = describedAs(two, { body: 'Three' }, task);
    expect(visible(three.body)).toBe('Three\n\nCloses #42\n\nA note.');
    if (hostile.includes('```')) expect(two.body).toContain('```js\nx\n```\n');
  });

  test('too long for GitHub: it is shortened, never what people wrote', () => {
    const one = describedAs(first(), { body: 'One' }, task);
    const noted = { ...one, body: `${one.body}\n\n${'n'.repeat(30_000)}` };
    const { body } = describedAs(noted, { body: 'x'.repeat(60_000) }, task);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain('n'.repeat(30_000));
    expect(body).toContain('*(shortened)*\n\nCloses #42');
  });

  test('marks that were broken count for nothing', () => {
    const body = '<!-- forgehand description {broken} -->\nold\n<!-- /forgehand description -->';
    expect(visible(describedAs({ title: 't', body }, { body: 'New' }, task).body)).toBe(
      'old\n\nNew\n\nCloses #42',
    );
  });
});

test('a pull request that follows another one closes nothing', () => {
  const follows = { ...task, subject: { ...task.subject!, kind: 'pull_request' as const } };
  expect(pullRequestText(follows).body).toBe('Follows #42');
  expect(linkedBody('Text', follows)).toBe('Text');
});
