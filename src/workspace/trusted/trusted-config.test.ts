import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  commit,
  makeProject,
  type Project,
  shellGit,
  temporary,
  write,
} from '../local-remote.test-support.ts';
import { copyTrustedConfiguration, type TrustedRequest } from './trusted-config.ts';

/** The configuration of a base, copied for a checkout that stands at `head`. */
async function copyOf(
  project: Project,
  { head, ...change }: Partial<TrustedRequest> & { base: string; head?: string },
) {
  const directory = join(temporary(), 'configuration');
  mkdirSync(directory);
  const copied = await copyTrustedConfiguration({
    gitDirectory: join(project.source, '.git'),
    directory,
    store: join(temporary(), 'store'),
    remote: () => Promise.reject(new Error('nothing is to be fetched')),
    environment: { PATH: process.env.PATH },
    ...change,
  });
  const differing = await copied.differing(head ?? change.base);
  return { ...copied, differing, text: (path: string) => readFileSync(join(directory, path), 'utf8') };
}

/** Paths of all files below a directory. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(directory, path)).isFile())
    .sort();
}

test('what configures Claude Code is copied, and nothing else', async () => {
  const project = makeProject();
  const files = {
    'CLAUDE.md': 'root',
    '.mcp.json': '{}',
    '.claude/settings.json': '{}',
    '.claude/skills/one/SKILL.md': 'skill',
    '.claude/agents/one.md': 'agent',
    '.claude/commands/one.md': 'command',
  };
  const base = commit(project.source, { ...files, 'src/index.js': 'code', 'docs/CLAUDE.md.txt': 'text' });
  const { directory, nested, text, differing } = await copyOf(project, { base });
  expect(filesIn(directory)).toEqual(Object.keys(files).sort());
  expect(text('.claude/skills/one/SKILL.md')).toBe('skill');
  expect({ nested, differing }).toEqual({ nested: {}, differing: [] });
});

test('scripts can be run', async () => {
  const project = makeProject();
  write(project.source, '.claude/hooks/check.sh', '#!/bin/sh\n');
  shellGit(project.source, 'add', '-A');
  shellGit(project.source, 'update-index', '--chmod=+x', '.claude/hooks/check.sh');
  shellGit(project.source, 'commit', '-q', '-m', 'Check');
  const base = shellGit(project.source, 'rev-parse', 'HEAD');
  const { directory } = await copyOf(project, { base });
  expect(statSync(join(directory, '.claude/hooks/check.sh')).mode & 0o111).not.toBe(0);
});

describe('memory', () => {
  test('of directories below the root is told apart, their skills by where they are', async () => {
    const project = makeProject();
    const base = commit(project.source, {
      'src/CLAUDE.md': 'for src',
      'src/api/.claude/CLAUDE.md': 'for the API',
      'web/.claude/skills/paint/SKILL.md': 'how to paint',
    });
    const { directory, nested } = await copyOf(project, { base });
    expect(nested).toEqual({
      src: 'for src',
      'src/api': 'for the API',
      web: `A skill for web is described in ${join(directory, 'web/.claude/skills/paint/SKILL.md')}.`,
    });
  });

  test('brings what it imports, and what that imports', async () => {
    const project = makeProject();
    const base = commit(project.source, {
      'CLAUDE.md': 'Read @docs/style.md and @AGENTS.md.\n@AGENTS.md\n',
      'AGENTS.md': 'agents',
      'docs/style.md': 'style\n- @more.md',
      'docs/more.md': 'more, as in @../CLAUDE.md',
    });
    const { text } = await copyOf(project, { base });
    expect(text('CLAUDE.md').match(/^(?:style|agents|more).*$/gm)).toEqual([
      'style',
      'more, as in @../CLAUDE.md',
      'agents',
    ]);
  });

  test('is AGENTS.md where the root has none of its own', async () => {
    const project = makeProject();
    const agents = { 'AGENTS.md': 'agents @docs/style.md', 'docs/style.md': 'style', 'src/AGENTS.md': 'src' };
    const alone = await copyOf(project, { base: commit(project.source, agents) });
    expect(alone.text('CLAUDE.md')).toMatch(/^agents[\s\S]*style$/);
    expect(alone.nested).toEqual({ src: 'src' });
    const both = await copyOf(project, { base: commit(project.source, { 'CLAUDE.md': 'own' }) });
    expect(both.text('CLAUDE.md')).toBe('own');
    expect(both.nested).toEqual({});
  });

  test.each([
    ['in a block of code', '```\n@secret.md\n```\n'],
    ['in a span of code', 'as `@secret.md` shows\n'],
    ['of a person', '@secret\n'],
    ['in an address', 'me@secret.md\n'],
  ])('brings nothing for a name %s', async (_, claude) => {
    const project = makeProject();
    const base = commit(project.source, { 'CLAUDE.md': claude, 'secret.md': 'SECRET' });
    expect((await copyOf(project, { base })).text('CLAUDE.md')).toBe(claude);
  });

  test.each(['@/etc/passwd', '@~/.ssh/id_ed25519', '@../outside.md', '@.git/config'])(
    'imports nothing from outside of the tree: %s',
    async (name) => {
      const project = makeProject();
      write(project.root, 'outside.md', 'OUTSIDE');
      const base = commit(project.source, { 'CLAUDE.md': `${name}\n` });
      expect((await copyOf(project, { base })).text('CLAUDE.md')).toBe(`${name}\n`);
    },
  );

  test('a rule for some paths says so: Claude Code would look for them in the copy', async () => {
    const project = makeProject();
    const rule = '---\npaths:\n  - "src/**"\n---\nNo classes.\n';
    const base = commit(project.source, { '.claude/rules/src.md': rule });
    const { text } = await copyOf(project, { base });
    expect(text('.claude/rules/src.md')).toMatch(
      /^This rule counts only for these files:[\s\S]*src\/\*\*[\s\S]*No classes/,
    );
  });
});

test('files that settings and servers start are copied too', async () => {
  const project = makeProject();
  const hook = { hooks: [{ type: 'command', command: '"$CLAUDE_PROJECT_DIR"/tools/check.sh --all' }] };
  const base = commit(project.source, {
    '.claude/settings.json': JSON.stringify({ hooks: { Stop: [hook] } }),
    '.mcp.json': JSON.stringify({ mcpServers: { one: { command: 'node', args: ['./tools/server.js'] } } }),
    'tools/check.sh': 'check',
    'tools/server.js': 'serve',
    'tools/other.js': 'other',
  });
  const { text, directory } = await copyOf(project, { base });
  expect([text('tools/check.sh'), text('tools/server.js')]).toEqual(['check', 'serve']);
  expect(filesIn(directory)).not.toContain('tools/other.js');
});

describe('links', () => {
  test.each<[string, (source: string) => void, string]>([
    ['to a file', (source) => symlinkSync('AGENTS.md', join(source, 'CLAUDE.md')), 'CLAUDE.md'],
    ['to a directory', (source) => symlinkSync('shared', join(source, '.claude')), '.claude/agents/one.md'],
    [
      'to a link',
      (source) => {
        symlinkSync('second', join(source, '.claude'));
        symlinkSync('shared', join(source, 'second'));
      },
      '.claude/agents/one.md',
    ],
  ])('%s are followed', async (_, make, path) => {
    const project = makeProject({ 'AGENTS.md': 'linked', 'shared/agents/one.md': 'linked' });
    make(project.source);
    const base = commit(project.source, {});
    expect((await copyOf(project, { base })).text(path)).toBe('linked');
  });

  test.each([
    ['out of the tree', '../../outside.md'],
    ['to an absolute path', '/etc/hostname'],
    ['to themselves', 'CLAUDE.md'],
    ['nowhere', 'missing.md'],
  ])('%s bring nothing', async (_, target) => {
    const project = makeProject();
    symlinkSync(target, join(project.source, 'CLAUDE.md'));
    const base = commit(project.source, {});
    expect(filesIn((await copyOf(project, { base })).directory)).toEqual([]);
  });

  test('in a circle of directories end', async () => {
    const project = makeProject({ '.claude/agents/one.md': 'agent' });
    symlinkSync('..', join(project.source, '.claude/up'));
    const base = commit(project.source, {});
    const { text } = await copyOf(project, { base });
    expect(text('.claude/agents/one.md')).toBe('agent');
  });
});

/** Git makes no such trees; a server may have one all the same. */
test.each(['..', '.git', '.GIT', 'a\\b'])(
  'a forged tree writes nothing outside of the copy: %s',
  async (name) => {
    const project = makeProject();
    const object = (type: string, text: string | Buffer) =>
      execFileSync('git', ['hash-object', '-t', type, '-w', '--stdin', '--literally'], {
        ...{ cwd: project.source, input: text, encoding: 'utf8' },
      }).trim();
    const tree = (mode: string, entry: string, sha: string) =>
      object('tree', Buffer.concat([Buffer.from(`${mode} ${entry}\0`), Buffer.from(sha, 'hex')]));
    const rules = tree('100644', 'CLAUDE.md', object('blob', 'OUTSIDE'));
    const base = shellGit(project.source, 'commit-tree', tree('40000', name, rules), '-m', 'Forged');
    const { directory, nested } = await copyOf(project, { base });
    expect([filesIn(join(directory, '..')), nested]).toEqual([expect.not.arrayContaining(['CLAUDE.md']), {}]);
    expect(filesIn(directory)).toEqual([]);
  },
);

