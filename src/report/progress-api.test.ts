import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import type { ProgressEvent } from '../words/progress.ts';
import { redactor } from '../words/redact.ts';
import type { Progress, Result } from '../words/result.ts';
import { readEndpoint } from './endpoint.ts';
import { startEndpoint, type TestEndpoint } from './progress.test-support.ts';
import { deliveryLines, type ProgressApiOptions, progressApi, type Sent, sender } from './progress-api.ts';

const stream = { repository: 'octo-org/hello', runId: '123', runAttempt: 1, correlationId: 'req-123-abc' };
const secret = 'hunter2-long-secret';
const says = (message: string, more: Partial<Progress> = {}): Progress => ({
  status: 'in_progress',
  message,
  ...more,
});
const success: Result = {
  conclusion: 'success',
  reason: '',
  summary: 'All done.',
  remedy: '',
  notes: [],
  sessionId: null,
  branch: null,
  pullRequestUrl: null,
  commentUrl: null,
  usage: null,
};
const failure: Result = { ...success, conclusion: 'failure', reason: 'internal', summary: 'It broke.' };

/** A reporter to `endpoint`, with all that it saved and each token that it asked for. */
function reporter(endpoint: TestEndpoint, changes: Partial<ProgressApiOptions> = {}) {
  const saved: Sent[] = [];
  const tokens: string[] = [];
  const token = async (fresh = false) => {
    tokens.push(`${fresh ? 'fresh' : 'usual'}-${tokens.length}`);
    return tokens.at(-1)!;
  };
  const url = `${endpoint.origin}/progress?key=1`;
  const api = progressApi({
    stream,
    endpoint: url,
    send: sender(readEndpoint(url, [endpoint.origin], 'endpoint'), token),
    save: (sent) => saved.push(structuredClone(sent)),
    redact: redactor([secret]),
    firstDelayMs: 1,
    ...changes,
  });
  return { api, saved, tokens };
}
const told = (events: ProgressEvent[]) => events.map(({ sequence, message }) => `${sequence} ${message}`);
const all = (endpoint: TestEndpoint) => told(endpoint.received.map(({ event }) => event));
const accepted = '1 The task is accepted.';

describe('a healthy endpoint', () => {
  test('hears of a task from before its start to its end, each event once and in order', async () => {
    await using endpoint = await startEndpoint();
    const { api, saved, tokens } = reporter(endpoint);
    await api.started();
    expect(endpoint.taken).toMatchObject([{ sequence: 1, status: 'queued', completed_tasks: [] }]);
    await api.progress(says('Looking.', { completedTasks: ['Read'], currentTask: 'Look' }));
    await endpoint.receives(2);
    await api.progress(says('Fixing.'));
    await endpoint.receives(3);
    await api.finished(success);
    expect(endpoint.taken).toMatchObject([
      { sequence: 1, status: 'queued', completed_tasks: [], current_task: '', result: null },
      { sequence: 2, status: 'in_progress', completed_tasks: ['Read'], current_task: 'Look', result: null },
      { sequence: 3, status: 'in_progress', completed_tasks: ['Read'], current_task: '', result: null },
      { sequence: 4, status: 'completed', completed_tasks: ['Read'], current_task: '' },
    ]);
    expect(endpoint.taken[3]!.result).toMatchObject({ conclusion: 'success', summary: 'All done.' });
    for (const { repository, correlation_id, run_id, run_attempt, version } of endpoint.taken)
      expect([repository, correlation_id, run_id, run_attempt, version]).toEqual([
        ...['octo-org/hello', 'req-123-abc', '123'],
        ...[1, 1],
      ]);
    for (const [index, { path, headers, event }] of endpoint.received.entries()) {
      expect(path).toBe('/progress?key=1');
      expect(headers).toMatchObject({
        authorization: `Bearer ${tokens[index]}`,
        'content-type': 'application/json',
        'idempotency-key': event.event_id,
      });
    }
    expect(new Set(endpoint.taken.map(({ event_id }) => event_id)).size).toBe(4);
    expect(api.report()).toEqual({
      endpoint: `${endpoint.origin}/progress`,
      acknowledged: 4,
      coalesced: 0,
      refused: 0,
      ended: true,
      problem: null,
    });
    expect(saved.at(-1)).toMatchObject({ sequence: 4, unacknowledged: null, ended: true });
  });

  test('each event is saved before it is sent', async () => {
    const saved: Sent[] = [];
    const savedAtReceipt: (Sent | undefined)[] = [];
    await using endpoint = await startEndpoint(() => {
      savedAtReceipt.push(saved.at(-1));
      return 202;
    });
    const { api } = reporter(endpoint, { save: (sent) => saved.push(structuredClone(sent)) });
    await api.started();
    await api.finished(success);
    expect(savedAtReceipt).toEqual(
      endpoint.received.map(({ event }) => ({
        sequence: event.sequence,
        unacknowledged: event,
        completedTasks: event.completed_tasks,
        ended: false,
      })),
    );
  });

  test('nothing comes after the end, and the end comes once', async () => {
    await using endpoint = await startEndpoint();
    const { api } = reporter(endpoint);
    await api.finished(success);
    await api.progress(says('Still here?'));
    await api.finished(failure);
    expect(all(endpoint)).toEqual(['1 All done.']);
  });

  test('secrets stay here', async () => {
    await using endpoint = await startEndpoint();
    const { api } = reporter(endpoint);
    await api.progress(says(`Found ${secret}`, { completedTasks: [secret], currentTask: secret }));
    await api.finished({ ...success, summary: `It was ${secret}` });
    expect(endpoint.taken).toHaveLength(2);
    expect(JSON.stringify(endpoint.received)).not.toContain(secret);
  });
});

