/** Follows a task through a Forgehand server: its Progress API as Server-Sent Events, taken up where it broke off. */
import { whyNoAnswer } from '../github/retry.ts';
import { AppError } from '../words/errors.ts';
import { isTerminal, type ProgressEvent, progressEvent } from '../words/progress.ts';
import type { Clock, Step } from './dispatch-step.ts';

export interface StreamToFollow {
  /** Root of the server, without a slash at its end. */
  server: string;
  operatorToken: string;
  correlationId: string;
}

/** The server gives a sign of life every 15 seconds. */
const longestSilenceMs = 60_000;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;
/** Failures in a row, between which nothing was heard: some four minutes. */
const mostFailures = 12;
const hintAfterMs = 60_000;
/** Characters of one event; the server takes none that is as long. */
const longestEvent = 4 * 1024 * 1024;

/** Ends when the newest attempt has ended. @throws AppError when the server refuses, or stays away. */
export async function* followStream(following: StreamToFollow, clock: Clock): AsyncGenerator<Step> {
  const begun = clock.now();
  let [lastId, failures, hinted, away] = ['', 0, false, false];
  let newest: ProgressEvent | null = null;
  for (;;) {
    try {
      for await (const { id, data } of connect(following, lastId)) {
        [failures, lastId] = [0, id || lastId];
        if (away) yield { waitingFor: 'the next report' };
        away = false;
        const event = data === null ? null : eventOf(data, following.correlationId);
        if (event && isNews(event, newest)) {
          newest = event;
          yield event;
        }
        if (!newest && !hinted && clock.now() - begun >= hintAfterMs) {
          hinted = true;
          yield { waitingFor: firstReport };
        }
      }
      // The server ends a stream with the end of the run, and else only when it ends itself.
      if (newest && isTerminal(newest.status)) return;
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (failures >= mostFailures) throw lost(following, error);
      if (!away) yield { waitingFor: `the server: ${whyNoAnswer(error)}` };
      away = true;
    }
    if (failures >= mostFailures) throw lost(following, null);
    await clock.wait(Math.min(firstPauseMs * 2 ** failures, longestPauseMs));
    failures += 1;
  }
}

const firstReport =
  'the run to report. The workflow must be on the default branch, listen to this type of `repository_dispatch` and ' +
  'have `id-token: write`; the server must be reachable for it and allow the repository (PROGRESS_REPOSITORIES_ALLOWED)';

/** The end of an attempt is its state, whatever of it arrives later. */
function isNews(event: ProgressEvent, newest: ProgressEvent | null): boolean {
  if (!newest || event.run_attempt > newest.run_attempt) return true;
  return (
    event.run_attempt === newest.run_attempt && event.sequence > newest.sequence && !isTerminal(newest.status)
  );
}

function eventOf(data: string, correlationId: string): ProgressEvent | null {
  try {
    const event = progressEvent.parse(JSON.parse(data));
    return event.correlation_id === correlationId ? event : null;
  } catch {
    return null;
  }
}

function lost({ server }: StreamToFollow, cause: unknown): AppError {
  const why = cause ? `: ${whyNoAnswer(cause)}` : '';
  return new AppError('timed_out', `${server} could not be reached again${why}. The task goes on.`, {
    cause,
    remedy: 'Look again when the server is up.',
  });
}

interface Sent {
  id: string;
  /** Null for a sign of life. */
  data: string | null;
}

/** One connection, to its end. */
async function* connect(following: StreamToFollow, lastId: string): AsyncGenerator<Sent> {
  const { server, operatorToken, correlationId } = following;
  const silence = new AbortController();
  const timer = setTimeout(
    () => silence.abort(new Error(`silent for ${longestSilenceMs / 1_000} seconds`)),
    longestSilenceMs,
  );
  try {
    const response = await fetch(`${server}/progress/${encodeURIComponent(correlationId)}/events`, {
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${operatorToken}`,
        ...(lastId && { 'last-event-id': lastId }),
      },
      redirect: 'error',
      signal: silence.signal,
    });
    // What was seen last was the end.
    if (response.status === 204) return;
    if (!response.ok || !response.body) await refuse(response, server);
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('text/event-stream')) throw noProgressApi(server);
    for await (const sent of eventsOf(response.body!)) {
      timer.refresh();
      yield sent;
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

async function refuse(response: Response, server: string): Promise<void> {
  const { status } = response;
  await response.body?.cancel();
  if (status === 401 || status === 403) {
    throw new AppError('not_permitted', `${server} answered ${status}: it takes another token.`, {
      remedy: 'Set OPERATOR_TOKEN to the token of the server’s operator.',
    });
  }
  if (status < 500 && status !== 429) throw noProgressApi(server, status);
  throw new Error(`status ${status}`);
}

function noProgressApi(server: string, status?: number): AppError {
  return new AppError(
    'not_permitted',
    `${server} is no Forgehand server with a Progress API${status ? `: it answered ${status}` : ''}.`,
    { remedy: 'Give the address that the server’s start printed, without `/progress`.' },
  );
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Sent> {
  let [rest, id, name] = ['', '', ''];
  let data: string[] = [];
  let length = 0;
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines.map((one) => one.replace(/\r$/, ''))) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (field === 'id') id = value ?? '';
      if (field === 'event') name = value ?? '';
      if (field === 'data') data.push(value ?? '');
      if (line !== '') {
        length += line.length;
        continue;
      }
      if (data.length > 0 && name === 'progress') yield { id, data: data.join('\n') };
      [name, data, length] = ['', [], 0];
    }
    if (rest.length + length > longestEvent) throw new Error('an event without end');
    yield { id, data: null };
  }
}
