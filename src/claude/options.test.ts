import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../mcp/tool.ts';
import { parseClaudeArguments } from './arguments.ts';
import { type SessionPlan, sdkOptions } from './options.ts';

let root: string;
let directory: string;

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'forgehand-options-')));
  directory = join(root, 'checkout');
  await mkdir(directory);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** The options of a plan whose `claude_args` are `args`. */
const optionsOf = (args = '', changes: Partial<SessionPlan> = {}) =>
  sdkOptions({
    executable: '/opt/claude',
    directory,
    scratch: root,
    environment: { PATH: '/usr/bin' },
    mark: 'mark',
    arguments: parseClaudeArguments(args),
    permissionMode: 'acceptEdits',
    allowedTools: ['Read'],
    disallowedTools: [],
    trustCheckout: true,
    settings: '',
    maxBudgetUsd: null,
    servers: [],
    systemAppend: null,
    fence: null,
    ...changes,
  });

const json = async (path: string, value: unknown) => {
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};

test('a plain plan: the environment is the given one, our own mode, every part of a trusted checkout', async () => {
  expect(await optionsOf()).toMatchObject({
    cwd: directory,
    env: { PATH: '/usr/bin' },
    pathToClaudeCodeExecutable: '/opt/claude',
    permissionMode: 'acceptEdits',
    allowDangerouslySkipPermissions: false,
    allowedTools: ['Read'],
    settingSources: ['user', 'project', 'local'],
    settings: { enableAllProjectMcpServers: true },
    strictMcpConfig: false,
    mcpServersDelivery: 'initialize',
    systemPrompt: { type: 'preset', preset: 'claude_code' },
  });
});

test.each<[string, string, Partial<SessionPlan>, object]>([
  [
    'tools add up',
    '--allowedTools "Bash(npm test:*)" --disallowedTools WebFetch',
    {},
    { allowedTools: ['Read', 'Bash(npm test:*)'], disallowedTools: ['WebFetch'] },
  ],
  [
    "the caller's permission mode wins",
    '--permission-mode plan',
    {},
    { permissionMode: 'plan', allowDangerouslySkipPermissions: false },
  ],
  [
    'bypassing permissions is allowed when it is asked for',
    '--permission-mode bypassPermissions',
    {},
    { permissionMode: 'bypassPermissions', allowDangerouslySkipPermissions: true },
  ],
  [
    'model and fallback',
    '--model opus --fallback-model sonnet',
    {},
    { model: 'opus', fallbackModel: 'sonnet' },
  ],
  ['limits', '--max-turns 7 --max-budget-usd 2.5', {}, { maxTurns: 7, maxBudgetUsd: 2.5 }],
  ['the input wins over the argument', '--max-budget-usd 2.5', { maxBudgetUsd: 1 }, { maxBudgetUsd: 1 }],
  ['a system prompt replaces', '--system-prompt "Be a poet."', {}, { systemPrompt: 'Be a poet.' }],
  [
    'or is appended, after our own words',
    '--append-system-prompt "Be brief."',
    { systemAppend: 'Be kind.' },
    { systemPrompt: { type: 'preset', preset: 'claude_code', append: 'Be kind.\n\nBe brief.' } },
  ],
  [
    'structured output',
    `--json-schema '{"type":"object"}'`,
    {},
    { outputFormat: { type: 'json_schema', schema: { type: 'object' } } },
  ],
  [
    'or goes on after another system prompt',
    '--system-prompt "Be a poet." --append-system-prompt "Rhyme."',
    { systemAppend: 'Be kind.' },
    { systemPrompt: 'Be a poet.\n\nBe kind.\n\nRhyme.' },
  ],
  [
    'plugins that were installed',
    '',
    { plugins: ['/run/greeter'] },
    { plugins: [{ type: 'local', path: '/run/greeter' }] },
  ],
  ['setting sources', '--setting-sources user,project', {}, { settingSources: ['user', 'project'] }],
  [
    'what Forgehand does not know goes on',
    '--shiny new --verbose',
    {},
    { extraArgs: { shiny: 'new', verbose: null } },
  ],
])('%s', async (_, args, changes, expected) => {
  expect(await optionsOf(args, changes)).toMatchObject(expected);
});

test('no limits unless they are given', async () => {
  const options = await optionsOf();
  for (const name of ['maxTurns', 'maxBudgetUsd', 'model', 'fallbackModel', 'outputFormat'])
    expect(options).not.toHaveProperty(name);
});

test('prompts and plugins in files start at the checkout', async () => {
  await writeFile(join(directory, 'poet.md'), 'Be a poet.');
  await writeFile(join(root, 'rhyme.md'), 'Rhyme.');
  await mkdir(join(directory, 'tools'));
  const args = '--system-prompt-file poet.md --append-system-prompt-file ../rhyme.md --plugin-dir ./tools';
  expect(await optionsOf(args)).toMatchObject({
    systemPrompt: 'Be a poet.\n\nRhyme.',
    plugins: [{ type: 'local', path: join(directory, 'tools') }],
  });
  await expect(optionsOf('--plugin-dir nowhere')).rejects.toThrow(
    /^Input `claude_args`: `--plugin-dir`: `nowhere` cannot be read: ENOENT/,
  );
});

