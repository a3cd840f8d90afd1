/** The demos' sample project, and what the scripted Claude does in it for the Action. */
import { join } from 'node:path';
import type { Script } from '../../testkit/claude/step.ts';
import { bash, edit, mcp, read } from '../../testkit/claude/tools.ts';

export const sampleProject: Record<string, string> = {
  'README.md': '# Hello\n\nGreets people by name.\n',
  'package.json': `${JSON.stringify({ name: 'hello', private: true, type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a file's text
  'src/greet.js': 'export const greet = (name) => `Helo, ${name}!`;\n',
  'test/greet.test.js':
    "import assert from 'node:assert';\nimport test from 'node:test';\nimport { greet } from '../src/greet.js';\n\ntest('greets by name', () => assert.equal(greet('octocat'), 'Hello, octocat!'));\n",
};

const checklist = (done: number) =>
  ['Find where the greeting is made', 'Correct the spelling', 'Commit and publish']
    .map((task, index) => `- [${index < done ? 'x' : ' '}] ${task}`)
    .join('\n');

const comment = (body: string) => mcp('github_comment', 'update_claude_comment', { body });

/** @param workspace the checkout, absolute: Claude's file tools want whole paths. */
export function actionScript(workspace: string): Script {
  const file = join(workspace, 'src/greet.js');
  return [
    { tools: [comment(checklist(0))] },
    { tools: [read(file)] },
    { tools: [comment(checklist(1)), edit(file, 'Helo', 'Hello')] },
    {
      tools: [
        bash(
          'git add src/greet.js && git commit -m "Spell the greeting right" -m "It said Helo, so the test of the greeting failed."',
        ),
      ],
    },
    { tools: [mcp('github_file_ops', 'push_changes')] },
    {
      tools: [
        comment(
          `${checklist(3)}\n\n\`src/greet.js\` said “Helo”; it now says “Hello”, which is what the test in \`test/greet.test.js\` expects.`,
        ),
      ],
    },
    { text: 'The greeting is spelt right again.' },
  ];
}
