/** What `forgehand dispatch` is asked for, from its arguments and the environment. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { DispatchOptions } from '../client/dispatch-task.ts';
import { AppError } from '../words/errors.ts';

export const usage = `Usage: forgehand dispatch owner/repo "task" [--follow] [--server URL] [--json]
       forgehand dispatch owner/repo --follow --correlation-id ID [--server URL] [--json]

  The first starts a task in the workflow that listens to it; the second looks at one that was started.

  --follow                 stays until the task ends; its conclusion is the exit code
  --server URL             a Forgehand server that the run reports to, and that is followed;
                           without it, the run is found by its name
  --json                   one JSON object a line
  --correlation-id ID      what the task is found by; made when absent
  --event-type TYPE        what the workflow listens to (claude-task)
  --progress-endpoint URL  where the run reports to, instead of a server
  --base-branch, --branch, --issue-number, --pull-number, --create-pull-request link|draft|ready,
  --model, --max-turns, --max-budget-usd, --session-id, --json-schema
                           as in \`client_payload\`; see docs/dispatch.md

GITHUB_TOKEN (or GH_TOKEN) may write to the repository; OPERATOR_TOKEN is that of the server's operator.
Exit code: 0 success, 1 failed, 2 usage, 3 refused or out of reach, 4 cancelled, 130 Ctrl-C (the task goes on).`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const options = {
  follow: flag,
  json: flag,
  help: flag,
  server: text,
  'correlation-id': text,
  'event-type': text,
  'progress-endpoint': text,
  'base-branch': text,
  branch: text,
  'issue-number': text,
  'pull-number': text,
  'create-pull-request': text,
  model: text,
  'max-turns': text,
  'max-budget-usd': text,
  'session-id': text,
  'json-schema': text,
};

export interface Wanted {
  /** Null: a task that was started before is looked at. */
  dispatch: DispatchOptions | null;
  repository: string;
  correlationId: string;
  follow: boolean;
  json: boolean;
  /** Root of a Forgehand server, without a slash at its end. */
  server: string | null;
  githubToken: string;
  operatorToken: string;
  apiUrl: string;
}

/** @returns null when help is asked for. @throws AppError `invalid_input` */
export function readArguments(
  args: string[],
  environment: Record<string, string | undefined>,
): Wanted | null {
  const { values, positionals } = parse(args);
  if (values.help) return null;
  const [repository, task, ...more] = positionals;
  if (!repository) throw wrong('No repository is given.', 'Give `owner/repo` first.');
  if (more.length > 0) throw wrong('The task is more than one argument.', 'Put it in quotes.');
  if (!/^\w[\w-]*\/(?!\.+$)[\w.-]+$/.test(repository))
    throw wrong('The repository is not `owner/repo`.', 'Give it first.');
  const id = values['correlation-id'];
  if (task === undefined && !(values.follow && id)) {
    throw wrong(
      'No task is given.',
      'Give one in quotes, or `--follow --correlation-id ID` for one that was started.',
    );
  }
  const server = values.server === undefined ? null : readServer(values.server);
  if (server && values['progress-endpoint'])
    throw wrong('Both `--server` and `--progress-endpoint` say where progress goes.', 'Give one of them.');
  const correlationId = id ?? randomUUID();
  const given = {
    repository,
    correlationId,
    follow: values.follow,
    json: values.json,
    server,
    githubToken: environment.GITHUB_TOKEN || environment.GH_TOKEN || '',
    operatorToken: environment.OPERATOR_TOKEN ?? '',
    apiUrl: (environment.GITHUB_API_URL || 'https://api.github.com').replace(/\/+$/, ''),
  };
  if (task !== undefined || !server) demandToken(given.githubToken, 'GITHUB_TOKEN');
  if (given.follow && server) demandToken(given.operatorToken, 'OPERATOR_TOKEN');
  return { ...given, dispatch: task === undefined ? null : dispatchOf(values, { ...given, task }) };
}

/** What a header cannot hold would be shown by the error that says so. */
function demandToken(token: string, variable: string): void {
  if (!/^[\x21-\x7e]+$/.test(token)) throw wrong(`${variable} holds no token.`, `Set ${variable}.`);
}

type Values = ReturnType<typeof parse>['values'];

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw wrong((error as Error).message, 'See `forgehand dispatch --help`.');
  }
}

function dispatchOf(values: Values, given: Omit<Wanted, 'dispatch'> & { task: string }): DispatchOptions {
  const { repository, task, correlationId, githubToken, apiUrl, server } = given;
  return {
    repository,
    task,
    correlationId,
    token: githubToken,
    apiUrl,
    eventType: values['event-type'],
    progressEndpoint: server ? `${server}/progress` : values['progress-endpoint'],
    baseBranch: values['base-branch'],
    branch: values.branch,
    issueNumber: numberOf(values, 'issue-number'),
    pullNumber: numberOf(values, 'pull-number'),
    // Checked with the rest of the payload.
    createPullRequest: values['create-pull-request'] as DispatchOptions['createPullRequest'],
    model: values.model,
    maxTurns: numberOf(values, 'max-turns'),
    maxBudgetUsd: numberOf(values, 'max-budget-usd'),
    sessionId: values['session-id'],
    jsonSchema: schemaOf(values['json-schema']),
  };
}

function numberOf(values: Values, name: 'issue-number' | 'pull-number' | 'max-turns' | 'max-budget-usd') {
  const given = values[name];
  if (given === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(given)) throw wrong(`\`--${name}\` is not a number.`, 'Give a number.');
  return Number(given);
}

function schemaOf(given: string | undefined): Record<string, unknown> | undefined {
  if (given === undefined) return undefined;
  try {
    return JSON.parse(given) as Record<string, unknown>;
  } catch {
    throw wrong('`--json-schema` is not JSON.', 'Give a JSON Schema, in quotes.');
  }
}

function readServer(given: string): string {
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw wrong(
      '`--server` is not the address of a server.',
      'Give one such as `https://forgehand.example.com`.',
    );
  }
  return url.href.replace(/\/+$/, '');
}

function wrong(message: string, remedy: string): AppError {
  return new AppError('invalid_input', message, { remedy });
}
