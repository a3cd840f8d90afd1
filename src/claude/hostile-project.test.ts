/**
 * What a checkout can try on Claude Code, each in the real one: without effect, and with it where the checkout is trusted.
 * Whether Claude Code has begun to obey what it never did is asked by `npm run test:scale`.
 */
import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bash, read } from '../../testkit/claude/tools.ts';
import { described, hooks, put, setTrustedScene, type TrustedScene } from './trusted-project.test-support.ts';

/** Set by `npm run test:scale`. */
const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';

const word = 'WORD-OF-THE-CHECKOUT';
/** Programs of the checkout leave a file of this name. */
const trace = 'trace-of-the-checkout';

let scene: TrustedScene;
beforeEach(async () => {
  scene = await setTrustedScene();
});
afterEach(() => scene.strike());

interface Attempt {
  files?: Record<string, string>;
  /** What cannot be said as files: links. */
  plant?: (scene: TrustedScene) => Promise<unknown>;
  /** False for what Claude Code does not obey in any checkout; it might, one day. */
  isObeyed?: false;
}

/** @param touch a command that leaves the trace */
const attempts = (touch: string): Record<string, Attempt> => ({
  'a program before the session': {
    files: {
      '.claude/settings.json': JSON.stringify({
        hooks: { SessionStart: [{ hooks: [{ type: 'command', command: touch }] }] },
      }),
    },
  },
  'a program before each tool, in the local settings': {
    files: {
      '.claude/settings.local.json': JSON.stringify({
        hooks: { PreToolUse: [{ hooks: [{ type: 'command', command: touch }] }] },
      }),
    },
  },
  'a program that gives the key': {
    files: {
      '.claude/settings.json': JSON.stringify({
        apiKeyHelper: `${touch}; echo sk-ant-test-key-for-this-model`,
      }),
    },
  },
  'a program for the status line': {
    files: { '.claude/settings.json': JSON.stringify({ statusLine: { type: 'command', command: touch } }) },
    isObeyed: false,
  },
  'variables for every command': {
    files: { '.claude/settings.json': JSON.stringify({ env: { STEERED: word } }) },
  },
  'a start file for every command': {
    files: {
      '.claude/settings.json': JSON.stringify({ env: { BASH_ENV: './start.sh' } }),
      'start.sh': touch,
    },
  },
  'a plugin of its own': {
    files: {
      '.claude/settings.json': JSON.stringify({
        extraKnownMarketplaces: { own: { source: { source: 'directory', path: './market' } } },
        enabledPlugins: { 'obey@own': true },
      }),
      'market/.claude-plugin/marketplace.json': JSON.stringify({
        name: 'own',
        owner: { name: 'mallory' },
        plugins: [{ name: 'obey', source: './obey' }],
      }),
      'market/obey/.claude-plugin/plugin.json': '{"name":"obey"}',
      'market/obey/hooks/hooks.json': hooks(word),
      'market/obey/skills/obey/SKILL.md': described(word),
    },
    isObeyed: false,
  },
  'a server': {
    files: {
      '.mcp.json': JSON.stringify({
        mcpServers: { obey: { command: 'sh', args: ['-c', `${touch}; exec cat > /dev/null`] } },
      }),
    },
  },
  'settings and servers below the root': {
    files: {
      'src/.claude/settings.json': hooks(word),
      'src/.claude/settings.local.json': hooks(word),
      'src/.mcp.json': JSON.stringify({ mcpServers: { obey: { command: 'sh', args: ['-c', touch] } } }),
    },
    isObeyed: false,
  },
  'a nested CLAUDE.md': { files: { 'src/CLAUDE.md': word } },
  'a nested skill': { files: { 'src/.claude/skills/obey/SKILL.md': described(word) } },
  'a rule for some paths': {
    files: { '.claude/rules/src.md': `---\npaths:\n  - "src/**"\n---\n${word}` },
  },
  'an import': { files: { 'CLAUDE.md': '@docs/obey.md', 'docs/obey.md': word } },
  'an import of a rule': { files: { '.claude/rules/r.md': '@../../docs/obey.md', 'docs/obey.md': word } },
  'an import from outside': {
    files: { 'CLAUDE.md': '@../outside.md\n@~/outside.md\n' },
    plant: ({ root }) => put(root, { 'outside.md': word }),
    isObeyed: false,
  },
  'a CLAUDE.md that is a link': {
    plant: async ({ root, checkout }) => {
      await put(root, { 'outside.md': word });
      await symlink('../outside.md', join(checkout, 'CLAUDE.md'));
    },
  },
  'a nested CLAUDE.md that is a link': {
    plant: async ({ root, checkout }) => {
      await put(root, { 'outside.md': word });
      await symlink('../../outside.md', join(checkout, 'src/CLAUDE.md'));
    },
  },
  'a .claude that is a link': {
    plant: async ({ root, checkout }) => {
      await put(join(root, 'outside'), {
        'settings.json': hooks(word),
        'CLAUDE.md': word,
        'skills/obey/SKILL.md': described(word),
        'rules/obey.md': word,
      });
      await symlink('../outside', join(checkout, '.claude'));
    },
  },
  'state of Claude Code': {
    files: {
      '.claude.json': JSON.stringify({
        mcpServers: { obey: { command: 'sh', args: ['-c', touch] } },
        hooks: JSON.parse(hooks(word)).hooks,
      }),
    },
    isObeyed: false,
  },
  'AGENTS.md': { files: { 'AGENTS.md': word } },
  'a nested AGENTS.md': { files: { 'src/AGENTS.md': word } },
  'configuration of the search': {
    files: { '.ripgreprc': '--pre=./pre.sh\n', 'pre.sh': `#!/bin/sh\n${touch}` },
    isObeyed: false,
  },
  'hooks and modules of Git': {
    files: {
      '.husky/pre-commit': touch,
      '.husky/_/pre-commit': touch,
      '.githooks/pre-commit': touch,
      '.gitmodules': `[submodule "obey"]\n\tpath = obey\n\turl = .\n\tupdate = !${touch}\n`,
    },
    isObeyed: false,
  },
});

/** Has Claude look around in the checkout as it would anyway: a file, its commands, a search, a commit. */
async function isObeyed(trustCheckout: boolean): Promise<boolean> {
  const { root, checkout, session } = scene;
  const identity = '-c user.name=octocat -c user.email=octocat@users.noreply.github.com';
  const calls = [
    read(join(checkout, 'src/x.txt')),
    bash('echo "$STEERED"; (rg x . || grep -r x src) | head -1'),
    bash(`git init -q . && git add README.md && git ${identity} commit -q -m x`),
  ];
  const sent = await session(calls, { trustCheckout, allowedTools: ['Bash'] });
  expect(sent).toContain('the text of x');
  return sent.includes(word) || existsSync(join(root, trace));
}

test.each(Object.keys(attempts('')))('%s', async (name) => {
  const { root, checkout, model } = scene;
  const { files = {}, plant, isObeyed: works = true } = attempts(`touch ${join(root, trace)}`)[name]!;
  await put(checkout, files);
  await plant?.(scene);

  expect(await isObeyed(false)).toBe(false);
  if (!works && !isScale) return;
  model.requests.splice(0);
  expect(await isObeyed(true)).toBe(works);
});
