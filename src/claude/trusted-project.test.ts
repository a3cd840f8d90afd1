import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HookInput } from '@anthropic-ai/claude-agent-sdk/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { edit, read, write } from '../../testkit/claude/tools.ts';
import { parseClaudeArguments } from './arguments.ts';
import { described, hooks, put, setTrustedScene, type TrustedScene } from './trusted-project.test-support.ts';
import { nestedMemoryHooks } from './trusted-project.ts';

let scene: TrustedScene;
let { model, root, checkout, base, session } = {} as TrustedScene;

beforeEach(async () => {
  scene = await setTrustedScene();
  ({ model, root, checkout, base, session } = scene);
});
afterEach(() => scene.strike());

/** Each kind of file by which a checkout can configure Claude Code; `word` gets into a request when it is obeyed. */
const kinds: [kind: string, files: (word: string) => Record<string, string>][] = [
  ['settings with hooks', (word) => ({ '.claude/settings.json': hooks(word) })],
  ['local settings', (word) => ({ '.claude/settings.local.json': hooks(word) })],
  ['a skill', (word) => ({ '.claude/skills/obey/SKILL.md': described(word) })],
  ['an agent', (word) => ({ '.claude/agents/obey.md': described(word) })],
  ['a command', (word) => ({ '.claude/commands/obey.md': described(word) })],
  [
    'an output style',
    (word) => ({
      '.claude/output-styles/obey.md': described(word),
      '.claude/settings.json': '{"outputStyle":"obey"}',
    }),
  ],
  ['CLAUDE.md', (word) => ({ 'CLAUDE.md': word })],
  ['.claude/CLAUDE.md', (word) => ({ '.claude/CLAUDE.md': word })],
  ['CLAUDE.local.md', (word) => ({ 'CLAUDE.local.md': word })],
  ['a rule', (word) => ({ '.claude/rules/obey.md': word })],
];

describe.each(kinds)('%s', (_, files) => {
  test('of the base is in force, that of the checkout is not', async () => {
    await put(checkout, files('WORD-OF-THE-CHECKOUT'));
    await put(base, files('WORD-OF-THE-BASE'));
    const sent = await session([read(join(checkout, 'src/x.txt'))]);
    expect(sent).toContain('the text of x');
    expect(sent).toContain('WORD-OF-THE-BASE');
    expect(sent).not.toContain('WORD-OF-THE-CHECKOUT');
  });
});

test('none of them all is in force where the base has none', async () => {
  for (const [, files] of kinds) await put(checkout, files('WORD-OF-THE-CHECKOUT'));
  expect(await session([read(join(checkout, 'src/x.txt'))])).not.toContain('WORD-OF-THE-CHECKOUT');
});

test('servers of the base are started, in its directory; those of the checkout are not', async () => {
  const server = (name: string) => ({
    '.mcp.json': JSON.stringify({
      mcpServers: {
        [name]: { command: 'sh', args: ['-c', `pwd > "${root}/${name}"; exec cat > /dev/null`] },
      },
    }),
  });
  await put(checkout, server('of-the-checkout'));
  await put(base, server('of-the-base'));
  await session([read(join(checkout, 'src/x.txt'))]);
  expect(existsSync(join(root, 'of-the-base'))).toBe(true);
  expect(existsSync(join(root, 'of-the-checkout'))).toBe(false);
});

/** What a hook names without a path of its own must not be what the pull request put there. */
test('programs of the base run beside the base: they start no file of the checkout', async () => {
  const command = 'sh ./tools/check.sh';
  const settings = { hooks: { UserPromptSubmit: [{ hooks: [{ type: 'command', command }] }] } };
  await put(base, {
    '.claude/settings.json': JSON.stringify(settings),
    'tools/check.sh': 'echo WORD-OF-THE-BASE',
  });
  await put(checkout, { 'tools/check.sh': 'echo WORD-OF-THE-CHECKOUT' });
  const sent = await session([]);
  expect(sent).toContain('WORD-OF-THE-BASE');
  expect(sent).not.toContain('WORD-OF-THE-CHECKOUT');
});

