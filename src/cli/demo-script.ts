/** What the scripted Claude does in the demo of the server: works, is busy until it is spoken to, and takes that in. */
import { join } from 'node:path';
import type { Script, Step } from '../../testkit/claude/step.ts';
import { bash, edit, mcp, read } from '../../testkit/claude/tools.ts';

/** What octocat writes while Claude works. */
export const followUp = 'While you are at it: please greet everybody with “Hello!” when no name is given.';

export interface Busy {
  /** Called once when Claude is in the middle of its work. */
  working(): void;
  /** Resolves when the follow-up is on its way to Claude. */
  spokenTo: Promise<void>;
  /** Told each thing that Claude does. */
  doing(what: string): void;
}

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: pieces of a file's text
const greeting = {
  wrong: '`Helo, ${name}!`',
  right: '`Hello, ${name}!`',
  polite: '(name ? `Hello, ${name}!` : `Hello!`)',
} as const;
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: above

const checklist = (done: number, more: string[] = []) =>
  ['Find where the greeting is made', 'Correct the spelling', ...more]
    .map((task, index) => `- [${index < done ? 'x' : ' '}] ${task}`)
    .join('\n');
const askedLater = ['Greet without a name, as asked meanwhile'];

const report = (body: string) => mcp('github_comment', 'update_claude_comment', { body });
const commit = (message: string) => bash(`git add -A && git commit -q -m ${JSON.stringify(message)}`);

/** As long as one looks for what was said: steps of half a second. */
const patience = 60;

/** @param workspace the issue's, absolute: Claude's file tools want whole paths. */
export function serverScript(workspace: string, busy: Busy): Script {
  const file = join(workspace, 'src/greet.js');
  const test = join(workspace, 'test/greet.test.js');
  const first = [
    does('reads the code', { tools: [report(checklist(0)), read(file), read(test)] }),
    does('corrects the spelling', {
      tools: [report(checklist(1)), edit(file, greeting.wrong, greeting.right)],
    }),
  ];
  const afterwards = [
    does('takes in what octocat has written meanwhile', {
      tools: [report(checklist(2, askedLater)), edit(file, greeting.right, greeting.polite)],
    }),
    does('adds a test for it and commits both', {
      tools: [
        edit(
          test,
          "'Hello, octocat!'));",
          "'Hello, octocat!'));\ntest('greets without a name', () => assert.equal(greet(), 'Hello!'));",
        ),
        commit('Spell the greeting right, and greet without a name'),
      ],
    }),
    does('says what the pull request is about', {
      tools: [
        report(checklist(3, askedLater)),
        mcp('github_pull_request', 'update_pull_request', {
          title: 'Spell the greeting right, and greet without a name',
          body: 'It said “Helo”. Asked for meanwhile: without a name it now says “Hello!”.\n\nBoth are covered by `test/greet.test.js`.',
        }),
      ],
    }),
    does('answers', {
      text: 'The greeting is spelt right again. As you asked while I worked, it says “Hello!” when no name is given; a test covers that too.',
    }),
  ];
  let heardAt: number | null = null;
  let waits = 0;
  return Array.from({ length: first.length + patience + afterwards.length }, (_, turn) => async (request) => {
    const step = first[turn];
    if (step) return step();
    if (heardAt === null && JSON.stringify(request.body.messages).includes(followUp)) heardAt = turn;
    if (waits >= patience) heardAt ??= turn;
    if (heardAt !== null) return afterwards[turn - heardAt]?.() ?? {};
    waits += 1;
    if (waits > 1) return { delayMs: 500, tools: [read(file)] };
    await beBusy();
    return { tools: [commit('Spell the greeting right')] };
  });

  function does(what: string, step: Step) {
    return () => {
      busy.doing(what);
      return step;
    };
  }

  /** Thinks for as long as it takes until somebody has spoken: what they say waits for the end of the next command. */
  async function beBusy(): Promise<void> {
    busy.doing('is busy…');
    busy.working();
    await busy.spokenTo;
    busy.doing('goes on, and commits');
  }
}
