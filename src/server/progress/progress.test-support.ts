/** What the stories of the Progress API are told on: an issuer, one or more webs on one database, runs that report. */
import { randomUUID } from 'node:crypto';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import type { ProgressEvent } from '../../words/progress.ts';
import {
  type InboxStage,
  operatorToken,
  type StageOptions,
  setInboxStage,
} from '../inbox/inbox.test-support.ts';

export const audience = 'https://forgehand.example';

export interface ProgressStage extends InboxStage {
  /** A token of the run, for us. */
  token(claims?: { repository?: string; runId?: string; [claim: string]: unknown }): Promise<string>;
  /** POSTs an event with a token of its run, unless another one is given. */
  report(event: unknown, token?: string | null): Promise<{ status: number; body: Record<string, unknown> }>;
  /** GET as the operator. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  history(correlationId: string): Promise<History>;
}

export interface History {
  correlation_id: string;
  repository: string;
  run_id: string;
  run_attempt: number;
  status: string;
  events: ProgressEvent[];
}

export async function setProgressStage(options: StageOptions = {}): Promise<ProgressStage> {
  const github: LocalGitHub = options.github ?? (await startGitHub({ validate: false }));
  const stage = await setInboxStage({
    inbox: false,
    ...options,
    github,
    progress: { coolDownMs: 0, ...options.progress },
    environment: {
      OIDC_ISSUER: github.oidc.issuer,
      PUBLIC_URL: `${audience}/below`,
      PROGRESS_REPOSITORIES_ALLOWED: 'octo-org/hello, Octo-Fans/*',
      ...options.environment,
    },
  });
  const token: ProgressStage['token'] = ({ repository = 'octo-org/hello', runId = '77', ...more } = {}) =>
    github.oidc.sign(audience, { repository, runId, ...more });
  const get: ProgressStage['get'] = (path, headers) =>
    fetch(`${stage.web.url}${path}`, {
      headers: { authorization: `Bearer ${operatorToken}`, ...headers },
    });
  return {
    ...stage,
    token,
    get,
    report: async (event, given) => {
      const { repository, run_id: runId } = event as ProgressEvent;
      const bearer = given === undefined ? await token({ repository, runId }) : given;
      const answer = await fetch(`${stage.web.url}/progress`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
        body: typeof event === 'string' ? event : JSON.stringify(event),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
    history: async (id) => (await (await get(`/progress/${encodeURIComponent(id)}`)).json()) as History,
    [Symbol.asyncDispose]: async () => {
      await stage[Symbol.asyncDispose]();
      if (!options.github) await github.close();
    },
  };
}

/** An event of run 77 in octo-org/hello; its message says which one it is. */
export function eventOf(correlationId: string, changes: Partial<ProgressEvent> = {}): ProgressEvent {
  const { sequence = 1, run_attempt = 1, status = 'in_progress' } = changes;
  return {
    repository: 'octo-org/hello',
    run_id: '77',
    correlation_id: correlationId,
    status,
    message: `${run_attempt}.${sequence} ${status}`,
    completed_tasks: ['Set up environment'],
    current_task: 'Writing tests',
    timestamp: '2026-01-17T12:00:00Z',
    version: 1,
    run_attempt,
    sequence,
    event_id: randomUUID(),
    result: null,
    ...changes,
  };
}

export interface Frame {
  id: string;
  event: string;
  data: ProgressEvent;
}

/** Reads a stream of events as a client would: comments are kept apart. */
export async function* framesOf(response: Response, onComment = () => {}): AsyncGenerator<Frame> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      if (block.startsWith(':')) onComment();
      else yield frameOf(block);
    }
  }
}

function frameOf(block: string): Frame {
  const fields = new Map(
    block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
  );
  return {
    id: fields.get('id')!,
    event: fields.get('event')!,
    data: JSON.parse(fields.get('data')!) as ProgressEvent,
  };
}

/** The next `count` frames. */
export async function take(frames: AsyncGenerator<Frame>, count: number): Promise<Frame[]> {
  const taken: Frame[] = [];
  while (taken.length < count) {
    const { value, done } = await frames.next();
    if (done) throw new Error(`The stream ended after ${taken.length} of ${count} events.`);
    taken.push(value);
  }
  return taken;
}

export const messagesOf = (frames: Frame[]) => frames.map(({ data }) => data.message);