test('a directory of the checkout that `--add-dir` names brings no skills', async () => {
  const skill = (word: string) => ({ '.claude/skills/obey/SKILL.md': described(word) });
  await put(join(checkout, 'packages/one'), skill('WORD-OF-THE-CHECKOUT'));
  await put(join(root, 'other'), skill('WORD-OF-ANOTHER'));
  const sent = await session([], { arguments: parseClaudeArguments('--add-dir packages/one ../other') });
  expect(sent).toContain('WORD-OF-ANOTHER');
  expect(sent).not.toContain('WORD-OF-THE-CHECKOUT');
});

test('Claude reads the base and cannot change it', async () => {
  await put(base, { '.claude/skills/one/notes.md': 'notes of the base' });
  const notes = join(base, '.claude/skills/one/notes.md');
  await session([
    read(notes),
    edit(notes, 'notes', 'other'),
    write(join(base, '.claude/settings.json'), hooks('x')),
  ]);
  const [first, ...rest] = model.toolResults();
  expect(first!.text).toContain('notes of the base');
  expect(rest.map(({ isError }) => isError)).toEqual([true, true]);
  expect(existsSync(join(base, '.claude/settings.json'))).toBe(false);
});

test('memory of a directory is told with the first file that is read there', async () => {
  const trusted = { directory: base, nested: { src: 'MEMORY-OF-SRC' } };
  const asked = [
    read(join(checkout, 'README.md')),
    read(join(checkout, 'src/x.txt')),
    read(join(checkout, 'src/x.txt')),
  ];
  await session(asked, { trusted });
  const told = model.requests
    .filter(({ kind }) => kind === 'main')
    .map(({ body }) => JSON.stringify(body).split('MEMORY-OF-SRC').length - 1);
  expect(told).toEqual([0, 0, 1, 1]);
});

describe('the memory that a tool call brings', () => {
  const nested = { src: 'S', 'src/api': 'A', docs: 'D' };
  const hook = () => {
    const [tell] = nestedMemoryHooks({ directory: '/base', nested }, ['/repo/link', '/repo/real'])!
      .PostToolUse![0]!.hooks;
    return async (toolInput: object, agent?: string) => {
      const input = {
        hook_event_name: 'PostToolUse',
        cwd: '/repo/link',
        tool_input: toolInput,
        agent_id: agent,
      };
      const output = (await tell!(input as unknown as HookInput, undefined, {
        signal: new AbortController().signal,
      })) as { hookSpecificOutput?: { additionalContext: string } };
      return output.hookSpecificOutput?.additionalContext.match(/^[SAD]$/gm) ?? [];
    };
  };

  test.each<[string, object, string[]]>([
    ['a file below', { file_path: '/repo/link/src/a.js' }, ['S']],
    ['by its real path', { file_path: '/repo/real/src/a.js' }, ['S']],
    ['a relative path', { path: 'src/api' }, ['S', 'A']],
    ['a notebook', { notebook_path: '/repo/link/docs/a.ipynb' }, ['D']],
    ['a directory of a similar name', { file_path: '/repo/link/srcs/a.js' }, []],
    ['a file at the root', { file_path: '/repo/link/a.js' }, []],
    ['a file elsewhere', { file_path: '/repo/link/../src/a.js' }, []],
    ['no path', { command: 'ls src' }, []],
    ['no text', { file_path: 7 }, []],
  ])('%s', async (_, toolInput, expected) => {
    expect(await hook()(toolInput)).toEqual(expected);
  });

  test('is told once to each who looks', async () => {
    const tell = hook();
    const file = { file_path: '/repo/link/src/a.js' };
    expect([await tell(file), await tell(file), await tell(file, 'agent-1')]).toEqual([['S'], [], ['S']]);
    expect(await tell({ file_path: '/repo/link/src/api/a.js' })).toEqual(['A']);
  });
});
