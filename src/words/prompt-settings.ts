/** The settings that mean something without GitHub: inputs of the base-action, and options of `runClaude`. */
import { flag, optionalText, type Setting, setting } from './checks.ts';
import type { SettingName } from './config.ts';
import { settings } from './settings.ts';

/** Those that a prompt by itself has, however it is run. */
export const promptSettings = [
  'claude_args',
  'settings',
  'max_budget_usd',
  'timeout_minutes',
  'anthropic_api_key',
  'claude_code_oauth_token',
  'anthropic_federation_rule_id',
  'anthropic_organization_id',
  'anthropic_service_account_id',
  'anthropic_workspace_id',
  'anthropic_oidc_audience',
  'use_bedrock',
  'use_vertex',
  'use_foundry',
  'plugins',
  'plugin_marketplaces',
  'sandbox',
  'egress_allowed',
  'claude_code_version',
  'path_to_claude_code_executable',
] as const satisfies SettingName[];

export type PromptSetting = (typeof promptSettings)[number];

const shared = [
  ...promptSettings,
  'display_report',
  'show_full_output',
  'path_to_bun_executable',
] as const satisfies SettingName[];

/** The inputs of the base-action. */
// biome-ignore format: one setting a line
export const baseInputs: Record<string, Setting<unknown>> = {
  prompt: setting(settings.prompt.check, '', 'What Claude is to do. Give this or `prompt_file`.'),
  prompt_file: setting(optionalText, '', 'File that holds the prompt; a relative path starts where Claude works.'),
  ...Object.fromEntries(shared.map((name) => [name, settings[name]])),
  use_node_cache: setting(flag, 'false', 'Kept for compatibility: no packages are installed that a cache could keep.'),
};
