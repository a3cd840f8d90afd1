/** The server's variables as people read them: grouped, with default and meaning. */
import { serverPreset } from '../src/server/configuration.ts';
import { serverSettings } from '../src/server/settings.ts';
import { secretVariables, variableOf } from '../src/server/variables.ts';
import { settings } from '../src/words/settings.ts';

export interface Variable {
  name: string;
  isSecret: boolean;
  /** The default's text; '' where there is none, or `fallback` says it in words. */
  preset: string;
  fallback: string;
  description: string;
}

export interface VariableGroup {
  title: string;
  intro: string;
  variables: Variable[];
}

/** Engine settings that are about credentials; the others follow the server's own. */
const credentials =
  /^(anthropic_|claude_code_oauth|use_bedrock|use_vertex|use_foundry|github_token|app_id|app_private_key)/;
/** Taken for compatibility, without effect in a server: what they say is a job's, or always so here, or not there yet. */
const useless = new Set([
  'prompt',
  'comment',
  'use_sticky_comment',
  'create_pull_request',
  'timeout_minutes',
  'resume',
  'allow_bash',
  'claude_github_token',
  'show_full_output',
  'use_commit_signing',
  'ssh_signing_key',
  'plugins',
  'plugin_marketplaces',
  'include_fix_links',
  'classify_inline_comments',
  'review_events',
  'token_exchange_url',
  'path_to_bun_executable',
  'display_report',
  'on_denied',
  'track_progress',
  // Of the server's own variables one has the same name, for what it takes; these are for what a job sends.
  'progress_audience',
  'progress_endpoints_allowed',
]);

/** Where the words for an action's input do not fit a server. */
const otherWords: Record<string, string> = {
  github_token: 'GitHub token to work with: a personal access token.',
  allowed_non_write_users: 'People without write access who may call Claude: comma-separated logins, or `*`.',
  max_budget_usd: 'Most that a session may cost in US dollars, before it asks.',
};

export function groups(): VariableGroup[] {
  const engine = Object.keys(settings).filter((name) => !useless.has(name));
  const titles = [...new Set(Object.values(serverSettings).map(({ group }) => group))];
  const ofTheServer = titles.map((title) => ({
    title,
    intro: '',
    variables: Object.entries(serverSettings)
      .filter(([, { group }]) => group === title)
      .map(([name, { preset, otherwise, description }]) =>
        variable(name, { preset, fallback: otherwise ?? '', description }),
      ),
  }));
  return [
    {
      title: 'Credentials',
      intro:
        "One for Claude (or a provider's, by its usual variables: AWS_*, GOOGLE_*, AZURE_*, ANTHROPIC_AUTH_TOKEN with ANTHROPIC_BASE_URL), and one for GitHub: a token, or an App's id and private key.",
      variables: engine.filter((name) => credentials.test(name)).map(ofTheEngine),
    },
    ...ofTheServer,
    {
      title: 'Work',
      intro: 'The same settings as the inputs of the action; some defaults differ here.',
      variables: engine.filter((name) => !credentials.test(name)).map(ofTheEngine),
    },
  ];
}

function ofTheEngine(name: string): Variable {
  const { preset, description } = settings[name as keyof typeof settings];
  return variable(name, {
    preset: serverPreset(name) ?? preset,
    fallback: '',
    description: otherWords[name] ?? description,
  });
}

function variable(setting: string, rest: Pick<Variable, 'preset' | 'fallback' | 'description'>): Variable {
  const name = variableOf(setting);
  // Descriptions call other settings by their inputs' names.
  const description = rest.description.replace(/`([a-z][a-z_]+)`/g, (whole, word: string) =>
    word in settings || word in serverSettings ? `\`${variableOf(word)}\`` : whole,
  );
  return { name, isSecret: secretVariables.includes(name), ...rest, description };
}
