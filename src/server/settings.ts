/** Every variable that only the server has: its name, default, meaning and check; the engine's are in words/settings. */
import * as z from 'zod/mini';
import {
  choice,
  commaList,
  flag,
  optionalPositive,
  optionalText,
  positive,
  type Setting,
  secret,
  setting,
  trimmed,
  url,
} from '../words/checks.ts';

const number = (what: string, fits: (value: number) => boolean) =>
  z.pipe(
    trimmed.check(z.refine((value) => value !== '' && fits(Number(value)), `must be ${what}`)),
    z.transform(Number),
  );
const whole = (what: string) =>
  number(`${what}, at least 1`, (value) => Number.isInteger(value) && value > 0);
const port = number(
  'a port, 0 to 65535',
  (value) => Number.isInteger(value) && value >= 0 && value <= 65_535,
);
const notNegative = (what: string) =>
  number(`${what}, 0 or more`, (value) => value >= 0 && Number.isFinite(value));
const optionalWhole = (what: string) =>
  z.pipe(
    trimmed.check(
      z.refine(
        (value) => value === '' || /^[1-9]\d*$/.test(value),
        `must be ${what}, at least 1, or empty for none`,
      ),
    ),
    z.transform((value) => (value === '' ? null : Number(value))),
  );
/** Empty, or one web address without anything that a path could not be added to. */
const optionalUrl = z.pipe(
  trimmed.check(
    z.refine(
      (value) => value === '' || /^https?:\/\/[^\s?#]+$/.test(value),
      'must be an http or https URL, without query',
    ),
  ),
  z.transform((value) => (value === '' ? null : value.replace(/\/+$/, ''))),
);
const databaseUrl = z.pipe(
  trimmed.check(
    z.refine(
      (value) => value === '' || /^postgres(ql)?:\/\//.test(value),
      'must begin with `postgres://` or `postgresql://`',
    ),
  ),
  z.transform((value) => value || null),
);
const appNumber = z.pipe(
  trimmed.check(z.refine((value) => value === '' || /^\d+$/.test(value), 'must be a number')),
  z.transform((value) => (value === '' ? null : Number(value))),
);
const triggers = ['opened', 'mention', 'label', 'assign'] as const;
const triggerList = z.pipe(
  commaList,
  z.pipe(
    z.array(z.enum(triggers, `must be a comma list of ${triggers.map((one) => `\`${one}\``).join(', ')}`)),
    z.transform((list) => [...new Set(list)]),
  ),
);

export type Group = 'GitHub' | 'Server' | 'Storage' | 'Sessions' | 'Limits' | 'Progress API';

export interface ServerSetting<T> extends Setting<T> {
  group: Group;
  /** The default in words, where it is no fixed text. */
  otherwise?: string;
}

const of =
  (group: Group) =>
  <T>(
    check: Setting<T>['check'],
    preset: string,
    description: string,
    otherwise?: string,
  ): ServerSetting<T> => ({
    ...setting(check, preset, description),
    group,
    otherwise,
  });
const github = of('GitHub');
const server = of('Server');
const storage = of('Storage');
const sessions = of('Sessions');
const limits = of('Limits');
const progress = of('Progress API');

/** By the name in lower case; the variable is in upper case. */
// biome-ignore format: one setting a line
export const serverSettings = {
  github_app_installation_id: github(appNumber, '', 'Installation of the GitHub App to use.', 'taken from each delivery'),
  github_webhook_secret: github(secret, '', 'Secret that webhooks are signed with. With `DATABASE_URL` it must be set.', 'generated into `DATA_DIR/webhook-secret`'),
  allow_unsigned_webhooks: github(flag, 'false', 'Take webhooks whoever sends them. Anybody who reaches the port can then start work.'),
  github_server_url: github(url, 'https://github.com', 'Where people and Git go.'),
  github_api_url: github(optionalUrl, '', 'REST API.', '`https://api.github.com`; for another server its `/api/v3`'),
  github_graphql_url: github(optionalUrl, '', 'GraphQL API.', '`https://api.github.com/graphql`; for another server its `/api/graphql`'),

  webhook_port: server(port, '8080', 'Port that the server listens on.'),
  public_url: server(optionalUrl, '', 'Where the server is reached from outside, for links.'),
  cloudflare_tunnel_token: server(secret, '', 'Token of the Cloudflare tunnel that `compose.yaml` starts with the profile `tunnel`.'),
  operator_token: server(secret, '', 'Token for the operator\'s pages, `/metrics`, and `/health` with `HEALTH_DETAILS=token`.', 'generated into `DATA_DIR/operator-token`; with `DATABASE_URL` into the database'),
  log_level: server(choice('info', 'debug'), 'info', 'With `debug` the log holds prompts and payloads too.'),
  health_details: server(choice('', 'public', 'token'), '', 'Who sees the sessions in `/health`: everybody (`public`), or who has the operator\'s token (`token`).', '`public`; `token` once `PUBLIC_URL` or `CLOUDFLARE_TUNNEL_TOKEN` is set'),

  database_url: storage(databaseUrl, '', 'A PostgreSQL of yours, 15 or newer, as `postgres://user:password@host/database`.', 'Forgehand runs its own in `DATA_DIR`'),
  data_dir: storage(optionalText, '', 'Where Forgehand keeps its files.', '`~/.forgehand`; for root `/var/lib/forgehand`'),
  workspaces_root: storage(optionalText, '', 'Workspaces of the threads, as `owner/repo/issue-N`.', '`~/workspaces`'),
  workspace_grace_hours: storage(notNegative('a number of hours'), '24', 'How long a workspace is kept once its issue or pull request is closed.'),
  retention_days: storage(positive('a number of days'), '30', 'How long deliveries, events, transcripts and progress are kept.'),

  trigger: sessions(triggerList, 'opened', 'What starts work, as a comma list: every new issue (`opened`), a mention of `TRIGGER_PHRASE` (`mention`), `LABEL_TRIGGER` (`label`), assignment to `ASSIGNEE_TRIGGER` (`assign`).'),
  system_prompt_file: sessions(optionalText, '', 'File whose text is added to Claude\'s system prompt.', '`DATA_DIR/system-prompt.md` if there is one'),
  pr_feedback: sessions(flag, 'true', 'Take comments and reviews on a pull request of Forgehand into its session.'),
  pr_ready: sessions(choice('never', 'auto'), 'never', 'Whether a draft is marked ready for review when Claude is done with it.'),
  session_idle_minutes: sessions(positive('a number of minutes'), '30', 'An idle session\'s process ends after this time; a follow-up wakes it.'),
  watchdog_minutes: sessions(positive('a number of minutes'), '20', 'A session that says nothing for this long while it works is ended and asked about.'),

  max_sessions: limits(whole('a number of sessions'), '4', 'Most sessions at a time, for each worker.'),
  max_sessions_per_repository: limits(whole('a number of sessions'), '2', 'Most sessions of one repository at a time.'),
  max_turns: limits(optionalWhole('a number of turns'), '', 'Most turns of Claude in a session, before it asks.', 'none'),
  session_minutes: limits(positive('a number of minutes'), '120', 'Longest that Claude works in a session, before it asks.'),
  max_budget_usd_per_repository_day: limits(optionalPositive('an amount in US dollars'), '', 'Most that all sessions of a repository may cost in a day (UTC), in US dollars.', 'none'),
  max_budget_usd_per_day: limits(optionalPositive('an amount in US dollars'), '', 'Most that all sessions together may cost in a day (UTC), in US dollars.', 'none'),

  oidc_issuer: progress(url, 'https://token.actions.githubusercontent.com', 'Who signs the tokens of workflows that report progress.'),
  progress_repositories_allowed: progress(commaList, '', 'Repositories whose workflows may report progress, as a comma list of `owner/repo` or `owner/*`.', 'those of the App\'s installations; with `GITHUB_TOKEN` none'),
  progress_audience: progress(optionalText, '', 'Audience that their tokens must have.', 'origin of `PUBLIC_URL`; without it `http://localhost:WEBHOOK_PORT`'),
  progress_forward_url: progress(optionalUrl, '', 'Where progress is forwarded to.'),
  progress_forward_secret: progress(secret, '', 'Secret that forwarded progress is signed with; needed with `PROGRESS_FORWARD_URL`.'),
} satisfies Record<string, ServerSetting<unknown>>;

export type ServerSettingName = keyof typeof serverSettings;

/** Provider credentials that reach Claude by the environment, and may be in a file too. */
export const providerSecrets = [
  'ANTHROPIC_AUTH_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_BEARER_TOKEN_BEDROCK',
  'ANTHROPIC_AWS_API_KEY',
  'ANTHROPIC_FOUNDRY_API_KEY',
  'ANTHROPIC_FOUNDRY_AUTH_TOKEN',
  'AZURE_CLIENT_SECRET',
];
