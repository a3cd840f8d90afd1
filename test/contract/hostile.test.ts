/** The corpus of hidden and hostile texts in `hostile/`: none leaves its markers, none arrives that a reader cannot see. */
import { describe, expect, test } from 'vitest';
import { dispatchPrompt } from '../../src/prompt/dispatch.ts';
import { followUpText, preparedText } from '../../src/prompt/live.ts';
import type { Case } from './hostile/case.ts';
import { forgeries } from './hostile/forgeries.ts';
import { hiddenHtml } from './hostile/hidden-html.ts';
import { hiddenMarkdown } from './hostile/hidden-markdown.ts';
import { invisible, partlyInvisible } from './hostile/invisible.ts';
import { names } from './hostile/names.ts';
import { answers, block, everywhere, inTexts, nonce, ours, starts } from './hostile/places.ts';
import { markdown, scripts } from './hostile/unharmed.ts';
import { defaults, item } from './prompt-samples.ts';

const hidden = [...hiddenHtml, ...hiddenMarkdown];
const hostile: Case[] = [...invisible, ...hidden, ...forgeries, ...names];
/** By Unicode's own properties, not by our list. */
const unseen = /[[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Cs}]--[\t\n\r]]/v;
const count = (text: string, part: string) => text.split(part).length - 1;

test('the corpus is as large as it says', () => {
  expect(hostile.length).toBeGreaterThan(200);
  for (const family of [invisible, hiddenHtml, hiddenMarkdown, forgeries, names, scripts, markdown])
    expect(new Set(family.map(([name]) => name)).size).toBe(family.length);
});

describe.each(starts)('a run that starts by: %s', (start) => {
  const plain = everywhere('Plain words', start).prompt;

  test.each(hostile)('%s: stands between markers wherever it stands', (_, text) => {
    const { prompt, request } = everywhere(text, start);
    expect(ours(prompt)).toBe(ours(plain));
    expect(count(prompt.toLowerCase(), nonce)).toBe(count(plain, nonce));
    expect(`${prompt}${request}`).not.toMatch(unseen);
    // Half a character makes the model's API refuse the message.
    expect(prompt.isWellFormed()).toBe(true);
  });
});

describe('a tool that shows more of a thread', () => {
  const plain = answers('Plain words');

  test.each(hostile)('%s: stands between markers', (_, text) => {
    const said = answers(text);
    expect(ours(said)).toBe(ours(plain));
    expect(count(said.toLowerCase(), nonce)).toBe(count(plain, nonce));
    expect(said).not.toMatch(unseen);
    expect(said.isWellFormed()).toBe(true);
  });
});

describe('a message of a conversation that goes on', () => {
  const said = (path: string, actor = 'monalisa') =>
    followUpText({
      actor,
      item: item({ kind: 'review_comment', path, line: 3 }),
      body: 'Please fix this.',
      key: 'octo-org/hello-world#9',
    });

  test.each(hostile)('%s: is a name in it, and on one line', (_, text) => {
    const { text: message, verbatim } = said(text, text);
    expect(verbatim).toBe(true);
    expect(message).not.toMatch(unseen);
    expect(message).toMatch(
      /^(?:Somebody|@[\w-]{1,60}) wrote a review comment on `[^`\n\r\u2028\u2029]*`, line 3 on .*:\n\nPlease fix this\.$/,
    );
  });
});

describe('what the page does not show', () => {
  /** Texts of every kind as Claude gets them: in the thread, as its order, and in a conversation that goes on. */
  const texts = (text: string) => [
    ...starts.flatMap((start) =>
      Object.values(inTexts(text, start)).filter((part) => typeof part === 'string'),
    ),
    followUpText({ actor: 'monalisa', item: null, body: text, key: 'octo-org/hello-world#9' }).text,
    preparedText({ pullUrl: null, template: text, setup: { exitCode: 1, output: text } }, nonce),
    dispatchPrompt({ ...defaults, task: defaults.issueTask({ instruction: text }) }),
  ];

  test.each(hidden)('%s: does not arrive, and the words around it do', (_, text) => {
    for (const arrived of texts(text)) expect(arrived).not.toContain('CANARY');
    const said = block(inTexts(text).prompt, 'comment');
    for (const word of ['before', 'after']) if (text.includes(word)) expect(said).toContain(word);
  });

  test.each(invisible)('%s: is taken out, and nothing else', (_, text) => {
    const { prompt } = everywhere(text);
    expect(block(prompt, 'comment')).toBe('okok');
    expect(block(prompt, 'pull request')).toBe('Title: okok\n\nokok');
  });

  test.each(partlyInvisible)('%s', (_, text, arrives) => {
    expect(block(everywhere(text).prompt, 'comment')).toBe(arrives);
  });
});

describe('what a reader sees arrives', () => {
  test.each(forgeries)('%s: is there to be read, as the material that it is', (_, text) => {
    if (text.startsWith('<!--')) return;
    expect(block(inTexts(text).prompt, 'comment')).toMatch(/CANARY|kind=/);
  });

  const places = count(everywhere('Plain words').prompt, 'Plain words');
  test.each(scripts)('%s: unharmed in every text, line and name', (_, text) => {
    expect(places).toBeGreaterThan(20);
    expect(count(everywhere(text).prompt, text)).toBe(places);
  });

  test.each(markdown)('%s: unharmed in every text', (_, text) => {
    const { prompt } = inTexts(text);
    for (const kind of ['comment', 'review', 'review comment']) expect(block(prompt, kind)).toBe(text);
    expect(block(prompt, 'pull request')).toBe(`Title: octocat\n\n${text}`);
  });
});