test('added directories start at the checkout', async () => {
  const { additionalDirectories } = await optionsOf('--add-dir ../other /srv/data');
  expect(additionalDirectories).toEqual([join(root, 'other'), '/srv/data']);
});

describe('settings', () => {
  const given = { permissions: { deny: ['WebFetch'] }, env: { A: '1' } };

  test('as JSON', async () => {
    const { settings } = await optionsOf('', { settings: `\n ${JSON.stringify(given)}` });
    expect(settings).toEqual({ enableAllProjectMcpServers: true, ...given });
  });

  test.each([
    ['relative to the checkout', 'ci/settings.json'],
    ['absolute', '/outside.json'],
  ])('as a path, %s', async (_, path) => {
    await mkdir(join(directory, 'ci'));
    const absolute = path.startsWith('/') ? join(root, path) : join(directory, path);
    await json(absolute, given);
    const { settings } = await optionsOf('', { settings: path.startsWith('/') ? absolute : path });
    expect(settings).toMatchObject(given);
  });

  test("the caller's word on the checkout's servers wins", async () => {
    const { settings } = await optionsOf('', { settings: '{"enableAllProjectMcpServers": false}' });
    expect(settings).toEqual({ enableAllProjectMcpServers: false });
  });

  test('the flag of `claude_args` counts too, and wins', async () => {
    const options = await optionsOf(`--settings '{"model":"b"}'`, {
      settings: '{"model":"a","cleanupPeriodDays":3}',
    });
    expect(options.settings).toMatchObject({ model: 'b', cleanupPeriodDays: 3 });
    expect(options.extraArgs).toEqual({});
  });

  test('both are merged as Claude Code merges its own files: objects by key, lists one after the other', async () => {
    const flag = { permissions: { deny: ['WebSearch', 'WebFetch'], allow: ['Read'] }, env: { B: '2' } };
    const { settings } = await optionsOf(`--settings '${JSON.stringify(flag)}'`, {
      settings: JSON.stringify(given),
    });
    expect(settings).toMatchObject({
      permissions: { deny: ['WebFetch', 'WebSearch'], allow: ['Read'] },
      env: { A: '1', B: '2' },
    });
  });

  test('what cannot be read is not quoted, as there are secrets in it', async () => {
    for (const settings of ['{"env":{"KEY":"sk-secret"},}', '{"KEY":"sk-secret" "B":1}', '{"a":sk-secret}'])
      await expect(optionsOf('', { settings })).rejects.toMatchObject({
        message: expect.not.stringContaining('secret'),
      });
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', '{oops', /^Input `settings` is not valid JSON: /],
    ['a file that is not there', 'missing.json', /^Input `settings`: `missing\.json` cannot be read: ENOENT/],
    ['a folder', '.', /^Input `settings`: `\.` cannot be read: EISDIR/],
    ['a file without JSON', 'bad.json', /^Input `settings`: `bad\.json` is not valid JSON: /],
    ['a file with a list', 'list.json', /^Input `settings`: `list\.json` must be a JSON object\.$/],
  ])('%s is refused by name', async (_, settings, message) => {
    await json(join(directory, 'bad.json'), 'model: opus');
    await json(join(directory, 'list.json'), []);
    await expect(optionsOf('', { settings })).rejects.toMatchObject({
      reason: 'invalid_input',
      message: expect.stringMatching(message),
    });
  });
});

describe('MCP servers', () => {
  const one = { type: 'stdio', command: 'one' };
  const two = { type: 'http', url: 'http://127.0.0.1/two' };

  test('several configurations, inline and in files, are merged; the later one wins', async () => {
    await json(join(directory, 'mcp.json'), { mcpServers: { one, two: one } });
    const inline = JSON.stringify({ mcpServers: { two, three: one } });
    const { mcpServers } = await optionsOf(`--mcp-config mcp.json '${inline}' --mcp-config '{}'`);
    expect(mcpServers).toEqual({ one, two, three: one });
  });

  test('our own servers are there, in the first request, and no configuration replaces them', async () => {
    const server = {
      name: 'github_comment',
      tools: [
        defineTool({
          name: 'say',
          description: 'Says.',
          inputSchema: { text: z.string() },
          run: async () => 'said',
        }),
      ],
    };
    const theirs = JSON.stringify({ mcpServers: { github_comment: one, mine: two } });
    const { mcpServers } = await optionsOf(`--mcp-config '${theirs}'`, { servers: [server] });
    expect(mcpServers).toMatchObject({ mine: two, github_comment: { type: 'sdk', name: 'github_comment' } });
  });

  test.each<[string, RegExp]>([
    ['nowhere.json', /^Input `claude_args`: `--mcp-config`: `nowhere\.json` cannot be read: ENOENT/],
    [`'{"mcpServers":'`, /^Input `claude_args`: `--mcp-config` is not valid JSON: /],
    [`'{"servers":{}}'`, /^Input `claude_args`: `--mcp-config` has no `mcpServers` object\.$/],
    ['list.json', /^Input `claude_args`: `--mcp-config`: `list\.json` has no `mcpServers` object\.$/],
    ['bad.json', /`bad\.json`: server `tools` has no `command` and no `url`\.$/],
  ])('%s is refused by name', async (config, message) => {
    await json(join(directory, 'list.json'), { mcpServers: [] });
    await json(join(directory, 'bad.json'), { mcpServers: { fine: one, tools: { cmd: 'npx' } } });
    await expect(optionsOf(`--mcp-config ${config}`)).rejects.toThrow(message);
  });
});

describe('a checkout that is not trusted', () => {
  const untrusted = { trustCheckout: false };

  test("says nothing about Claude Code: the user's settings alone, no memory files, no servers of its own", async () => {
    const given = `{"claudeMdExcludes":["/elsewhere/**"]}`;
    const options = await optionsOf('--setting-sources user,project,local', {
      ...untrusted,
      settings: given,
    });
    expect(options).toMatchObject({
      settingSources: ['user'],
      strictMcpConfig: true,
      settings: { claudeMdExcludes: ['/elsewhere/**', `${directory}/**`] },
    });
    expect(options.settings).not.toHaveProperty('enableAllProjectMcpServers');
  });

  test('with a trusted project beside it: everything from there, and still nothing from the checkout', async () => {
    const trusted = { directory: join(root, 'base'), nested: {} };
    const options = await optionsOf('--add-dir packages ../other', { ...untrusted, trusted });
    expect(options).toMatchObject({
      projectConfigRoot: trusted.directory,
      additionalDirectories: [join(root, 'other'), trusted.directory],
      disallowedTools: [`Edit(/${trusted.directory}/**)`],
      settingSources: ['user', 'project', 'local'],
      strictMcpConfig: false,
      settings: { enableAllProjectMcpServers: true, claudeMdExcludes: [`${directory}/**`] },
    });
  });

  test('memory files are left out under the real path, which is how Claude Code looks for them', async () => {
    const link = join(root, 'link');
    await symlink(directory, link);
    const { settings } = await optionsOf('', { ...untrusted, directory: link });
    expect(settings).toMatchObject({ claudeMdExcludes: [`${directory}/**`] });
  });

  test('the flag of `claude_args` cannot take that back', async () => {
    const { settings } = await optionsOf(`--settings '{"claudeMdExcludes":[]}'`, untrusted);
    expect(settings).toEqual({ claudeMdExcludes: [`${directory}/**`] });
  });

  test.each<[string, string, Partial<SessionPlan>]>([
    ['the input `settings`', '', { settings: 'ci.json' }],
    ['its absolute path', '', { settings: 'ABSOLUTE' }],
    ['a link to it', '', { settings: 'LINK' }],
    ['a link that leads out of it', '', { settings: 'out.json' }],
    ['`--settings`', '--settings ci.json', {}],
    ['`--mcp-config`', '--mcp-config ./ci.json', {}],
    ['`--plugin-dir`', '--plugin-dir ci.json', {}],
    ['`--system-prompt-file`', '--system-prompt-file ci.json', {}],
    ['`--append-system-prompt-file`', '--append-system-prompt-file=./ci.json', {}],
  ])('%s cannot name a file in it: that would be the contributor speaking', async (_, args, changes) => {
    const inside = await json(join(directory, 'ci.json'), { hooks: {}, mcpServers: {} });
    await symlink(inside, join(root, 'link.json'));
    await symlink(await json(join(root, 'outside.json'), {}), join(directory, 'out.json'));
    const settings = changes.settings?.replace('ABSOLUTE', inside).replace('LINK', join(root, 'link.json'));
    const plan = settings ? { settings } : {};
    await expect(optionsOf(args, { ...untrusted, ...plan })).rejects.toMatchObject({
      reason: 'invalid_input',
      message: expect.stringContaining('not trusted'),
    });
    // The control: the same words are fine where the checkout is trusted, but for a link that Claude may have made.
    const trusted = optionsOf(args, plan);
    if (settings !== 'out.json') await expect(trusted).resolves.toBeDefined();
    else await expect(trusted).rejects.toThrow('`out.json` is a link that leads out of the checkout.');
  });

  test('a file outside of it, which an earlier step has written, is fine', async () => {
    const outside = await json(join(root, '..settings.json'), { model: 'opus' });
    expect((await optionsOf('', { ...untrusted, settings: outside })).settings).toMatchObject({
      model: 'opus',
    });
  });
});