test('what differs in the checkout is named: changed, added, removed, imported, linked', async () => {
  const project = makeProject();
  const base = commit(project.source, {
    'CLAUDE.md': '@docs/style.md',
    'docs/style.md': 'style',
    'src/CLAUDE.md': 'for src',
    '.mcp.json': '{}',
    '.claude/agents/same.md': 'same',
    'index.js': 'code',
  });
  shellGit(project.source, 'rm', '-q', '.mcp.json');
  const head = commit(project.source, {
    'docs/style.md': 'OBEY',
    'src/CLAUDE.md': 'OBEY',
    'deep/er/.claude/settings.json': 'OBEY',
    'index.js': 'other code',
  });
  const { differing, text } = await copyOf(project, { base, head });
  expect(differing).toEqual(['.mcp.json', 'deep/er/.claude/settings.json', 'docs/style.md', 'src/CLAUDE.md']);
  expect(text('CLAUDE.md')).not.toContain('OBEY');
});

describe('limits', () => {
  test.each([
    [
      'too many files',
      Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`.claude/agents/${n}.md`, 'x'])),
    ],
    ['too many bytes', { '.claude/skills/one/data.bin': 'x'.repeat(2 ** 24 + 1) }],
  ])('%s are refused with a remedy', async (_, files) => {
    const project = makeProject();
    const base = commit(project.source, files);
    await expect(copyOf(project, { base })).rejects.toMatchObject({
      reason: 'invalid_input',
      remedy: expect.stringContaining('.claude'),
    });
  });

  test('of the base only: a pull request cannot take its configuration away', async () => {
    const project = makeProject();
    const base = commit(project.source, { 'CLAUDE.md': 'base' });
    const files = Array.from({ length: 1001 }, (_, n) => [`.claude/agents/${n}.md`, 'x']);
    const head = commit(project.source, Object.fromEntries(files));
    const { text, differing } = await copyOf(project, { base, head });
    expect(text('CLAUDE.md')).toBe('base');
    expect(differing).toHaveLength(1001);
  });
});

