/** What Claude says arrives byte by byte, whichever way it goes: a suggestion is applied as it stands. */
import { describe, expect, test } from 'vitest';
import { renderRedacted } from '../../src/report/comment.ts';
import { draftOf, makeEvent, terminalDraft } from '../../src/report/progress-event.ts';
import type { CommentState } from '../../src/report/render.ts';
import { redactor } from '../../src/words/redact.ts';
import type { Progress, Result } from '../../src/words/result.ts';
import { forgeries } from './hostile/forgeries.ts';
import { hiddenHtml } from './hostile/hidden-html.ts';
import { hiddenMarkdown } from './hostile/hidden-markdown.ts';
import { invisible } from './hostile/invisible.ts';
import { markdown, scripts } from './hostile/unharmed.ts';

const secret = 'a secret of this run';
const redact = redactor([secret]);
const stream = { repository: 'octo-org/hello', runId: '42', runAttempt: 1, correlationId: 'request-1' };

const comment = (changes: Partial<CommentState>) => {
  const { body, continued } = renderRedacted(
    {
      actor: 'octocat',
      startedAt: 0,
      jobUrl: null,
      branch: null,
      createPullRequestUrl: null,
      progress: { status: 'in_progress', message: '' },
      result: null,
      marker: { workflow: 'Claude', job: 'claude', run: '42', attempt: '1' },
      ...changes,
    },
    redact,
  );
  return [body, ...continued];
};
const event = (draft: Parameters<typeof makeEvent>[0]) => makeEvent(draft, { stream, sequence: 1, redact });

const working = (message: string): Progress => ({ status: 'in_progress', message });
const ended = (changes: Partial<Result>): Result => ({
  conclusion: 'success',
  reason: '',
  summary: '',
  remedy: '',
  notes: [],
  sessionId: null,
  branch: null,
  pullRequestUrl: null,
  commentUrl: null,
  usage: null,
  ...changes,
});
/** All but what a comment has room for: what follows is in two comments, or whole in the second. */
const before = 'A line of a long report.\n'.repeat(2_600);

const ways: Record<string, (message: string) => string[]> = {
  'the live comment': (message) => comment({ progress: working(message) }),
  'the answer': (message) => comment({ result: ended({ summary: message }) }),
  'last words before a failure': (message) =>
    comment({ result: ended({ conclusion: 'failure', reason: 'gate_refused', lastWords: message }) }),
  'continued comments': (message) => comment({ result: ended({ summary: before + message }) }),
  'a progress event': (message) => [event(draftOf(working(message), [])).message],
  'the last progress event': (message) => {
    const { message: said, result } = event(terminalDraft(ended({ summary: message }), []));
    expect(result?.summary).toBe(said);
    return [said];
  },
};

/** A suggestion, fenced so that nothing in it ends the fence. */
const suggestion = (code: string) => {
  const fence = '`'.repeat(Math.max(3, ...[...code.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}suggestion\n${code}\n${fence}`;
};

const codes: (readonly [name: string, code: string])[] = [
  ['attributes', '<input title="x" alt=\'y\' data-z=1 placeholder="" aria-label="a">'],
  ['entities', '&#39; &#8217; &nbsp; &lt;T&gt; &amp;amp; &zwj;'],
  ['comments', '<!-- keep --> <!--[if IE]> x <![endif]-->'],
  ['titles of links', '[a](/b "c") ![d](e "f") [g]: /h "i"'],
  ['tabs and blanks at the ends of lines', '\tif (x) {  \n\t\treturn;\t\n\t}   '],
  ['Windows line ends', 'a\r\nb\r\n\r\nc'],
  ['many empty lines', '\n\n\na\n\n\n\nb\n\n'],
  ['nothing', ''],
  ['invisible characters that code has', "const bom = '\uFEFF', joiner = '\u200D', flag = '🏴󠁧󠁢󠁥󠁮󠁧󠁿';"],
  ['fences', '```md\n~~~\nx\n~~~\n```'],
  ['template literals', `const a = \`\${b} \\\\\` + \`\`;`],
  ['JSX', '<T extends object>(x: T) => x && <A title="t" {...x} />'],
];

describe.each(Object.entries(ways))('%s', (name, way) => {
  const corpus = [
    ...codes,
    ...invisible,
    ...hiddenHtml,
    ...hiddenMarkdown,
    ...forgeries,
    ...scripts,
    ...markdown,
  ];

  test.each(corpus)('a suggestion: %s', (_, code) => {
    // Databases of receivers refuse halves of a character.
    const sent = name.endsWith('event') ? code.toWellFormed() : code;
    const message = suggestion(sent);
    // Longer fences than anybody's are cut where a comment ends.
    if (name === 'continued comments' && /`{20}/.test(code)) return;
    const arrived = way(`Here:\n\n${message}\n\nThat is all.`);
    // A hidden line of ours would make the comment another run's: only that is marked.
    const marked = message.replaceAll('<!-- forgehand ', '<!-- not by forgehand ');
    expect(arrived.some((text) => text.includes(message) || text.includes(marked))).toBe(true);
  });

  test('only secrets are taken out', () => {
    const arrived = way(`Here: ${secret}, <b title="x">&#39;</b>.`).join('\n');
    expect(arrived).toContain('Here: ***, <b title="x">&#39;</b>.');
  });
});
