/** Images of a thread, fetched over HTTP from a local GitHub: which, from where, and what is said of those that fail. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { Issue, Subject } from '../../testkit/github/model.ts';
import { attachmentAt, downloadAttachment, isSigned } from '../github/attachments.ts';
import { createClient } from '../github/client.ts';
import type { Item } from '../words/event.ts';
import { fetchThread } from './fetch.ts';
import { fetchImages } from './images.ts';

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const image = (text: string) => Buffer.concat([png, Buffer.from(text)]);

let github: LocalGitHub;
let issue: Issue;
let directory: string;
beforeAll(async () => {
  github = await startGitHub();
  await github.createRepository({ owner: 'octo-org', name: 'hello', private: true });
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'images-'));
  issue = github.createIssue('octo-org/hello', { title: 'Look', author: 'octocat' });
});
afterEach(() => rm(directory, { recursive: true }));

interface Reading {
  item?: Item;
  /** A personal token unless told. */
  token?: string;
  signal?: AbortSignal;
  /** The issue of the test unless told. */
  subject?: Subject;
}

/** Reads the issue's images as the engine does. Answers what each address has become, by the text of the file. */
async function readImages({
  item,
  token = github.token({ login: 'octo-org' }),
  signal,
  subject = issue,
}: Reading = {}) {
  const { serverUrl } = github;
  const client = createClient(
    { apiUrl: github.apiUrl, graphqlUrl: github.graphqlUrl, serverUrl },
    async () => token,
  );
  const repository = { owner: 'octo-org', name: 'hello' };
  const { thread } = await fetchThread({
    graphql: client.graphql,
    repository,
    kind: subject.kind === 'issue' ? 'issue' : 'pull_request',
    number: subject.number,
  });
  github.clearRequests();
  const { files, leftOut } = await fetchImages({
    thread,
    item: item ?? null,
    visible: (text) => text.replace(/!\[[^\]]*\]/g, '![]').replace(/<!--.*?-->/gs, ''),
    graphql: client.graphql,
    host: {
      find: (address) => attachmentAt(address, serverUrl),
      isSigned: (address, found) => isSigned(address, found, serverUrl),
      download: (wanted) => downloadAttachment({ serverUrl, token: async () => token }, wanted),
    },
    directory,
    signal: signal ?? new AbortController().signal,
  });
  const found = new Map<string, string>();
  for (const [address, path] of files)
    found.set(address, `${basename(path)} ${(await readFile(path)).subarray(16)}`);
  return { found, leftOut };
}

const comment = (body: string, author = 'octocat') => github.comment(issue, { author, body });
const appToken = () => github.token({ login: 'claude[bot]', repositories: ['octo-org/hello'] });

test('markdown and HTML, in the description and in comments, each once', async () => {
  const [one, two] = [github.attach(image('one')), github.attach(image('two'))];
  github.editBody(issue, `See ![screen](${one})`);
  comment(`<img width="600" alt="x" src="${two}" />\nand again ![](${one})`);
  const { found, leftOut } = await readImages();
  expect(found).toEqual(
    new Map([
      [one, '1.png one'],
      [two, '2.png two'],
    ]),
  );
  expect(leftOut).toEqual([]);
});

test('a thread without images costs no request', async () => {
  comment('No ![picture](https://example.com/a.png), only <!-- ![](https://example.com/b.png) --> words.');
  const { found } = await readImages();
  expect([found.size, github.requests]).toEqual([0, []]);
});

describe('where the bytes come from', () => {
  test('an App’s token opens no attachment: the signed address in the HTML of the text does, without it', async () => {
    const address = github.attach(image('private'));
    comment(`![](${address})`);
    const { found, leftOut } = await readImages({ token: appToken() });
    expect([found.get(address), leftOut]).toEqual(['1.png private', []]);
    expect(
      github.requests.map(({ operation, kind, authorization }) => [operation ?? kind, authorization]),
    ).toEqual([
      ['html', 'installation'],
      ['kit', 'none'],
    ]);
  });

  test('all texts are asked for at once', async () => {
    for (let n = 0; n < 5; n += 1) comment(`![](${github.attach(image(`${n}`))})`);
    await readImages({ token: appToken() });
    expect(github.requests.filter(({ kind }) => kind === 'graphql')).toHaveLength(1);
  });

  test('without an answer about the HTML, the credential is tried', async () => {
    const address = github.attach(image('mine'));
    comment(`![](${address})`);
    const restore = github.faults.add({
      operation: 'html',
      body: { errors: [{ type: 'FORBIDDEN', message: 'no' }] },
    });
    const { found } = await readImages();
    restore();
    expect(found.get(address)).toBe('1.png mine');
    expect(github.requests.map(({ kind, authorization }) => [kind, authorization])).toEqual([
      ['graphql', 'none'],
      ['page', 'pat'],
      ['kit', 'none'],
    ]);
  });
});

