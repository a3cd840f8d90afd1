/** Which model credential a run uses: decided before Claude starts, so that a missing one has a clear error. */
import type { Config } from '../words/config.ts';
import { AppError } from '../words/errors.ts';
import type { Environment } from './environment.ts';

export interface ModelCredential {
  /** Variables that replace whatever the job's environment had of the same names. */
  set: Environment;
  /** Variables that must not reach Claude, as another credential was chosen. */
  unset: string[];
  /** Set when the job's own identity is the credential: who its OIDC token is for. Null for every other. */
  identity: { audience: string } | null;
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
  "Give `anthropic_api_key` or `claude_code_oauth_token`, or `anthropic_federation_rule_id` with `anthropic_organization_id`, or set one of `use_bedrock`, `use_vertex`, `use_foundry`, or ANTHROPIC_AUTH_TOKEN for a gateway. Runs that a fork or Dependabot has started get none of the repository's secrets; Dependabot has secrets of its own.";

/** @throws AppError `invalid_input` for contradictions, `model_auth` when there is no usable credential. */
export function chooseCredential(config: Config, job: Record<string, string | undefined>): ModelCredential {
  const provider = chooseProvider(config, job);
  const secrets = secretVariables.map((name) => job[name]?.trim() ?? '').filter(Boolean);
  for (const given of [config.anthropicApiKey, config.claudeCodeOauthToken])
    if (given) secrets.push(given.reveal());
  if (provider)
    return { set: { [provider]: '1' }, unset: [...direct], identity: null, secrets, warnings: [] };

  const federation = federationOf(config, job);
  const given = {
    ANTHROPIC_API_KEY: config.anthropicApiKey,
    CLAUDE_CODE_OAUTH_TOKEN: config.claudeCodeOauthToken,
  };
  const available = direct.flatMap((name) => {
    const value = given[name]?.reveal() || job[name]?.trim();
    return value ? [[name, value] as const] : [];
  });
  const chosen = available[0];
  const isGateway = Boolean(job.ANTHROPIC_AUTH_TOKEN?.trim());
  if (!chosen && !isGateway) {
    if (!federation) throw new AppError('model_auth', 'There is no credential for the model.', { remedy });
    return { ...federated(federation, config, job), unset: [...direct], secrets, warnings: [] };
  }
  const used = chosen?.[0] ?? 'ANTHROPIC_AUTH_TOKEN';
  const several = available.length > 1 || federation !== null;
  return {
    set: chosen ? { [chosen[0]]: chosen[1] } : {},
    unset: direct.filter((name) => name !== used),
    identity: null,
    secrets,
    warnings: several ? [`Several model credentials were given; ${used} is used.`] : [],
  };
}

/** Variables by which Claude Code knows what to exchange an identity token for, and the inputs that set them. */
const federationVariables = {
  ANTHROPIC_FEDERATION_RULE_ID: 'anthropicFederationRuleId',
  ANTHROPIC_ORGANIZATION_ID: 'anthropicOrganizationId',
  ANTHROPIC_SERVICE_ACCOUNT_ID: 'anthropicServiceAccountId',
  ANTHROPIC_WORKSPACE_ID: 'anthropicWorkspaceId',
} as const satisfies Record<string, keyof Config>;

/** What was given of workload identity federation; null for none of it. */
function federationOf(config: Config, job: Record<string, string | undefined>): Environment | null {
  const found: Environment = {};
  for (const [variable, name] of Object.entries(federationVariables)) {
    const value = config[name] || job[variable]?.trim();
    if (value) found[variable] = value;
  }
  return found.ANTHROPIC_FEDERATION_RULE_ID || found.ANTHROPIC_ORGANIZATION_ID ? found : null;
}

/** @throws AppError `model_auth` when half of it is missing, or the job has no identity. */
function federated(
  federation: Environment,
  config: Config,
  job: Record<string, string | undefined>,
): Pick<ModelCredential, 'set' | 'identity'> {
  for (const name of ['anthropic_federation_rule_id', 'anthropic_organization_id']) {
    if (federation[name.toUpperCase()]) continue;
    throw new AppError('model_auth', `Workload identity federation needs \`${name}\` as well.`, { remedy });
  }
  // A workload that brings its own identity has its own issuer.
  if (job.ANTHROPIC_IDENTITY_TOKEN_FILE) return { set: federation, identity: null };
  if (!job.ACTIONS_ID_TOKEN_REQUEST_URL || !job.ACTIONS_ID_TOKEN_REQUEST_TOKEN) {
    throw new AppError(
      'model_auth',
      'Workload identity federation needs the OIDC token of the job, which it may not have.',
      {
        remedy: "Add `id-token: write` to the job's `permissions:`.",
      },
    );
  }
  return { set: federation, identity: { audience: config.anthropicOidcAudience } };
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
