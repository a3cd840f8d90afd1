/** Every setting of Forgehand: its name, default, meaning and check. Inputs, environment and flags are mapped from here. */
import {
  choice,
  choices,
  commaList,
  flag,
  lines,
  linesLike,
  optionalPositive,
  optionalText,
  permissions,
  positive,
  required,
  type Setting,
  secret,
  setting,
  text,
  trimmed,
  url,
  userId,
} from './checks.ts';
import { reviewEvents } from './review.ts';

/** The settings by the name of their action input (the environment has it in upper case, flags with dashes). */
// biome-ignore format: one setting a line
export const settings = {
  // what starts a run
  trigger_phrase: setting(required, '@claude', 'Phrase that calls Claude in comments, reviews, titles and bodies.'),
  assignee_trigger: setting(optionalText, '', 'Login whose assignment to an issue or pull request calls Claude (a leading `@` is optional).'),
  label_trigger: setting(optionalText, 'claude', 'Label that calls Claude when it is added to an issue or pull request.'),
  prompt: setting(text, '', 'What Claude is to do. Runs on any event, without a mention.'),
  track_progress: setting(flag, 'false', 'With `prompt`: work as if mentioned (tracking comment, context of the issue or pull request); the prompt becomes custom instructions.'),
  // who may
  allowed_bots: setting(commaList, '', 'Bots that may call Claude: comma-separated logins, or `*`.'),
  allowed_non_write_users: setting(commaList, '', 'People without write access who may call Claude: comma-separated logins, or `*`. Needs `github_token`.'),
  on_denied: setting(choice('skip', 'fail'), 'skip', 'What a run does when the person may not call Claude: `skip` ends green, `fail` ends red.'),
  // context
  include_comments_by_actor: setting(commaList, '', 'Only comments by these logins are context (comma-separated, `*` is a wildcard).'),
  exclude_comments_by_actor: setting(commaList, '', 'Comments by these logins are never context (comma-separated, `*` is a wildcard); wins over `include_comments_by_actor`.'),
  context_budget_chars: setting(positive('a number of characters'), '400000', 'Most characters of context in the prompt; what is left out is said there.'),
  // branches, commits, publishing
  base_branch: setting(optionalText, '', 'Branch that new branches start from; the default branch when unset.'),
  branch_prefix: setting(text, 'claude/', 'Start of the names of new branches.'),
  branch_name_template: setting(optionalText, '', 'Name of new branches: `{{prefix}}`, `{{entityType}}`, `{{entityNumber}}`, `{{timestamp}}`, `{{sha}}`, `{{label}}`, `{{description}}`.'),
  bot_id: setting(userId, '41898282', 'User id that commits are attributed to.'),
  bot_name: setting(required, 'claude[bot]', 'Login that commits are attributed to.'),
  use_commit_signing: setting(flag, 'false', 'Have GitHub make and sign the commits through its API.'),
  ssh_signing_key: setting(secret, '', 'SSH private key, without a passphrase, that signs what is published; wins over `use_commit_signing`.'),
  create_pull_request: setting(choice('link', 'draft', 'ready'), 'link', 'What a new branch ends in: a ready-made link, a draft pull request, or one ready for review.'),
  protected_paths: setting(lines, '.github/workflows/**\n.github/actions/**\n.gitmodules', 'Globs, one per line, of files that no push may change.'),
  allow_protected_paths: setting(flag, 'false', 'Let pushes change `protected_paths`.'),
  max_changed_files: setting(positive('a number of files'), '300', 'Most files that a push may change.'),
  max_file_kib: setting(positive('a size in KiB'), '5120', 'Largest file, in KiB, that a push may contain.'),
  // reporting
  comment: setting(choice('auto', 'always', 'never'), 'auto', 'Whether there is a tracking comment: `auto` in tag mode and in discussions, `always` wherever there is an issue or pull request too, `never`.'),
  use_sticky_comment: setting(flag, 'false', 'Use one comment per pull request again and again.'),
  include_fix_links: setting(flag, 'true', 'Put a link below each finding of a review that opens Claude Code on it.'),
  classify_inline_comments: setting(flag, 'true', 'Kept for compatibility: inline comments are posted as one review either way, except those with `confirmed: false`.'),
  review_events: setting(choices(...reviewEvents), 'COMMENT', 'Verdicts that a review of Claude may have: `COMMENT`, `APPROVE`, `REQUEST_CHANGES` (comma-separated).'),
  display_report: setting(flag, 'false', 'Put the readable report of the turns into the step summary.'),
  show_full_output: setting(flag, 'false', 'Log every message of Claude Code. Logs of public repositories are public.'),
  // Claude Code
  claude_args: setting(text, '', 'Arguments for Claude Code, as on its command line.'),
  settings: setting(text, '', 'Claude Code settings: JSON, or the path of a JSON file.'),
  plugins: setting(
    linesLike(/^(?!.*\.\.)[\w@][\w@/.-]*$/, '`name` or `name@marketplace`'),
    '',
    'Claude Code plugins to install, one `name` or `name@marketplace` per line.',
  ),
  plugin_marketplaces: setting(
    linesLike(/^(?:https:\/\/[^\s@]+\.git|(?:\.{0,2}\/|[A-Za-z]:[\\/])\P{Cc}*)$/u, 'an https URL ending in `.git`, without a login, or a path that begins with `./`, `../` or `/`'),
    '',
    'Plugin marketplaces, one per line: https Git URLs, or paths. On pull requests paths outside the checkout only.',
  ),
  claude_code_version: setting(optionalText, '', 'Version of Claude Code; the one that Forgehand was tested with when unset.'),
  path_to_claude_code_executable: setting(optionalText, '', 'Claude Code executable to use instead of installing one.'),
  path_to_bun_executable: setting(optionalText, '', 'Kept for compatibility: Forgehand does not use Bun.'),
  max_budget_usd: setting(optionalPositive('an amount in US dollars'), '', 'Most that a run may cost, in US dollars; looked at after each answer of the model.'),
  timeout_minutes: setting(optionalPositive('a number of minutes'), '', 'Longest that Claude may work, in minutes.'),
  resume: setting(flag, 'false', 'Go on with the conversation when the same issue or pull request calls again; kept encrypted in the runner\'s cache.'),
  // the model
  anthropic_api_key: setting(secret, '', 'Anthropic API key.'),
  claude_code_oauth_token: setting(secret, '', 'Claude Code OAuth token (instead of an API key).'),
  anthropic_federation_rule_id: setting(optionalText, '', 'Workload identity federation: rule id (`fdrl_…`).'),
  anthropic_organization_id: setting(optionalText, '', 'Workload identity federation: organization id.'),
  anthropic_service_account_id: setting(optionalText, '', 'Workload identity federation: service account id (`svac_…`).'),
  anthropic_workspace_id: setting(optionalText, '', 'Workload identity federation: workspace id (`wrkspc_…`).'),
  anthropic_oidc_audience: setting(trimmed, 'https://api.anthropic.com', 'Workload identity federation: audience of the OIDC token.'),
  use_bedrock: setting(flag, 'false', 'Use Amazon Bedrock; credentials come from the environment.'),
  use_vertex: setting(flag, 'false', 'Use Google Vertex AI; credentials come from the environment.'),
  use_foundry: setting(flag, 'false', 'Use Microsoft Foundry; credentials come from the environment.'),
  // GitHub credentials
  github_token: setting(secret, '', 'GitHub token to work with, for example `secrets.GITHUB_TOKEN`.'),
  app_id: setting(optionalText, '', 'GitHub App id; with `app_private_key` an installation token is minted here.'),
  app_private_key: setting(secret, '', 'Private key of the GitHub App, PEM.'),
  token_exchange_url: setting(
    url,
    'https://api.anthropic.com/api/github/github-app-token-exchange',
    'Where the OIDC token is exchanged for a GitHub App token when no other credential is given.',
  ),
  additional_permissions: setting(permissions, '', 'Further permissions for the App token, one `permission: level` per line, for example `actions: read`.'),
  claude_github_token: setting(choice('auto', 'never', 'always'), 'auto', 'Whether Claude\'s own process gets a GitHub token: `auto` only in agent mode when its tools ask for `gh` or `git push`.'),
  // safety
  sandbox: setting(choice('auto', 'required', 'off'), 'auto', 'The fence around Claude Code: `auto` where it works, `required`, or `off`.'),
  allow_bash: setting(flag, 'false', 'Let Claude run any command in tag mode, inside the fence.'),
  egress_allowed: setting(lines, '', 'Hosts that the fence lets through besides the default list, one `host:port` per line.'),
  // Progress API
  progress_endpoints_allowed: setting(lines, '', 'Origins or URL prefixes that progress may be sent to, one per line.'),
  progress_audience: setting(optionalText, '', 'Audience of the OIDC token sent with progress; the endpoint\'s origin when unset.'),
} satisfies Record<string, Setting<unknown>>;