describe('the trigger', () => {
  const trigger = (body: string): Item => ({
    kind: 'issue_comment',
    id: 1,
    author: { login: 'octocat' },
    body,
    htmlUrl: '',
  });

  test('comes first, with the text that the event has', async () => {
    const [early, asked] = [github.attach(image('early')), github.attach(image('asked'))];
    comment(`![](${early})`);
    const { found } = await readImages({ item: trigger(`@claude why? ![](${asked})`) });
    expect(found).toEqual(
      new Map([
        [asked, '1.png asked'],
        [early, '2.png early'],
      ]),
    );
  });

  test('with a review come the images of its comments on lines, before those of the description', async () => {
    const [early, asked, onLine] = ['early', 'asked', 'on a line'].map((text) => github.attach(image(text)));
    const files = { 'new.js': '1\n' };
    await github.repository('octo-org/hello').addCommit({ branch: 'topic', message: 'Begin', files });
    const pull = await github.createPullRequest('octo-org/hello', {
      title: 'New',
      body: `![](${early})`,
      head: 'topic',
      author: 'octocat',
    });
    const body = `@claude settle this ![](${asked})`;
    const { id } = await github.review(pull, {
      author: 'octo-org',
      body,
      comments: [{ path: 'new.js', line: 1, body: `Here: ![](${onLine})` }],
    });
    const { found } = await readImages({ item: { ...trigger(body), kind: 'review', id }, subject: pull });
    expect(found).toEqual(
      new Map([
        [asked, '1.png asked'],
        [onLine, '2.png on a line'],
        [early, '3.png early'],
      ]),
    );
  });

  test('is served although others have posted more images than are taken', async () => {
    const asked = github.attach(image('asked'));
    for (let n = 0; n < 30; n += 1) comment(`![](${github.attach(image(`${n}`))})`, 'mallory');
    const { found, leftOut } = await readImages({ item: trigger(`@claude why? ![](${asked})`) });
    expect([found.get(asked), found.size]).toEqual(['1.png asked', 20]);
    expect(leftOut).toEqual([{ what: 'images', count: 11, why: 'over the limit of 20' }]);
  });
});

test('what cannot be had is said, and the rest is there', async () => {
  const good = github.attach(image('good'));
  const page = github.attach(Buffer.from('<html>not an image</html>'));
  const large = github.attach(Buffer.concat([png, Buffer.alloc(5 * 2 ** 20)]));
  const gone = `${github.serverUrl}/user-attachments/assets/00000000-0000-4000-8000-000000000000`;
  comment([good, page, large, gone].map((address) => `![](${address})`).join('\n'));
  const { found, leftOut } = await readImages();
  expect([...found]).toEqual([[good, '1.png good']]);
  expect(new Set(leftOut)).toEqual(
    new Set([
      { what: 'images', count: 1, why: 'not a PNG, JPEG, GIF or WebP' },
      { what: 'images', count: 1, why: 'could not be downloaded: larger than 5 MiB' },
      { what: 'images', count: 1, why: 'could not be downloaded: GitHub answered 404' },
    ]),
  );
  expect(await readdir(directory)).toEqual(['1.png']);
});

test('several come at a time, and no more than four', async () => {
  for (let n = 0; n < 12; n += 1) comment(`![](${github.attach(image(`${n}`))})`);
  github.latencyMs = 30;
  const { found } = await readImages({ token: appToken() });
  github.latencyMs = 0;
  expect(found.size).toBe(12);
  const downloads = github.requests.filter(({ path }) => path.startsWith('/_attachments/'));
  const atOnce = downloads.map(
    (one) =>
      downloads.filter(
        (other) => other.startedAt <= one.startedAt && one.startedAt < other.startedAt + other.ms!,
      ).length,
  );
  expect(Math.max(...atOnce)).toBeGreaterThan(1);
  expect(Math.max(...atOnce)).toBeLessThanOrEqual(4);
});

test('all of them together have a limit too', async () => {
  const large = (n: number) => Buffer.concat([image(`${n}`), Buffer.alloc(5 * 2 ** 20 - 100)]);
  for (let n = 0; n < 10; n += 1) comment(`![](${github.attach(large(n))})`);
  const { leftOut } = await readImages({ token: appToken() });
  expect(await readdir(directory)).toHaveLength(8);
  expect(leftOut).toEqual([{ what: 'images', count: 2, why: 'over 40 MiB together' }]);
});

test('one that does not come is given up when the time is over, and the others are there', async () => {
  const [slow, good] = [github.attach(image('slow')), github.attach(image('good'))];
  comment(`![](${slow}) ![](${good})`);
  const over = new AbortController();
  const restore = github.faults.add({ path: new RegExp(slow.split('/').at(-1)!), hang: true });
  const reading = readImages({ token: appToken(), signal: over.signal });
  while (!(await readdir(directory)).includes('2.png')) await setImmediate();
  over.abort();
  const { found, leftOut } = await reading;
  restore();
  expect([...found]).toEqual([[good, '2.png good']]);
  expect(leftOut).toEqual([{ what: 'images', count: 1, why: 'could not be downloaded: no answer in time' }]);
});

test.each([
  ['png', png],
  ['jpg', Buffer.from('ffd8ffe000104a464946', 'hex')],
  ['gif', Buffer.from('GIF89a......')],
  ['webp', Buffer.from('RIFF....WEBPVP8 ')],
])('the first bytes make it a %s', async (type, bytes) => {
  comment(`![](${github.attach(bytes)})`);
  await readImages();
  expect(await readdir(directory)).toEqual([`1.${type}`]);
});
