/** The log of a job comes from a place that GitHub names: with its address, without our token, and never more than fits. */
import { expect, test } from 'vitest';
import { downloadJobLog, type LogLimits } from './job-log.ts';
import { type Answer, type Asked, startServer } from './local-server.test-support.ts';

const route = '/repos/octo-org/hello/actions/jobs/7/logs';

/** What came of it, and what the API and the storage were asked. */
async function download(api: Answer[], storage: (asked: Asked) => Answer, limits?: LogLimits) {
  await using store = await startServer(storage);
  await using server = await startServer(
    api.map((answer) => ({ ...answer, headers: { ...answer.headers, location: `${store.url}/log?sig=1` } })),
  );
  const source = {
    apiUrl: server.url,
    token: async () => 'ghs_token',
    repository: { owner: 'octo-org', name: 'hello' },
    signal: AbortSignal.timeout(20_000),
  };
  const outcome = await downloadJobLog(source, 7, limits).catch((error: Error) => error);
  return { outcome, asked: server.asked, stored: store.asked };
}

test('the storage never sees the token', async () => {
  const { outcome, asked, stored } = await download([{ status: 302 }], () => ({ body: 'one\ntwo\n' }));
  expect(outcome).toEqual({ text: 'one\ntwo\n', omitted: 0, unread: false });
  expect(asked).toMatchObject([{ path: route, headers: { authorization: 'token ghs_token' } }]);
  expect(stored.map(({ path }) => path)).toEqual(['/log?sig=1']);
  expect(stored[0]!.headers.authorization).toBeUndefined();
});

test.each([403, 404, 410])('%d: there is none to be had', async (status) => {
  expect((await download([{ status }], () => ({}))).outcome).toBeNull();
});

test('what passes is waited for: no answer, a server error, a log that broke off', async () => {
  let times = 0;
  const storage = (): Answer => (times++ === 0 ? { body: 'half', trouble: 'cut' } : { body: 'whole\n' });
  const { outcome, asked } = await download([{ status: 302 }, { status: 502 }, { status: 302 }], storage);
  expect(outcome).toMatchObject({ text: 'whole\n' });
  expect(asked).toHaveLength(3);
});

test('what does not pass is told', async () => {
  const { outcome } = await download([{ status: 500 }, { status: 500 }, { status: 500 }], () => ({}));
  expect(outcome).toMatchObject({ message: 'The log could not be fetched: GitHub answered 500.' });
});

const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`);

test('of a long log the end is kept, in whole lines', async () => {
  const limits = { keep: 1_000, read: 10 ** 9 };
  const { outcome } = await download([{ status: 302 }], () => ({ body: lines.join('') }), limits);
  const { text, omitted } = outcome as { text: string; omitted: number };
  expect(text).toMatch(/^line \d+\n/);
  expect(text.endsWith('line 99999\n')).toBe(true);
  expect(text.length).toBeLessThanOrEqual(1_000);
  expect(omitted + text.length).toBe(lines.join('').length);
});

test('one that never ends is read no further than that', async () => {
  const limits = { keep: 1_000, read: 100_000 };
  const { outcome } = await download([{ status: 302 }], () => ({ body: lines.join('') }), limits);
  expect(outcome).toMatchObject({ unread: true });
  expect((outcome as { text: string }).text).not.toContain('line 99999');
});

test.each<[string, string]>([
  ['another kind of address', 'file:///etc/passwd'],
  ['a name and a password', 'http://user:secret@127.0.0.1/log'],
  ['nothing', ''],
])('an address that cannot be meant is not followed: %s', async (_, location) => {
  await using server = await startServer([{ status: 302, headers: { location } }]);
  const source = { apiUrl: server.url, token: async () => 't', repository: { owner: 'o', name: 'r' } };
  const downloading = downloadJobLog({ ...source, signal: AbortSignal.timeout(20_000) }, 7);
  await expect(downloading).rejects.toThrow('named no address');
});
