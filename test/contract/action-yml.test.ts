import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { actionYml } from '../../scripts/action-yml.ts';
import { inputsPage } from '../../scripts/inputs-page.ts';
import { outputs } from '../../src/action/outputs.ts';
import { settings } from '../../src/words/settings.ts';

/** Inputs of `anthropics/claude-code-action@v1` with their defaults: a workflow keeps working when only `uses:` changes. */
const peerInputs: Record<string, string | undefined> = {
  trigger_phrase: '@claude',
  assignee_trigger: undefined,
  label_trigger: 'claude',
  base_branch: undefined,
  branch_prefix: 'claude/',
  branch_name_template: undefined,
  allowed_bots: undefined,
  allowed_non_write_users: undefined,
  include_comments_by_actor: undefined,
  exclude_comments_by_actor: undefined,
  prompt: undefined,
  settings: undefined,
  anthropic_api_key: undefined,
  claude_code_oauth_token: undefined,
  anthropic_federation_rule_id: undefined,
  anthropic_organization_id: undefined,
  anthropic_service_account_id: undefined,
  anthropic_workspace_id: undefined,
  anthropic_oidc_audience: 'https://api.anthropic.com',
  github_token: undefined,
  use_bedrock: 'false',
  use_vertex: 'false',
  use_foundry: 'false',
  claude_args: undefined,
  additional_permissions: undefined,
  use_sticky_comment: 'false',
  classify_inline_comments: 'true',
  use_commit_signing: 'false',
  ssh_signing_key: undefined,
  bot_id: '41898282',
  bot_name: 'claude[bot]',
  track_progress: 'false',
  include_fix_links: 'true',
  path_to_claude_code_executable: undefined,
  path_to_bun_executable: undefined,
  display_report: 'false',
  show_full_output: 'false',
  plugins: undefined,
  plugin_marketplaces: undefined,
};
const peerOutputs = [
  'conclusion',
  'execution_file',
  'branch_name',
  'github_token',
  'structured_output',
  'session_id',
];

const text = readFileSync('action.yml', 'utf8');
const action = parse(text) as {
  inputs: Record<string, { default?: string; description: string }>;
  outputs: Record<string, { description: string }>;
  runs: Record<string, string>;
};

test('action.yml is what the settings say', () => {
  expect(text).toBe(actionYml());
});

test('docs/inputs.md is what the settings say', () => {
  expect(readFileSync('docs/inputs.md', 'utf8')).toBe(inputsPage());
});

test.each(Object.entries(peerInputs))('input %s exists with the same default', (name, preset) => {
  expect(action.inputs[name]).toBeDefined();
  expect(action.inputs[name]?.default).toBe(preset);
});

test('every setting is an input with a description, and every output is declared', () => {
  expect(Object.keys(action.inputs)).toEqual(Object.keys(settings));
  expect(Object.values(action.inputs).filter((input) => !input.description)).toEqual([]);
  expect(Object.keys(action.outputs)).toEqual(Object.keys(outputs));
  for (const name of peerOutputs) expect(action.outputs).toHaveProperty(name);
});

test('main and post are the built bundles, and post always runs', () => {
  expect(action.runs).toEqual({
    using: 'node24',
    main: 'dist/main.mjs',
    post: 'dist/post.mjs',
    'post-if': 'always()',
  });
});
