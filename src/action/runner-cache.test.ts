import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CacheScope, type CacheService, startCacheService } from '../../testkit/runner/cache-service.ts';
import { type Limits, runnerCache } from './runner-cache.ts';

let service: CacheService;
beforeEach(async () => {
  service = await startCacheService();
});
afterEach(() => service[Symbol.asyncDispose]());

const main: CacheScope = {
  repository: 'octo-org/hello',
  ref: 'refs/heads/main',
  defaultRef: 'refs/heads/main',
};
const pull = { ...main, ref: 'refs/pull/7/merge' };
const limits: Limits = { restoreMs: 5_000, saveMs: 5_000, bytes: 1_000 };
const patient = new AbortController().signal;
const cacheOf = (scope = main, changed: Partial<Limits> = {}) =>
  runnerCache({ url: `${service.url}/`, token: service.token(scope) }, { ...limits, ...changed });

test('what was kept last comes back, by the beginning of its key', async () => {
  const cache = cacheOf();
  await cache.save('thread-1-a', Buffer.from('first'), patient);
  await cache.save('thread-1-b', Buffer.from('second'), patient);
  await cache.save('thread-2-a', Buffer.from('of another'), patient);
  expect(await cache.restore('thread-1-', patient)).toEqual({
    key: 'thread-1-b',
    bytes: Buffer.from('second'),
  });
  expect(await cache.restore('thread-3-', patient)).toBeNull();
});

test('a pull request’s run sees what runs of the default branch have kept, and not the other way around', async () => {
  await cacheOf(pull).save('thread-1-a', Buffer.from('of the pull request'), patient);
  expect(await cacheOf(main).restore('thread-1-', patient)).toBeNull();
  await cacheOf(main).save('thread-2-a', Buffer.from('of main'), patient);
  expect(await cacheOf(pull).restore('thread-2-', patient)).toMatchObject({ key: 'thread-2-a' });
  expect(await cacheOf({ ...main, repository: 'octo-org/other' }).restore('thread-', patient)).toBeNull();
});

test('a key is written once', async () => {
  await cacheOf().save('thread-1-a', Buffer.from('first'), patient);
  await expect(cacheOf().save('thread-1-a', Buffer.from('second'), patient)).rejects.toThrow(
    'status 409: cache entry already exists',
  );
  expect(await cacheOf().restore('thread-1-', patient)).toMatchObject({ bytes: Buffer.from('first') });
});

describe('what goes wrong is said, and takes no longer than it may', () => {
  test('a token that is no good', async () => {
    const cache = runnerCache({ url: service.url, token: 'of another job' });
    await expect(cache.restore('thread-', patient)).rejects.toThrow('status 401: token is invalid');
  });

  test('a service that fails: tried again, a few times', async () => {
    service.answer = 503;
    await expect(cacheOf().restore('thread-', patient)).rejects.toThrow('status 503: out of order');
    expect(service.requests).toHaveLength(3);
  });

  test('a service that does not answer', async () => {
    service.answer = 'never';
    await expect(cacheOf(main, { restoreMs: 100 }).restore('thread-', patient)).rejects.toThrow(
      'no answer in time',
    );
    await expect(cacheOf(main, { saveMs: 100 }).save('thread-', Buffer.from('x'), patient)).rejects.toThrow(
      'no answer in time',
    );
  });

  test('a run that ends meanwhile', async () => {
    service.answer = 'never';
    const run = new AbortController();
    const saving = cacheOf().save('thread-', Buffer.from('x'), run.signal);
    run.abort(new Error('The job was cancelled.'));
    await expect(saving).rejects.toThrow('The job was cancelled.');
  });

  test('an entry that is larger than any of ours', async () => {
    await cacheOf().save('thread-1-a', Buffer.alloc(1_001), patient);
    await expect(cacheOf().restore('thread-', patient)).rejects.toThrow('the entry has more than 1000 bytes');
  });
});