describe('a slow endpoint', () => {
  test('is not waited for, and hears the newest of what came meanwhile', async () => {
    const answer = Promise.withResolvers<number>();
    await using endpoint = await startEndpoint((event) => (event.sequence === 2 ? answer.promise : 202));
    const { api } = reporter(endpoint);
    await api.started();
    await api.progress(says('A'));
    await endpoint.receives(2);
    await api.progress(says('B', { completedTasks: ['One'] }));
    await api.progress(says('C', { completedTasks: ['One', 'Two'], currentTask: 'Three' }));
    await api.progress(says('D'));
    expect(all(endpoint)).toEqual([accepted, '2 A']);
    answer.resolve(202);
    await endpoint.receives(3);
    expect(endpoint.received[2]!.event).toMatchObject({
      sequence: 3,
      message: 'D',
      completed_tasks: ['One', 'Two'],
    });
    await api.finished(success);
    expect(told(endpoint.taken)).toEqual([accepted, '2 A', '3 D', '4 All done.']);
    expect(api.report()).toMatchObject({ acknowledged: 4, coalesced: 2, ended: true });
  });

  test('the end takes the place of what waits, and gives it to nobody', async () => {
    const answer = Promise.withResolvers<number>();
    await using endpoint = await startEndpoint((event) => (event.sequence === 1 ? answer.promise : 202));
    const { api } = reporter(endpoint);
    await api.progress(says('A'));
    await api.progress(says('B', { completedTasks: ['One'] }));
    const finished = api.finished(success);
    await api.progress(says('too late'));
    answer.resolve(202);
    await finished;
    expect(told(endpoint.taken)).toEqual(['1 A', '2 All done.']);
    expect(endpoint.taken[1]!.completed_tasks).toEqual(['One']);
  });

  test('one that never answers does not keep a task from its start', async () => {
    await using endpoint = await startEndpoint(() => 'hang');
    const { api } = reporter(endpoint, { terminalMs: 1 });
    await api.started();
    expect(all(endpoint)).toEqual([accepted]);
    expect(api.report()).toMatchObject({ acknowledged: 0, refused: 0 });
    await api.finished(success);
  });

  test('one that never answers is given up in the end', async () => {
    await using endpoint = await startEndpoint((event) => (event.result ? 'hang' : 202));
    const { api, saved } = reporter(endpoint, { terminalMs: 100 });
    await api.finished(success);
    expect(api.report()).toMatchObject({
      ended: false,
      refused: 1,
      problem: 'the endpoint did not answer in time',
    });
    expect(saved.at(-1)).toMatchObject({ unacknowledged: null, ended: true });
  });
});

