/** Which addresses are GitHub's attachments, and that fetching one gives the credential to nobody else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attachmentAt, downloadAttachment, isSigned } from './attachments.ts';

const id = '5ac382c7-0f42-4e7a-9c11-6f7a90d1b2c3';
const other = '00000000-0f42-4e7a-9c11-6f7a90d1b2c3';

describe('what is an attachment', () => {
  test.each<[string, string, boolean]>([
    ['https://github.com', `https://github.com/user-attachments/assets/${id}`, true],
    ['https://github.com', `https://github.com/octo-org/hello/assets/583231/${id}`, true],
    ['https://github.com', 'https://user-images.githubusercontent.com/1/2-a.png', true],
    ['https://github.com', `https://private-user-images.githubusercontent.com/1/2-${id}.png?jwt=x`, true],
    ['https://ghe.example.com', `https://ghe.example.com/user-attachments/assets/${id}`, true],
    ['https://ghe.example.com', `https://github.com/user-attachments/assets/${id}`, false],
    ['https://ghe.example.com', 'https://user-images.githubusercontent.com/1/2-a.png', false],
    ['https://github.com', `http://github.com/user-attachments/assets/${id}`, false],
    ['https://github.com', `https://github.com:8443/user-attachments/assets/${id}`, false],
    ['https://github.com', `https://me:pw@github.com/user-attachments/assets/${id}`, false],
    ['https://github.com', `https://github.com.evil.example/user-attachments/assets/${id}`, false],
    ['https://github.com', `https://evil.example/user-attachments/assets/${id}`, false],
    ['https://github.com', `https://github.com/user-attachments/assets/../../login/${id}`, false],
    ['https://github.com', 'https://github.com/octo-org/hello/raw/main/a.png', false],
    ['https://github.com', 'https://camo.githubusercontent.com/abc/def', false],
    ['https://github.com', 'https://raw.githubusercontent.com/o/r/main/a.png', false],
    ['https://github.com', 'not an address', false],
  ])('at %s: %s: %s', (serverUrl, address, expected) => {
    expect(attachmentAt(address, serverUrl) !== null).toBe(expected);
  });
});

describe('what is its signed address', () => {
  const attachment = attachmentAt(`https://github.com/user-attachments/assets/${id}`, 'https://github.com')!;

  test.each<[string, boolean]>([
    [`https://private-user-images.githubusercontent.com/1/2-${id}.png?jwt=x`, true],
    [`https://private-user-images.githubusercontent.com/1/2-${other}.png?jwt=x`, false],
    [`https://private-user-images.githubusercontent.com/${id}/a.png?jwt=${id}`, false],
    // Somebody else's upload may have any name.
    [`https://objects.githubusercontent.com/1/${id}.png`, false],
    [`https://evil.example/2-${id}.png`, false],
    [`http://private-user-images.githubusercontent.com/1/2-${id}.png?jwt=x`, false],
  ])('%s: %s', (address, expected) => {
    expect(isSigned(address, attachment, 'https://github.com')).toBe(expected);
  });
});

describe('fetching one', () => {
  let close: (() => void)[] = [];
  afterEach(() => {
    for (const end of close) end();
    close = [];
  });
  let seen: string[] = [];
  beforeEach(() => {
    seen = [];
  });

  async function listen(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<string> {
    const server = createServer((request, response) => {
      seen.push(`${request.headers.host} ${request.url} ${request.headers.authorization ?? 'nothing'}`);
      answer(request, response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    close.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const path = `/user-attachments/assets/${id}`;
  const fetchFrom = (
    serverUrl: string,
    more: { signed?: string; maxBytes?: number; signal?: AbortSignal } = {},
  ) =>
    downloadAttachment(
      { serverUrl, token: async () => 'the-token' },
      {
        attachment: attachmentAt(serverUrl + path, serverUrl)!,
        signed: null,
        maxBytes: 1000,
        signal: new AbortController().signal,
        ...more,
      },
    );

  test('the credential goes to the server, and no further along the redirect', async () => {
    const server = await listen((request, response) => {
      if (request.url === path) response.writeHead(302, { location: '/storage/1?sig=x' }).end();
      else response.end('bytes');
    });
    expect(Buffer.from(await fetchFrom(server)).toString()).toBe('bytes');
    const host = server.slice('http://'.length);
    expect(seen).toEqual([`${host} ${path} token the-token`, `${host} /storage/1?sig=x nothing`]);
  });

  test('a signed address needs no credential and gets none', async () => {
    const server = await listen((_, response) => response.end('bytes'));
    await fetchFrom(server, { signed: `${server}/_signed/2-${id}.png` });
    expect(seen).toEqual([`${server.slice('http://'.length)} /_signed/2-${id}.png nothing`]);
  });

  test('a redirect elsewhere is not followed', async () => {
    const elsewhere = await listen((_, response) => response.end('secret'));
    const server = await listen((_, response) =>
      response.writeHead(302, { location: `${elsewhere}/x` }).end(),
    );
    await expect(fetchFrom(server)).rejects.toThrow('not its own storage');
    expect(seen.filter((line) => line.startsWith(elsewhere.slice('http://'.length)))).toEqual([]);
  });

  test('redirects in a circle end', async () => {
    const server = await listen((_, response) => response.writeHead(302, { location: '/again' }).end());
    await expect(fetchFrom(server)).rejects.toThrow('from one place to the next');
    expect(seen).toHaveLength(4);
  });

  test('what is too large is given up while it comes', async () => {
    const server = await listen((_, response) => {
      response.on('error', () => {});
      const more = () => response.write(Buffer.alloc(64 * 1024)) && setImmediate(more);
      response.on('drain', more);
      more();
    });
    await expect(fetchFrom(server, { maxBytes: 2 ** 20 })).rejects.toThrow('larger than 1 MiB');
  });

  test.each<[string, (response: ServerResponse) => void, string, number]>([
    ['not there', (response) => response.writeHead(404).end(), 'GitHub answered 404', 1],
    ['an outage', (response) => response.writeHead(503).end(), 'GitHub answered 503', 2],
    ['a cut connection', (response) => response.destroy(), 'no answer', 2],
  ])('%s', async (_, answer, message, asked) => {
    const server = await listen((_request, response) => answer(response));
    await expect(fetchFrom(server)).rejects.toMatchObject({ reason: 'github_unavailable', message });
    expect(seen).toHaveLength(asked);
  });

  test('a server that never answers is given up when the time is over', async () => {
    const over = new AbortController();
    const server = await listen(() => over.abort());
    await expect(fetchFrom(server, { signal: over.signal })).rejects.toThrow('no answer in time');
  });
});
