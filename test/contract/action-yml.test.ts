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
