/** What a workflow gives Claude Code of its own: plugins, MCP servers, settings and a model, all at once and in the fence. */
import { expect, test } from 'vitest';
import { octoMarketplace } from '../../testkit/claude/marketplace.ts';
import { bash, mcp } from '../../testkit/claude/tools.ts';
import { expectFailure, expectSuccess, expectTidy } from './expectations.ts';
import { openPull } from './pulls.ts';
import { setStage } from './stage.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: Claude Code replaces it, from the settings' `env` too
const replaced = '${OF_THE_WORKFLOW:-nothing}';
/** An MCP server of one tool, which says how it was started. */
const server = `
import { createInterface } from 'node:readline';
const { GREETING, OF_THE_WORKFLOW } = process.env;
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'say', version: '1' } }),
  'tools/list': () => ({ tools: [{ name: 'say', description: 'Says.', inputSchema: { type: 'object' } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: [process.argv[2], GREETING, OF_THE_WORKFLOW].join(' ') }] }),
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answers[method]?.(params) ?? {} }));
});
`;
const serverCalled = (name: string, env = {}) => ({ command: 'node', args: ['say.mjs', name], env });

test('plugins, MCP servers from a file and inline, settings, and the nearer of two models', async () => {
  await using stage = await setStage([
    { tools: [mcp('filed', 'say'), mcp('inline', 'say'), bash('printenv OF_THE_WORKFLOW')] },
    { text: 'Done.' },
  ]);
  const inline = {
    mcpServers: { inline: serverCalled('inline', { GREETING: replaced }) },
  };
  const files = {
    ...octoMarketplace('marketplace'),
    'say.mjs': server,
    'servers.json': JSON.stringify({ mcpServers: { filed: serverCalled('filed') } }),
    'settings.json': JSON.stringify({ env: { OF_THE_WORKFLOW: 'settings' } }),
  };
  await stage.repository.addCommit({ branch: 'main', message: 'Tools', files });
  const run = await stage.run({
    event: await stage.github.event.workflowDispatch(stage.repository.record),
    inputs: {
      prompt: '/greeter:greet octocat',
      plugin_marketplaces: './marketplace',
      plugins: 'greeter@octo-tools',
      settings: 'settings.json',
      claude_args: `--model claude-nearer-model --mcp-config servers.json '${JSON.stringify(inline)}'
        --allowedTools mcp__filed,mcp__inline Bash(printenv:*)`,
    },
    env: { ANTHROPIC_MODEL: 'claude-farther-model' },
  });

  expectSuccess(run);
  const [first] = stage.model.main;
  expect(JSON.stringify(first!.body)).toContain('GREETING-OF-THE-PLUGIN for octocat');
  expect(first!.body.model).toBe('claude-nearer-model');
  const results = stage.model.toolResults().map(({ text }) => text.trim());
  expect(results).toEqual(['filed  settings', 'inline settings settings', 'settings']);
  expectTidy(run, stage);
});

test('a marketplace in a pull request’s checkout is refused, as it is the contributor’s', async () => {
  await using stage = await setStage();
  const files = octoMarketplace('marketplace');
  await stage.repository.addCommit({ branch: 'main', message: 'Tools', files });
  const pull = await openPull(stage);
  const run = await stage.run({
    event: await stage.github.event.pullRequest(pull, 'synchronize'),
    inputs: { prompt: 'Review.', plugin_marketplaces: './marketplace', plugins: 'greeter' },
  });
  expectFailure(run, 'invalid_input', /`\.\/marketplace` is in the checkout, which is not trusted/);
});
