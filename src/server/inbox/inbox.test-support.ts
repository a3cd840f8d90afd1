/** What the stories of the inbox are told on: real PostgreSQL, a local GitHub, the web and the router of one server. */
import { createHmac, randomUUID } from 'node:crypto';
import type { WebhookEvent } from '../../../testkit/github/deliveries.ts';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import { createLog } from '../../words/log.ts';
import { redactor } from '../../words/redact.ts';
import { Secret } from '../../words/secret.ts';
import { type RunningWeb, startWeb, type WebOptions } from '../app.ts';
import { readConfiguration } from '../configuration.ts';
import type { ServerContext } from '../context.ts';
import { openJobs } from '../store/jobs.ts';
import { startTestStore } from '../store/store.test-support.ts';
import type { Store } from '../store/store.ts';
import { type InboxOptions, startInbox } from './start.ts';

export const webhookSecret = 'the-secret-of-these-webhooks';
export const operatorToken = 'the-token-of-this-operator';

export interface LogLine {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

export interface InboxStage extends AsyncDisposable {
  github: LocalGitHub;
  context: ServerContext;
  store: Store;
  web: RunningWeb;
  lines: LogLine[];
  /** POSTs an event as GitHub does. */
  deliver(
    event: WebhookEvent,
    guid?: string,
  ): Promise<{ status: number; body: Record<string, unknown>; guid: string }>;
  /** POSTs anything. */
  post(body: string | Buffer, headers?: Record<string, string>): Promise<Response>;
  /** Once nothing is undecided. */
  settled(): Promise<void>;
  delivery(guid: string): Promise<Record<string, unknown> | undefined>;
  messages(key: string): Promise<{ kind: string; body: string; state: string; actor: string }[]>;
  thread(key: string): Promise<Record<string, unknown> | undefined>;
}

export interface StageOptions extends WebOptions {
  environment?: Record<string, string>;
  inbox?: InboxOptions | false;
  github?: LocalGitHub;
  store?: Store;
}

/** octo-org/hello, where octocat may write; the server has octocat's token unless it is told otherwise. */
export async function setInboxStage(options: StageOptions = {}): Promise<InboxStage> {
  const github = options.github ?? (await startGitHub({ validate: false }));
  if (!options.github) {
    const repository = await github.createRepository({ owner: 'octo-org', name: 'hello' });
    repository.setPermission('octocat', 'write');
    repository.setPermission('forgehand-user', 'admin');
  }
  const store = options.store ?? (await startTestStore());
  const lines: LogLine[] = [];
  const log = createLog((level, message, fields) => void lines.push({ level, message, fields }));
  const configuration = readConfiguration(
    {
      GITHUB_TOKEN: options.environment?.GITHUB_APP_ID ? '' : github.token({ login: 'forgehand-user' }),
      ANTHROPIC_API_KEY: 'sk-ant-api03-nobody-calls-the-model-here',
      GITHUB_SERVER_URL: github.serverUrl,
      WEBHOOK_PORT: '0',
      DATA_DIR: '/tmp/forgehand-inbox-nowhere',
      ...options.environment,
    },
    { role: 'all' },
  );
  const secrets = new Set<string>();
  const jobs = await openJobs(store, log);
  const context: ServerContext = {
    role: 'all',
    ...{ configuration, store, jobs, log, redact: redactor(secrets), sandbox: 'off', version: '0.0.0-test' },
    addSecret: (value) => void secrets.add(value),
    secrets: () => secrets,
    webhookSecret: new Secret(webhookSecret),
    operatorToken: new Secret(operatorToken),
    sessionConfiguration: '',
  };
  const inbox = options.inbox === false ? null : await startInbox(context, options.inbox);
  const web = await startWeb(context, options);
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${web.url}/webhook`, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers,
    });
  const { database } = store;
  return {
    ...{ github, context, store, web, lines, post },
    deliver: async (event, guid: string = randomUUID()) => {
      const body = JSON.stringify(event.payload);
      const answer = await post(body, headersOf(body, { event: event.name, guid }));
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, guid };
    },
    settled: async () => {
      for (;;) {
        const [row] = await database.query<{ open: number }>(
          `select count(*)::int as open from deliveries where verdict is null`,
        );
        if (row!.open === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    delivery: async (guid) => (await database.query(`select * from deliveries where id = $1`, [guid]))[0],
    messages: (key) =>
      database.query(`select kind, body, state, actor from messages where thread_key = $1 order by seq`, [
        key,
      ]),
    thread: async (key) => (await database.query(`select * from threads where key = $1`, [key]))[0],
    [Symbol.asyncDispose]: async () => {
      inbox?.close();
      await web.close();
      await jobs.stop(2);
      if (!options.github) await github.close();
    },
  };
}

interface Headed {
  event?: string;
  guid?: string;
  secret?: string;
  type?: string;
}

export function headersOf(
  body: string | Buffer,
  { event = 'issues', guid = randomUUID(), secret = webhookSecret, type = 'application/json' }: Headed = {},
): Record<string, string> {
  return {
    'content-type': type,
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
}