describe('an endpoint that fails', () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 'break'] as const)(
    'and may do better later (%s) gets the same event again, and then the next',
    async (trouble) => {
      await using endpoint = await startEndpoint((event, n) =>
        event.sequence === 2 && n < 4 ? trouble : 202,
      );
      const { api } = reporter(endpoint);
      await api.started();
      await api.progress(says('A'));
      await endpoint.receives(2);
      await api.finished(success);
      expect(all(endpoint)).toEqual([accepted, '2 A', '2 A', '2 A', '2 A', '3 All done.']);
      const [first, ...again] = endpoint.received.slice(1, 5);
      for (const { event, headers } of again) {
        expect(event).toEqual(first!.event);
        expect(headers['idempotency-key']).toBe(first!.event.event_id);
      }
      expect(api.report()).toMatchObject({
        acknowledged: 3,
        refused: 0,
        ended: true,
        problem: expect.any(String),
      });
    },
  );

  test.each([301, 307, 400, 403, 404, 409, 413, 422])(
    'for good (%i) has refused that event, and gets the next',
    async (status) => {
      await using endpoint = await startEndpoint((event) => (event.sequence === 2 ? status : 202));
      const { api } = reporter(endpoint);
      await api.started();
      await api.progress(says('A'));
      await endpoint.receives(2);
      await api.finished(success);
      expect(all(endpoint)).toEqual([accepted, '2 A', '3 All done.']);
      expect(api.report()).toMatchObject({
        acknowledged: 2,
        refused: 1,
        ended: true,
        problem: `the endpoint answered ${status}`,
      });
    },
  );

  test('the end may be refused like any other', async () => {
    await using endpoint = await startEndpoint(() => 422);
    const { api, saved } = reporter(endpoint);
    await api.finished(success);
    expect(api.report()).toMatchObject({ acknowledged: 0, refused: 1, ended: false });
    expect(saved.at(-1)).toMatchObject({ sequence: 1, unacknowledged: null, ended: true });
  });

  test('a refused token is replaced once', async () => {
    await using endpoint = await startEndpoint((_, n) => (n === 0 ? 401 : 202));
    const { api, tokens } = reporter(endpoint);
    await api.started();
    expect(endpoint.received.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer usual-0',
      'Bearer fresh-1',
    ]);
    expect(tokens).toHaveLength(2);
    expect(api.report()).toMatchObject({ acknowledged: 1, refused: 0 });
  });

  test('a fresh token that is refused too is an answer', async () => {
    await using endpoint = await startEndpoint(() => 401);
    const { api, tokens } = reporter(endpoint);
    await api.finished(success);
    expect([tokens, api.report().refused]).toEqual([['usual-0', 'fresh-1'], 1]);
  });

  test('does not keep a task from its start, and hears the end at once, not after a wait', async () => {
    await using endpoint = await startEndpoint((_, n) => (n === 0 ? 503 : 202));
    const { api } = reporter(endpoint, { firstDelayMs: 3_600_000 });
    await api.started();
    expect(endpoint.taken).toEqual([]);
    await api.finished(success);
    expect(told(endpoint.taken)).toEqual([accepted, '2 All done.']);
  });

  test('may not ask for more patience than there is', async () => {
    await using endpoint = await startEndpoint((_, n) =>
      n === 0 ? { status: 503, headers: { 'retry-after': '86400' } } : 202,
    );
    const { api } = reporter(endpoint);
    await api.finished(success);
    expect(told(endpoint.taken)).toEqual(['1 All done.']);
  });

  test('is told the end for as long as there is time', async () => {
    await using endpoint = await startEndpoint(() => 503);
    const { api, saved } = reporter(endpoint, { terminalMs: 1_000 });
    await api.finished(failure);
    expect(new Set(all(endpoint))).toEqual(new Set(['1 It broke.']));
    expect(endpoint.received.length).toBeGreaterThan(1);
    expect(api.report()).toMatchObject({
      refused: 1,
      ended: false,
      problem: expect.stringMatching(/503|in time/),
    });
    expect(saved.at(-1)).toMatchObject({ sequence: 1, unacknowledged: null, ended: true });
  });

  test('at one event only is told the end nevertheless', async () => {
    await using endpoint = await startEndpoint((event) => (event.sequence === 1 ? 500 : 202));
    const { api } = reporter(endpoint, { terminalMs: 2_000 });
    await api.started();
    await api.finished(success);
    expect(told(endpoint.taken)).toEqual(['2 All done.']);
    expect(api.report()).toMatchObject({ acknowledged: 1, refused: 1, ended: true });
  });

  test('is down at first, and comes back', async () => {
    await using endpoint = await startEndpoint();
    await endpoint.goDown();
    const { api } = reporter(endpoint);
    await api.started();
    expect(api.report()).toMatchObject({ acknowledged: 0, problem: expect.stringContaining('ECONNREFUSED') });
    await api.progress(says('A'));
    await api.progress(says('B'));
    await endpoint.comeBack();
    await api.finished(success);
    expect(told(endpoint.taken)).toEqual([accepted, '2 All done.']);
    expect(api.report()).toMatchObject({ coalesced: 2, ended: true });
  });
});

