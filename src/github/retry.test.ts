import { describe, expect, test } from 'vitest';
import {
  defaultPolicy,
  type Failure,
  isRateLimit,
  type RetryPolicy,
  retryDelay,
  whyNoAnswer,
  withRetry,
} from './retry.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const inSeconds = (seconds: number) => String(now / 1000 + seconds);
const failure = (
  status: number | null,
  headers: Failure['headers'] = {},
  message = 'went wrong',
): Failure => ({ status, headers, message });
const exhausted = { 'x-ratelimit-remaining': '0' };

describe('how long to wait before the next attempt', () => {
  test.each<[string, Failure, number | null]>([
    // what asking again does not change
    ['a missing permission', failure(403), null],
    ['a bad credential', failure(401), null],
    ['nothing there', failure(404), null],
    ['a request that GitHub does not take', failure(422), null],
    ['a final answer that names a time all the same', failure(404, { 'retry-after': '1' }), null],
    // rate limits name their time
    ['secondary limit with its time', failure(403, { 'retry-after': '7' }), 7_000],
    [
      'secondary limit without a time: a minute, as GitHub asks',
      failure(403, {}, 'secondary rate limit'),
      60_000,
    ],
    ['the same as 429', failure(429, {}, 'You have exceeded a secondary rate limit.'), 60_000],
    [
      'primary limit until its reset, and a second more',
      failure(403, { ...exhausted, 'x-ratelimit-reset': inSeconds(30) }),
      31_000,
    ],
    ['a reset that has passed', failure(429, { ...exhausted, 'x-ratelimit-reset': inSeconds(-5) }), 1_000],
    ['primary limit without a reset', failure(403, exhausted), 60_000],
    ['a server that asks for patience', failure(503, { 'retry-after': '2' }), 2_000],
    // longer than a run should wait
    ['the longest wait that is accepted', failure(403, { 'retry-after': '90' }), 90_000],
    ['a second longer is final', failure(403, { 'retry-after': '91' }), null],
    [
      'a reset in an hour is final',
      failure(403, { ...exhausted, 'x-ratelimit-reset': inSeconds(3600) }),
      null,
    ],
  ])('%s', (_, given, delay) => {
    expect(retryDelay(given, 1, defaultPolicy, now)).toBe(delay);
  });

  test.each<[string, Failure]>([
    ['no answer', failure(null)],
    ['server error', failure(500)],
    ['bad gateway', failure(502)],
    ['request timeout', failure(408)],
    ['too many requests, no word about a limit', failure(429)],
    ['a time that is no number', failure(503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' })],
    ['an empty time', failure(503, { 'retry-after': '' })],
    ['a time in the past', failure(503, { 'retry-after': '-3' })],
  ])('%s: doubled each time, between half of it and the whole', (_, given) => {
    const policy: RetryPolicy = { ...defaultPolicy, attempts: 4, firstDelayMs: 1_000 };
    for (const [attempt, ceiling] of [
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
    ] as const) {
      const delays = Array.from({ length: 200 }, () => retryDelay(given, attempt, policy, now)!);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(ceiling / 2);
      expect(Math.max(...delays)).toBeLessThanOrEqual(ceiling);
      expect(new Set(delays).size).toBeGreaterThan(50);
    }
    expect(retryDelay(given, 4, policy, now)).toBeNull();
  });
});

test.each<[string, Failure, boolean]>([
  ['429', failure(429), true],
  ['403 with a time', failure(403, { 'retry-after': '1' }), true],
  ['403 with nothing remaining', failure(403, exhausted), true],
  ['403 in words', failure(403, {}, 'API rate limit exceeded for 127.0.0.1'), true],
  ['403 with requests remaining', failure(403, { 'x-ratelimit-remaining': '4999' }), false],
  ['a server error that speaks of one', failure(500, {}, 'rate limit'), false],
])('rate limit or not: %s', (_, given, expected) => {
  expect(isRateLimit(given)).toBe(expected);
});

describe('trying again', () => {
  const quick: RetryPolicy = { ...defaultPolicy, attempts: 3, firstDelayMs: 1 };

  test('until it works', async () => {
    let calls = 0;
    const answer = await withRetry(
      async () => {
        calls += 1;
        if (calls < 3) throw new Error('not yet');
        return 'here';
      },
      () => failure(502),
      quick,
    );
    expect([answer, calls]).toEqual(['here', 3]);
  });

  test('until the attempts are used up; the last failure comes as it was', async () => {
    let calls = 0;
    const request = async () => {
      calls += 1;
      throw new Error(`attempt ${calls}`);
    };
    await expect(withRetry(request, () => failure(502), quick)).rejects.toThrow('attempt 3');
  });

  test('never after something that is no failed request', async () => {
    let calls = 0;
    const request = async () => {
      calls += 1;
      throw new TypeError('a bug');
    };
    await expect(withRetry(request, () => null, quick)).rejects.toThrow('a bug');
    expect(calls).toBe(1);
  });
});

test.each<[string, unknown, string]>([
  [
    'the innermost cause',
    new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
    'connect ECONNREFUSED',
  ],
  [
    'several addresses, none of which answers',
    Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  [
    'a timeout',
    new Error('aborted', { cause: new DOMException('long', 'TimeoutError') }),
    'no answer in time',
  ],
  ['nothing that says why', 'odd', 'no answer'],
])('why no answer came: %s', (_, error, why) => {
  expect(whyNoAnswer(error)).toBe(why);
});
