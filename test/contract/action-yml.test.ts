import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { actionYml, baseActionYml } from '../../scripts/action-yml.ts';
import { baseReadme, inputsPage } from '../../scripts/inputs-page.ts';
import { baseOutputs, outputs } from '../../src/action/outputs.ts';
import { baseInputs } from '../../src/words/prompt-settings.ts';
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
/** Inputs of ours with their defaults. */
const ownInputs: Record<string, string | undefined> = {
  app_id: undefined,
  app_private_key: undefined,
  token_exchange_url: 'https://api.anthropic.com/api/github/github-app-token-exchange',
  claude_code_version: undefined,
  claude_github_token: 'auto',
  on_denied: 'skip',
  sandbox: 'auto',
  egress_allowed: undefined,
  allow_bash: 'false',
  max_budget_usd: undefined,
  timeout_minutes: undefined,
  create_pull_request: 'link',
  comment: 'auto',
  review_events: 'COMMENT',
  protected_paths: '.github/workflows/**\n.github/actions/**\n.gitmodules',
  allow_protected_paths: 'false',
  max_changed_files: '300',
  max_file_kib: '5120',
  progress_endpoints_allowed: undefined,
  progress_audience: undefined,
  context_budget_chars: '400000',
  resume: 'false',
};

const peerOutputs =
  'conclusion execution_file branch_name github_token structured_output session_id claude_comment_id skipped_due_to_workflow_validation_mismatch';
const ownOutputs =
  'reason cost_usd num_turns duration_ms input_tokens output_tokens pull_request_url comment_url';

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

test.each(Object.entries({ ...peerInputs, ...ownInputs }))(
  'input %s exists with the same default',
  (name, preset) => {
    expect(action.inputs[name]).toBeDefined();
    expect(action.inputs[name]?.default).toBe(preset);
  },
);

test('every setting is an input with a description, and every output is declared', () => {
  expect(Object.keys(action.inputs)).toEqual(Object.keys(settings));
  expect(Object.values(action.inputs).filter((input) => !input.description)).toEqual([]);
  expect(Object.keys(action.outputs)).toEqual(Object.keys(outputs));
});

test('there is nothing that is not listed here', () => {
  expect(Object.keys(action.inputs).sort()).toEqual(Object.keys({ ...peerInputs, ...ownInputs }).sort());
  expect(Object.keys(action.outputs).sort()).toEqual(`${peerOutputs} ${ownOutputs}`.split(' ').sort());
});

test('main and post are the built bundles, and post always runs', () => {
  expect(action.runs).toEqual({
    using: 'node24',
    main: 'dist/main.mjs',
    post: 'dist/post.mjs',
    'post-if': 'always()',
  });
});

describe('the base-action', () => {
  /** Inputs of `anthropics/claude-code-base-action` with their defaults. */
  const peers: Record<string, string | undefined> = {
    prompt: undefined,
    prompt_file: undefined,
    settings: undefined,
    claude_args: undefined,
    anthropic_api_key: undefined,
    claude_code_oauth_token: undefined,
    anthropic_federation_rule_id: undefined,
    anthropic_organization_id: undefined,
    anthropic_service_account_id: undefined,
    anthropic_workspace_id: undefined,
    anthropic_oidc_audience: 'https://api.anthropic.com',
    use_bedrock: 'false',
    use_vertex: 'false',
    use_foundry: 'false',
    use_node_cache: 'false',
    path_to_claude_code_executable: undefined,
    path_to_bun_executable: undefined,
    show_full_output: 'false',
    plugins: undefined,
    plugin_marketplaces: undefined,
  };
  const ours = {
    ...{ claude_code_version: undefined, max_budget_usd: undefined, timeout_minutes: undefined },
    ...{ sandbox: 'auto', egress_allowed: undefined, display_report: 'false' },
  };
  const text = readFileSync('base-action/action.yml', 'utf8');
  const base = parse(text) as typeof action;

  test('its files are what the settings say', () => {
    expect(text).toBe(baseActionYml());
    const readme = readFileSync('base-action/README.md', 'utf8');
    expect(readme).toBe(baseReadme(readme));
    for (const name of Object.keys(baseInputs)) expect(readme).toContain(`| \`${name}\` |`);
  });

  test('it has the inputs and outputs of the one that it takes the place of, and ours', () => {
    const defaults = Object.entries(base.inputs).map(([name, input]) => [name, input.default]);
    expect(Object.fromEntries(defaults)).toEqual({ ...peers, ...ours });
    expect(Object.keys(base.outputs)).toEqual([...baseOutputs]);
    expect(baseOutputs).toEqual(
      expect.arrayContaining(['conclusion', 'execution_file', 'structured_output', 'session_id']),
    );
  });

  test('main and post are the built bundles beside it, and post always runs', () => {
    expect(base.runs).toEqual({
      using: 'node24',
      main: '../dist/base.mjs',
      post: '../dist/base-post.mjs',
      'post-if': 'always()',
    });
  });
});