describe('trouble on our side', () => {
  test('without a token there is nothing to wait for', async () => {
    await using endpoint = await startEndpoint();
    const send = sender(readEndpoint(endpoint.origin, [endpoint.origin], 'endpoint'), async () => {
      throw new AppError('github_auth', `No token: ${secret}`);
    });
    const { api } = reporter(endpoint, { send });
    await api.started();
    await api.finished(success);
    expect(api.report()).toMatchObject({
      acknowledged: 0,
      refused: 2,
      ended: false,
      problem: 'No token: ***',
    });
    expect(endpoint.received).toEqual([]);
  });

  test('an issuer of tokens that is away for a while is waited for', async () => {
    await using endpoint = await startEndpoint();
    let asked = 0;
    const send = sender(readEndpoint(endpoint.origin, [endpoint.origin], 'endpoint'), async () => {
      asked += 1;
      if (asked < 3) throw new AppError('github_unavailable', 'No answer.');
      return 'token';
    });
    const { api } = reporter(endpoint, { send });
    await api.finished(success);
    expect([told(endpoint.taken), asked]).toEqual([['1 All done.'], 3]);
  });

  test('a token that never comes holds up neither the start nor, for longer than there is time, the end', async () => {
    await using endpoint = await startEndpoint();
    const never = () => new Promise<string>(() => {});
    const send = sender(readEndpoint(endpoint.origin, [endpoint.origin], 'endpoint'), never);
    const { api } = reporter(endpoint, { send, terminalMs: 20 });
    await api.started();
    await api.finished(success);
    expect(api.report()).toMatchObject({ ended: false, refused: 2 });
  });

  test('a memory that is full does not keep events from being sent', async () => {
    await using endpoint = await startEndpoint();
    const { api } = reporter(endpoint, {
      save: () => {
        throw new Error('ENOSPC');
      },
    });
    await api.started();
    await api.finished(success);
    expect(told(endpoint.taken)).toEqual([accepted, '2 All done.']);
    expect(api.report()).toMatchObject({ ended: true, problem: 'ENOSPC' });
  });
});

describe('a later process goes on where a former one was killed', () => {
  /** What is left of a process that was killed while the endpoint was silent. */
  async function killed(endpoint: TestEndpoint, act: (api: ReturnType<typeof progressApi>) => unknown) {
    const kill = new AbortController();
    const { api, saved } = reporter(endpoint, { signal: kill.signal, terminalMs: 60_000 });
    await act(api);
    kill.abort();
    return JSON.parse(JSON.stringify(saved.at(-1))) as Sent;
  }
  /** Silent when the event with that sequence comes first. */
  const silentAt = (sequence: number) => {
    let asked = 0;
    return startEndpoint((event) => {
      if (event.sequence !== sequence) return 202;
      asked += 1;
      return asked === 1 ? 'hang' : 202;
    });
  };

  test('the unacknowledged event first, then the end', async () => {
    await using endpoint = await silentAt(2);
    const earlier = await killed(endpoint, async (api) => {
      await api.started();
      await api.progress(says('A', { completedTasks: ['One'] }));
      await endpoint.receives(2);
      await api.progress(says('lost with the process'));
    });
    expect(earlier).toMatchObject({ sequence: 2, unacknowledged: { message: 'A' }, ended: false });
    const { api } = reporter(endpoint, { earlier });
    await api.finished(failure);
    expect(all(endpoint)).toEqual([accepted, '2 A', '2 A', '3 It broke.']);
    expect(endpoint.received[2]!.event).toEqual(endpoint.received[1]!.event);
    expect(endpoint.received[3]!.event.completed_tasks).toEqual(['One']);
  });

  test('an end that was on its way is said again as it was', async () => {
    await using endpoint = await silentAt(1);
    const earlier = await killed(endpoint, async (api) => {
      void api.finished(success);
      await endpoint.receives(1);
    });
    const { api, saved } = reporter(endpoint, { earlier });
    await api.finished(failure);
    expect(all(endpoint)).toEqual(['1 All done.', '1 All done.']);
    expect(endpoint.received[1]!.event).toEqual(endpoint.received[0]!.event);
    expect(api.report()).toMatchObject({ acknowledged: 1, ended: true });
    expect(saved.at(-1)).toMatchObject({ ended: true });
  });

  test('what was acknowledged is not sent again', async () => {
    await using endpoint = await startEndpoint();
    const former = reporter(endpoint);
    await former.api.started();
    const between = reporter(endpoint, { earlier: former.saved.at(-1) });
    await between.api.finished(success);
    const later = reporter(endpoint, { earlier: between.saved.at(-1) });
    await later.api.finished(failure);
    expect(all(endpoint)).toEqual([accepted, '2 All done.']);
    expect(later.saved).toEqual([]);
  });

  test('a signal stops what is being sent, and what is left is remembered', async () => {
    await using endpoint = await startEndpoint(() => 503);
    const stop = new AbortController();
    const { api, saved } = reporter(endpoint, { signal: stop.signal });
    const finished = api.finished(success);
    await endpoint.receives(2);
    stop.abort();
    await finished;
    expect(saved.at(-1)).toMatchObject({ sequence: 1, unacknowledged: { sequence: 1 }, ended: false });
  });
});

