/** Forwards progress to the operator's backend: signed, in order, again and again until it is acknowledged or given up. */
import { createHmac } from 'node:crypto';
import { type Endpoint, type Posted, postTo, readEndpoint } from '../../report/endpoint.ts';
import { AppError } from '../../words/errors.ts';
import type { Secret } from '../../words/secret.ts';
import type { ServerContext } from '../context.ts';
import { inTurn } from '../in-turn.ts';
import { forwardNext, type Letter, type Outcome } from '../store/progress-outbox.ts';

export interface ForwardOptions {
  /** Milliseconds before the second attempt; doubled after each, up to a quarter of an hour. */
  firstDelayMs?: number;
  /** Milliseconds between two looks for letters whose time has come. */
  lookEveryMs?: number;
  /** Milliseconds for one answer. */
  timeoutMs?: number;
}

/** Streams that are forwarded at a time; each holds a connection to the database meanwhile. */
const lanes = 3;
/** A backend that says no so often means it. */
const mostRefusals = 5;
const longestDelayMs = 15 * 60_000;
/** How long a backend may ask to be left alone. */
const longestWaitMs = 60 * 60_000;

/** Null without PROGRESS_FORWARD_URL. @throws AppError `invalid_input` for one that cannot be forwarded to. */
export async function startForwarding(
  context: ServerContext,
  { firstDelayMs = 1_000, lookEveryMs = 1_000, timeoutMs = 10_000 }: ForwardOptions = {},
): Promise<{ close(): Promise<void> } | null> {
  const { configuration, store, log, redact } = context;
  const backend = backendOf(configuration.server);
  if (!backend) return null;
  const closing = new AbortController();
  const { signal } = closing;
  const send = async (letter: Letter): Promise<Outcome> => {
    const answer = await post(backend, letter, { timeoutMs, signal }).catch((error: Error) => error);
    // Not noted as a failure: the next process sends it.
    signal.throwIfAborted();
    const outcome = judge(answer, letter, firstDelayMs);
    report(context, letter, outcome);
    return outcome;
  };
  let isAway = false;
  const drain = async () => {
    try {
      while (!signal.aborted && (await forwardNext(store.database, send)));
      isAway = false;
    } catch (error) {
      if (signal.aborted || isAway) return;
      isAway = true;
      log.warning(`Progress waits to be forwarded: ${redact((error as Error).message)}`);
    }
  };
  const turns = Array.from({ length: lanes }, () => inTurn(drain));
  const look = () => {
    for (const turn of turns) turn();
  };
  const stop = await store.database.listen('progress', look);
  const timer = setInterval(look, lookEveryMs);
  look();
  return {
    close: async () => {
      clearInterval(timer);
      await stop();
      closing.abort();
      await Promise.all(turns.map((turn) => turn.settled()));
    },
  };
}

interface Backend {
  endpoint: Endpoint;
  secret: Secret;
}

function backendOf({
  progressForwardUrl: url,
  progressForwardSecret: secret,
}: ServerContext['configuration']['server']): Backend | null {
  if (url === null) return null;
  if (!secret) {
    throw new AppError('invalid_input', 'PROGRESS_FORWARD_URL is set, and PROGRESS_FORWARD_SECRET is not.', {
      remedy: 'Set PROGRESS_FORWARD_SECRET: the backend tells by it that progress is ours.',
    });
  }
  // The operator's own choice: it may be a private address, and plain http.
  const allowed = URL.canParse(url) ? [new URL(url).origin] : [];
  return { endpoint: readEndpoint(url, allowed, 'PROGRESS_FORWARD_URL'), secret };
}

function post(
  { endpoint, secret }: Backend,
  { body, eventId }: Letter,
  waiting: { timeoutMs: number; signal: AbortSignal },
): Promise<Posted> {
  // Anew for each attempt: a signature is only good for some minutes.
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const digest = createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': eventId,
    'x-forgehand-timestamp': timestamp,
    'x-forgehand-signature-256': `sha256=${digest}`,
  };
  return postTo(endpoint, { body, headers, ...waiting });
}

function judge(answer: Posted | Error, letter: Letter, firstDelayMs: number): Outcome {
  const status = answer instanceof Error ? null : answer.status;
  if (status !== null && status >= 200 && status < 300) return { kind: 'acknowledged' };
  const error = answer instanceof Error ? answer.message : `status ${answer.status}`;
  const isRefusal = status !== null && status >= 300 && status < 500 && ![408, 425, 429].includes(status);
  const isMeant = isRefusal && letter.refusals + 1 >= mostRefusals;
  if (isMeant || letter.isLast) return { kind: 'dead', error };
  const backoff = Math.min(firstDelayMs * 2 ** Math.min(letter.attempts, 30), longestDelayMs);
  const asked = answer instanceof Error ? null : answer.retryAfterMs;
  // Jitter: what failed together does not come back together.
  const againInMs = Math.max(backoff * (0.5 + Math.random() / 2), Math.min(asked ?? 0, longestWaitMs));
  return { kind: 'failed', error, isRefusal, againInMs };
}

/** Each letter's first failure, and its last. */
function report({ log, redact }: ServerContext, letter: Letter, outcome: Outcome): void {
  if (outcome.kind === 'acknowledged') return;
  const facts = { correlation: letter.correlationId, event: letter.eventId, attempt: letter.attempts + 1 };
  const why = redact(outcome.error);
  if (outcome.kind === 'dead') log.error(`Progress was not forwarded, and is given up: ${why}`, facts);
  else if (letter.attempts === 0) log.warning(`Progress was not forwarded yet: ${why}`, facts);
}
