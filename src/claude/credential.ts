/** Which model credential a run uses: decided before Claude starts, so that a missing one has a clear error. */
import type { Config } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import type { Environment } from './environment.ts';

export interface ModelCredential {
  /** Variables that replace whatever the job's environment had of the same names. */
  set: Environment;
  /** Variables that must not reach Claude, as another credential was chosen. */
  unset: string[];
  /** Values to mask and redact. */
  secrets: string[];
  warnings: string[];
}

const direct = ['ANTHROPIC_API_KEY', 'CLAUDE_CODE_OAUTH_TOKEN'] as const;
/** Credentials that reach a provider by the environment alone. */
const secretVariables = `ANTHROPIC_API_KEY CLAUDE_CODE_OAUTH_TOKEN ANTHROPIC_AUTH_TOKEN AWS_SECRET_ACCESS_KEY
  AWS_SESSION_TOKEN AWS_BEARER_TOKEN_BEDROCK ANTHROPIC_AWS_API_KEY ANTHROPIC_FOUNDRY_API_KEY
  ANTHROPIC_FOUNDRY_AUTH_TOKEN AZURE_CLIENT_SECRET`.split(/\s+/);
/** What Claude Code itself takes for yes. */
const switchedOn = /^(1|true|yes|on)$/i;
const remedy =
  'Give `anthropic_api_key` or `claude_code_oauth_token`, or set one of `use_bedrock`, `use_vertex`, `use_foundry`, or ANTHROPIC_AUTH_TOKEN for a gateway.';

/** @throws AppError `invalid_input` for contradictions, `model_auth` when there is no usable credential. */
export function chooseCredential(config: Config, job: Record<string, string | undefined>): ModelCredential {
  const provider = chooseProvider(config, job);
  const secrets = secretVariables.map((name) => job[name]?.trim() ?? '').filter(Boolean);
  for (const given of [config.anthropicApiKey, config.claudeCodeOauthToken])
    if (given) secrets.push(given.reveal());
  if (provider) return { set: { [provider]: '1' }, unset: [...direct], secrets, warnings: [] };

  const available: [string, string][] = [];
  const apiKey = config.anthropicApiKey?.reveal() || job.ANTHROPIC_API_KEY?.trim();
  if (apiKey) available.push(['ANTHROPIC_API_KEY', apiKey]);
  const oauth = config.claudeCodeOauthToken?.reveal() || job.CLAUDE_CODE_OAUTH_TOKEN?.trim();
  if (oauth) available.push(['CLAUDE_CODE_OAUTH_TOKEN', oauth]);
  const chosen = available[0];
  if (!chosen) {
    if (job.ANTHROPIC_AUTH_TOKEN) return { set: {}, unset: [...direct], secrets, warnings: [] };
    if (config.anthropicFederationRuleId || config.anthropicOrganizationId) {
      throw new AppError('model_auth', 'Workload identity federation is not available in this version.', {
        remedy,
      });
    }
    throw new AppError('model_auth', 'There is no credential for the model.', { remedy });
  }
  const warnings =
    available.length > 1 ? [`Several model credentials were given; ${chosen[0]} is used.`] : [];
  return {
    set: { [chosen[0]]: chosen[1] },
    unset: direct.filter((name) => name !== chosen[0]),
    secrets,
    warnings,
  };
}

function chooseProvider(config: Config, job: Record<string, string | undefined>): string | null {
  const flags: [boolean, string, string][] = [
    [config.useBedrock, 'CLAUDE_CODE_USE_BEDROCK', 'use_bedrock'],
    [config.useVertex, 'CLAUDE_CODE_USE_VERTEX', 'use_vertex'],
    [config.useFoundry, 'CLAUDE_CODE_USE_FOUNDRY', 'use_foundry'],
  ];
  const chosen = flags.filter(([given, variable]) => given || switchedOn.test(job[variable] ?? ''));
  if (chosen.length > 1) {
    throw new AppError(
      'invalid_input',
      `Inputs ${chosen.map(([, , input]) => `\`${input}\``).join(' and ')} exclude each other.`,
      {
        remedy: 'Set one of them.',
      },
    );
  }
  return chosen[0]?.[1] ?? null;
}