test.each([
  ['a shallow checkout of another commit', ['--depth=1', '--branch=change']],
  ['a partial clone', ['--filter=blob:none', '--no-checkout']],
])('%s: what is not here is fetched, and the checkout stays as it is', async (_, options) => {
  const project = makeProject();
  shellGit(project.bare, 'config', 'uploadpack.allowFilter', 'true');
  shellGit(project.bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const base = commit(project.source, { 'CLAUDE.md': 'base @docs/style.md', 'docs/style.md': 'style' });
  shellGit(project.source, 'checkout', '-q', '-b', 'change');
  const head = commit(project.source, { 'CLAUDE.md': 'OBEY' });
  shellGit(project.source, 'push', '-q', 'origin', 'HEAD', `${base}:refs/heads/main`);
  const clone = join(project.root, 'clone');
  shellGit(project.root, 'clone', '-q', ...options, `file://${project.bare}`, clone);
  const before = filesIn(join(clone, '.git'));
  const { text, differing } = await copyOf(project, {
    ...{ base, head, gitDirectory: join(clone, '.git') },
    remote: async () => project.fileRemote,
  });
  expect(text('CLAUDE.md')).toMatch(/^base[\s\S]*style$/);
  expect(differing).toEqual(['CLAUDE.md']);
  expect(filesIn(join(clone, '.git'))).toEqual(before);
});

test('a base that the server does not have either is a failure of git', async () => {
  const project = makeProject();
  const head = shellGit(project.source, 'rev-parse', 'HEAD');
  const remote = async () => project.fileRemote;
  await expect(copyOf(project, { base: 'a'.repeat(40), head, remote })).rejects.toMatchObject({
    reason: 'git_failed',
  });
});