describe('the process', () => {
  /** A program of its own that ends when nothing keeps it. */
  async function run(endpoint: string, what: string) {
    const module = JSON.stringify(new URL('./progress-api.ts', import.meta.url).href);
    const program = `
      import { progressApi } from ${module};
      const send = async () => ({ status: (await fetch('${endpoint}', { method: 'POST', body: process.argv[1] })).status, retryAfterMs: null });
      const stream = ${JSON.stringify(stream)};
      const api = progressApi({ stream, endpoint: '', send, save() {}, redact: (text) => text, firstDelayMs: 300 });
      const result = ${JSON.stringify(success)};
      ${what}`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', '--input-type=module', '--eval', program, JSON.stringify(example)],
      // Long before the waits below are over.
      { timeout: 120_000 },
    );
    return stdout.trim();
  }
  const example: ProgressEvent = {
    ...{ repository: 'o/r', run_id: '1', correlation_id: 'c', status: 'queued', message: '' },
    ...{ completed_tasks: [], current_task: '', timestamp: '2026-01-17T12:00:00Z', version: 1 },
    ...{ run_attempt: 1, sequence: 1, event_id: crypto.randomUUID(), result: null },
  };

  test('is not kept by what waits to be sent again', async () => {
    await using endpoint = await startEndpoint(() => 503);
    // With a wait of hours: only a process that nothing keeps gets to its end.
    const long = `const slow = progressApi({ stream, endpoint: '', send, save() {}, redact: (text) => text, firstDelayMs: 7_200_000 });`;
    expect(
      await run(endpoint.origin, `${long} await slow.started(); console.log(slow.report().problem);`),
    ).toBe('the endpoint answered 503');
  });

  test('is kept until the end is said, and no longer', async () => {
    await using endpoint = await startEndpoint((_, n) => (n < 2 ? 503 : 202));
    expect(await run(endpoint.origin, 'await api.finished(result); console.log(api.report().ended);')).toBe(
      'true',
    );
  });
});

test.each([
  [
    { acknowledged: 4, coalesced: 0, refused: 0, ended: true, problem: null },
    '**Progress** to `https://api.example.com/progress`: 4 acknowledged. It knows that the task ended.',
  ],
  [
    { acknowledged: 1, coalesced: 2, refused: 1, ended: false, problem: 'the endpoint `x`\nanswered 503' },
    '**Progress** to `https://api.example.com/progress`: 1 acknowledged, 2 replaced by a newer state before they were sent, 1 not taken. ⚠️ It does not know that the task ended.\n\n> Last problem: `the endpoint ?x??answered 503`',
  ],
])('the delivery report in words', (report, lines) => {
  expect(deliveryLines({ endpoint: 'https://api.example.com/progress', ...report })).toBe(lines);
});
