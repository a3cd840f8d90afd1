import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CacheService, startCacheService } from '../../../testkit/runner/cache-service.ts';
import { runnerCache } from '../../action/runner-cache.ts';
import { readConfig } from '../../words/config.ts';
import type { Dispatch } from '../../words/dispatch.ts';
import type { Subject } from '../../words/event.ts';
import type { Task } from '../../words/task.ts';
import type { Door } from '../door.ts';
import { Continuation } from './continuation.ts';

let cache: CacheService;
let warnings: string[];
let runs = 0;
beforeEach(async () => {
  cache = await startCacheService();
  warnings = [];
});
afterEach(() => cache[Symbol.asyncDispose]());

const key = { anthropic_api_key: 'sk-ant-api03-the-key' };
const sessionId = '1c1ae6ff-3a8c-4c65-9f6a-8b7f6a2f4a4e';

function taskOn(thread: string, changes: Partial<Task> = {}): Task {
  const [, owner, name, number] = /^(.+)\/([^#]+)(?:#(\d+))?$/.exec(thread) ?? [];
  return {
    key: thread,
    repository: { owner: owner!, name: name! },
    subject: number ? ({ kind: 'issue', number: Number(number) } as Subject) : null,
    actor: { login: 'octocat' },
    trigger: { kind: 'label', label: 'claude' },
    mode: 'tag',
    instruction: '',
    triggeredAt: '2026-03-01T12:00:00Z',
    ...changes,
  };
}

const dispatched = (thread: string, named: string | null) =>
  taskOn(thread, { trigger: { kind: 'dispatch', dispatch: { sessionId: named } as Dispatch } });

/** The next run, in a repository's own caches. */
function run(task: Task, given: Record<string, string> = key, more: Partial<Door> = {}): Continuation {
  const { owner, name } = task.repository;
  const ref = 'refs/heads/main';
  const token = cache.token({ repository: `${owner}/${name}`, ref, defaultRef: ref });
  runs += 1;
  const door = {
    config: readConfig((setting) => given[setting]).config,
    keep: runnerCache({ url: cache.url, token }),
    run: { workflow: 'Claude', job: 'claude', id: String(runs), attempt: '1' },
    mark: crypto.randomUUID(),
    signal: new AbortController().signal,
    warn: (message: string) => warnings.push(message),
    note: (message: string) => warnings.push(message),
    ...more,
  } as unknown as Door;
  return new Continuation(door, task);
}

/** A run in which something was said, to its end. */
async function talk(
  task: Task,
  words: string,
  session: string = sessionId,
  given: Record<string, string> = key,
) {
  const continuation = run(task, given);
  await continuation.open();
  await say(continuation, words, session);
  await continuation.keep({ sessionId: session, branch: null, conclusion: 'success' });
}

async function say(continuation: Continuation, words: string, session = sessionId) {
  const entries = [{ type: 'user', uuid: crypto.randomUUID(), words }];
  const { sessionStore } = continuation.transcript!.options();
  await sessionStore!.append({ projectKey: '-home-runner', sessionId: session }, entries);
}

/** What the next run of this thread goes on with. */
async function heard(task: Task, given: Record<string, string> = key): Promise<string[]> {
  const continuation = run(task, given);
  await continuation.open();
  return (continuation.earlier?.entries[''] ?? []).map((entry) => (entry as { words: string }).words);
}

const thread = taskOn('octo-org/hello#1');

test('each run of a thread goes on with the one before it', async () => {
  expect(await heard(thread)).toEqual([]);
  await talk(thread, 'one');
  await talk(thread, 'two');
  expect(await heard(thread)).toEqual(['one', 'two']);
  expect(await heard(taskOn('octo-org/hello#2'))).toEqual([]);
  expect(await heard(taskOn('octo-org/hello#11'))).toEqual([]);
  expect(await heard(taskOn('octo-org/other#1'))).toEqual([]);
  expect(warnings).toEqual([]);
});

test('costs begin at 0, as they are those of one run', async () => {
  await talk(thread, 'one');
  const continuation = run(thread);
  await continuation.open();
  const store = continuation.transcript!.options().sessionStore!;
  const place = { projectKey: '-elsewhere', sessionId };
  await store.append(place, [{ type: 'cost-state', uuid: 'a' }]);
  expect((await store.load(place))!.map(({ type }) => type)).toEqual(['user']);
});

describe('what others do with the caches of the repository makes a new conversation, and never another one', () => {
  const anew = async (task: Task, given = key) => {
    const continuation = run(task, given);
    await continuation.open();
    expect(continuation.earlier).toBeNull();
    expect(continuation.transcript).not.toBeNull();
    expect(continuation.notes).toEqual([expect.stringMatching(/cannot be read.*A new one began/)]);
  };

  test('another secret', async () => {
    await talk(thread, 'one');
    await anew(thread, { anthropic_api_key: 'sk-ant-api03-the-new-key' });
  });

  test('a changed byte', async () => {
    await talk(thread, 'one');
    cache.entries[0]!.bytes[60]! ^= 1;
    await anew(thread);
  });

  test("another thread's conversation under the key of this one", async () => {
    await talk(thread, 'one');
    await talk(taskOn('octo-org/hello#2'), 'the secret of #2');
    cache.entries[0]!.bytes = cache.entries[1]!.bytes;
    await anew(thread);
  });

  test("another repository's", async () => {
    await talk(thread, 'one');
    await talk(taskOn('octo-org/other#1'), 'the secret of the other');
    cache.entries[0]!.bytes = cache.entries[1]!.bytes;
    await anew(thread);
  });

  test('an older one as the newest', async () => {
    await talk(thread, 'one');
    await talk(thread, 'forget that');
    cache.entries[1]!.bytes = cache.entries[0]!.bytes;
    await anew(thread);
  });

  test('anything at all', async () => {
    await talk(thread, 'one');
    cache.entries[0]!.bytes = Buffer.from('{"sessionId":"x"}');
    await anew(thread);
  });
});

describe('a dispatch goes on with the session that it names, and with no other', () => {
  const other = '2c1ae6ff-3a8c-4c65-9f6a-8b7f6a2f4a4e';
  beforeEach(async () => {
    await talk(dispatched('octo-org/hello', null), 'one');
    await talk(dispatched('octo-org/hello', null), 'another', other);
    await talk(thread, 'on the issue', other);
  });

  test.each<[string, Task, string[]]>([
    ['by its id', dispatched('octo-org/hello', sessionId), ['one']],
    ['one that belongs to a thread, with it', dispatched('octo-org/hello#1', other), ['on the issue']],
    ['one without a thread, without one', dispatched('octo-org/hello', other), ['another']],
    ['none that is not named', dispatched('octo-org/hello', null), []],
  ])('%s', async (_, task, words) => {
    expect(await heard(task)).toEqual(words);
  });

  test.each<[string, Task, Record<string, string>, RegExp]>([
    [
      'not there',
      dispatched('octo-org/hello', crypto.randomUUID()),
      key,
      /no such session of octo-org\/hello/,
    ],
    ['of a thread that is not named', dispatched('octo-org/hello#2', other), key, /no such session of .*#2 /],
    [
      'of another repository',
      dispatched('octo-org/other', sessionId),
      key,
      /no such session of octo-org\/other/,
    ],
    ['unreadable', dispatched('octo-org/hello', sessionId), { anthropic_api_key: 'new' }, /cannot be read/],
    ['without a secret', dispatched('octo-org/hello', sessionId), {}, /kept encrypted/],
  ])('else it is refused: %s', async (_, task, given, why) => {
    const refused = run(task, given).open();
    await expect(refused).rejects.toMatchObject({ reason: 'invalid_input' });
    await expect(refused).rejects.toThrow(/^`client_payload\.session_id`: /);
    await expect(refused).rejects.toThrow(why);
  });
});

describe('where it cannot be kept, the run works without, and says so once', () => {
  test.each<[string, Record<string, string>, Partial<Door>, RegExp]>([
    ['no secret that stays', { github_token: 'ghs_1' }, {}, /off for this run: .*`anthropic_api_key`/],
    ['no cache', key, { keep: null }, /off for this run: .*no cache service/],
  ])('%s', async (_, given, more, why) => {
    const continuation = run(thread, given, more);
    await continuation.open();
    expect(continuation.transcript).toBeNull();
    await continuation.keep({ sessionId, branch: null, conclusion: 'success' });
    expect(warnings).toEqual([expect.stringMatching(why)]);
    expect(cache.requests).toEqual([]);
  });

  test('a cache that is down is not asked again', async () => {
    cache.answer = 500;
    const continuation = run(thread);
    await continuation.open();
    expect(continuation.transcript).toBeNull();
    const asked = cache.requests.length;
    await continuation.keep({ sessionId, branch: null, conclusion: 'success' });
    expect(cache.requests).toHaveLength(asked);
    expect(warnings).toEqual([expect.stringMatching(/cache did not answer \(status 500: out of order\)/)]);
  });

  test('a cache that breaks before the end', async () => {
    const continuation = run(thread);
    await continuation.open();
    await say(continuation, 'one');
    cache.answer = 500;
    await continuation.keep({ sessionId, branch: null, conclusion: 'failure' });
    expect(warnings).toEqual([expect.stringMatching(/not kept for the next run: status 500/)]);
  });

  test('a conversation that is too long', async () => {
    const continuation = run(thread);
    await continuation.open();
    await say(continuation, Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64'));
    await continuation.keep({ sessionId, branch: null, conclusion: 'success' }, 50_000);
    expect(warnings).toEqual([expect.stringMatching(/too long to be kept/)]);
    expect(cache.entries).toEqual([]);
  });
});

test('a cancelled run keeps nothing, nor does a session in which nobody has spoken', async () => {
  await talk(thread, 'one');
  const cancelled = run(thread);
  await cancelled.open();
  await say(cancelled, 'two');
  await cancelled.keep({ sessionId, branch: null, conclusion: 'cancelled' });
  const silent = run(thread);
  await silent.open();
  await silent.keep({ sessionId: crypto.randomUUID(), branch: null, conclusion: 'failure' });
  expect(await heard(thread)).toEqual(['one']);
});

test('a session that Claude Code does not take up gives way to a new one, unless a dispatch has named it', async () => {
  await talk(thread, 'one');
  const continuation = run(thread);
  await continuation.open();
  expect(continuation.transcript!.options().resume).toBe(sessionId);
  expect(continuation.beginAnew()).toBe(true);
  expect(continuation.transcript!.options().resume).toBeUndefined();
  expect(continuation.notes).toHaveLength(1);
  expect(continuation.beginAnew()).toBe(false);
  const named = run(dispatched('octo-org/hello#1', sessionId));
  await named.open();
  expect(named.beginAnew()).toBe(false);
});
