import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { AppError } from '../words/errors.ts';
import { checkEndpoint, postTo, type Resolve, readEndpoint } from './endpoint.ts';

const name = 'client_payload.progress_endpoint';
const read = (url: string, ...allowed: string[]) => readEndpoint(url, allowed, name);
const failure = async (work: () => unknown): Promise<Error> => {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  expect.unreachable('it was expected to fail');
};

describe('what may be an endpoint', () => {
  test.each([
    ['https://api.example.com/progress', 'https://api.example.com/progress'],
    ['HTTPS://API.example.com', 'https://api.example.com/'],
    ['https://api.example.com:8443/a%2fb?key=1', 'https://api.example.com:8443/a%2fb?key=1'],
    ['https://93.184.215.14/', 'https://93.184.215.14/'],
    ['https://[2606:2800:21f:cb07::1]/', 'https://[2606:2800:21f:cb07::1]/'],
    ['https://localhost.example.com/', 'https://localhost.example.com/'],
    ['https://notlocalhost/', 'https://notlocalhost/'],
  ])('%s', (text, url) => {
    const endpoint = read(text);
    expect([endpoint.url.href, endpoint.isListed]).toEqual([url, false]);
  });

  test.each([
    ['', /not a URL/],
    ['api.example.com/progress', /not a URL/],
    ['/progress', /not a URL/],
    ['https://', /not a URL/],
    ['https://a.example:99999/', /not a URL/],
    [' https://a.example/', /not a URL/],
    ['https://a.exa\nmple/', /not a URL/],
    ['https://a.example\\@b.example/', /not a URL/],
    ['https:\\\\a.example/', /not a URL/],
    ['http://a.example/', /plain `http`/],
    ['ftp://a.example/', /not an `https` URL/],
    ['file:///etc/passwd', /not an `https` URL/],
    ['data:text/plain,a', /not an `https` URL/],
    ['javascript:alert(1)', /not an `https` URL/],
    ['https://user@a.example/', /user or password/],
    ['https://user:hunter2-secret@a.example/', /user or password/],
    ['https://api.example.com@127.0.0.1/', /user or password/],
    ['https://a.example/#part', /fragment/],
    ['https://a.example/#', /fragment/],
  ])('refused for what it is: %j', (text, why) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ reason: 'invalid_input', message: expect.stringMatching(why) }),
    );
  });

  test.each([
    'https://localhost/',
    'https://LOCALHOST/',
    'https://localhost./',
    'https://localhost../',
    'https://api.localhost/',
    'https://loc%61lhost/',
    'https://ⓛocalhost/',
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.1/',
    'https://017700000001/',
    'https://127。0。0。1/',
    'https://0/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.0.1/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://168.63.129.16/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
  ])('refused for where it leads: %s', (text) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        reason: 'invalid_input',
        message: expect.stringMatching(/^`client_payload.progress_endpoint` .* no public place/),
        remedy: expect.stringContaining('progress_endpoints_allowed'),
      }),
    );
  });

  test('no message repeats a password', async () => {
    const { message, remedy } = (await failure(() =>
      read('https://user:hunter2-secret@a.example/'),
    )) as AppError;
    expect(message + remedy).not.toContain('hunter2');
  });
});

describe('the list of allowed endpoints', () => {
  test.each([
    ['https://a.example', 'https://a.example/any/path?x=1'],
    ['https://a.example/', 'https://a.example/any%2fpath'],
    ['https://A.example:443', 'https://a.example/progress'],
    ['https://a.example/progress', 'https://a.example/progress'],
    ['https://a.example/progress', 'https://a.example/progress?x=1'],
    ['https://a.example/progress', 'https://a.example/progress/deeper'],
    ['https://a.example/progress', 'https://a.example/other/../progress'],
    ['https://a.example/progress/', 'https://a.example/progress/deeper'],
    ['http://a.example', 'http://a.example/progress'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/progress'],
    ['https://localhost:8443', 'https://localhost:8443/progress'],
    ['https://[::1]', 'https://[0:0::1]/progress'],
  ])('%s allows %s', (entry, url) => {
    expect(read(url, 'https://other.example', entry).isListed).toBe(true);
  });

  test.each([
    ['https://a.example', 'https://b.example/'],
    ['https://a.example', 'http://a.example/'],
    ['http://a.example', 'https://a.example/'],
    ['https://a.example', 'https://a.example:8443/'],
    ['https://a.example', 'https://a.example.evil.example/'],
    ['https://a.example', 'https://sub.a.example/'],
    ['https://a.example', 'https://a.example./'],
    ['https://a.example', 'https://evil.example/https://a.example'],
    ['https://a.example', 'https://evil.example/?https://a.example'],
    ['https://a.example/progress', 'https://a.example/'],
    ['https://a.example/progress', 'https://a.example/progress-evil'],
    ['https://a.example/progress', 'https://a.example/Progress'],
    ['https://a.example/progress', 'https://a.example/progress/../x'],
    ['https://a.example/progress', 'https://a.example/progress/%2e%2e/x'],
    ['https://a.example/progress', 'https://a.example/progress/.%2E/x'],
    ['https://a.example/progress', 'https://a.example/progress/..%2fx'],
    ['https://a.example/progress', 'https://a.example/progress/..%5cx'],
    ['https://a.example/progress', 'https://a.example/progress/%252e%252e/x'],
    ['https://a.example/progress', 'https://a.example/progress/..;/x'],
    ['https://a.example/progress', 'https://a.example/progress%2f..%2fx'],
    ['https://a.example/progress/', 'https://a.example/progress'],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8081/'],
  ])('%s does not allow %s', (entry, url) => {
    expect(() => read(url, entry)).toThrow(
      expect.objectContaining({
        reason: 'invalid_input',
        message: expect.stringMatching(/`client_payload.progress_endpoint` .* allows that URL/),
      }),
    );
  });

  test('a listed place may still not be named with a user, a fragment or another protocol', () => {
    for (const url of ['https://u:p@a.example/', 'https://a.example/#x', 'ftp://a.example/'])
      expect(() => read(url, 'https://a.example', 'http://a.example')).toThrow(AppError);
  });

  test.each([
    'https://*.example.com',
    '*',
    'a.example',
    'ftp://a.example',
    'https://user@a.example',
    'https://a.example/?x',
    'https://a.example/#x',
    'https://a.example https://b.example',
  ])('an entry that is neither origin nor prefix refuses everything: %s', (entry) => {
    expect(() => read('https://a.example/', 'https://a.example', entry)).toThrow(
      expect.objectContaining({
        reason: 'invalid_input',
        message: expect.stringContaining('progress_endpoints_allowed'),
      }),
    );
  });
});

/** A name server whose answers are scripted; the last one stays. */
function names(...answers: string[][]) {
  const asked: string[] = [];
  const resolve: Resolve = async (host) => {
    asked.push(host);
    const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
}
const publicAddress = '93.184.215.14';
const privatePlaces = [
  ['127.0.0.1'],
  ['10.0.0.1'],
  ['169.254.169.254'],
  ['100.64.0.1'],
  ['::1'],
  ['::ffff:127.0.0.1'],
  ['fd00:ec2::254'],
  [publicAddress, '127.0.0.1'],
  ['127.0.0.1', publicAddress],
];

describe('looking a name up', () => {
  const endpoint = read('https://api.example.com/progress');

  test.each(privatePlaces.map((addresses) => [addresses.join(' and '), addresses] as const))(
    'refused when it leads to %s',
    async (_, addresses) => {
      const { resolve } = names(addresses);
      const checked = await failure(() => checkEndpoint(endpoint, resolve));
      expect(checked).toMatchObject({ reason: 'invalid_input', message: expect.stringContaining(name) });
      const sent = await failure(() => postTo(endpoint, { body: '', headers: {}, resolve }));
      expect(sent).toMatchObject({ reason: 'invalid_input' });
    },
  );

  test('public addresses are fine, and so is a name that cannot be resolved now', async () => {
    await checkEndpoint(endpoint, names([publicAddress, '2606:2800:21f:cb07::1']).resolve);
    await checkEndpoint(endpoint, async () => {
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    });
    await checkEndpoint(endpoint, names([]).resolve);
  });

  test('what is listed may be private', async () => {
    await checkEndpoint(
      read('https://api.example.com/', 'https://api.example.com'),
      names(['10.0.0.1']).resolve,
    );
  });
});

describe('sending', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** An HTTP server on loopback that keeps what it is asked. */
  async function listen(answer: RequestListener, make: (listener: RequestListener) => Server = createServer) {
    const asked: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string }[] = [];
    const server = make(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      answer(request, response);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { asked, port, origin: `http://127.0.0.1:${port}`, server };
  }
  const listed = (origin: string, path = '/progress') => read(`${origin}${path}`, origin);
  const post = { body: '{"a":"é"}', headers: { 'content-type': 'application/json' } };

  test('one POST with body and headers arrives as it was given', async () => {
    const { asked, origin } = await listen((_, response) => response.writeHead(202).end('thanks'));
    expect(await postTo(listed(origin, '/progress?key=1'), post)).toEqual({
      status: 202,
      retryAfterMs: null,
    });
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/progress?key=1',
        body: post.body,
        headers: expect.objectContaining({
          'content-type': 'application/json',
          'content-length': '10',
          'user-agent': 'forgehand',
          connection: 'close',
        }),
      },
    ]);
  });

  test('redirects are an answer, not a way', async () => {
    const other = await listen((_, response) => response.end());
    for (const status of [301, 302, 303, 307, 308]) {
      const { origin } = await listen((_, response) =>
        response.writeHead(status, { location: `${other.origin}/taken` }).end(),
      );
      expect((await postTo(listed(origin), post)).status).toBe(status);
    }
    expect(other.asked).toEqual([]);
  });

  test('the connection goes to the address that was looked at: the name server is asked once', async () => {
    const { asked, port } = await listen((_, response) => response.end());
    // The second answer is what DNS rebinding would give to whoever asks again.
    const { resolve, asked: questions } = names(['127.0.0.1'], ['127.0.0.2']);
    const endpoint = listed(`http://progress.example.test:${port}`);
    expect((await postTo(endpoint, { ...post, resolve })).status).toBe(200);
    expect(questions).toEqual(['progress.example.test']);
    expect(asked[0]!.headers.host).toBe(`progress.example.test:${port}`);
  });

  test('a name that was public when it was checked and is private now is not sent to', async () => {
    const { asked, port } = await listen((_, response) => response.end());
    const { resolve } = names([publicAddress], ['127.0.0.1']);
    const endpoint = read(`https://progress.example.test:${port}/`);
    await checkEndpoint(endpoint, resolve);
    expect(await failure(() => postTo(endpoint, { ...post, resolve }))).toMatchObject({
      reason: 'invalid_input',
    });
    expect(asked).toEqual([]);
  });

  test.each([
    ['120', 120_000],
    ['0', 0],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
    ['soon', null],
    ['-5', null],
  ])('Retry-After: %s', async (header, expected) => {
    const { origin } = await listen((_, response) =>
      response.writeHead(503, { 'retry-after': header }).end(),
    );
    expect((await postTo(listed(origin), post)).retryAfterMs).toBe(expected);
  });

  test('an answer that does not end is cut, and its status counts', async () => {
    const closed = Promise.withResolvers<number>();
    const { origin } = await listen((_, response) => {
      response.writeHead(202);
      let written = 0;
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
      };
      response.on('drain', more).on('close', () => closed.resolve(written));
      more();
    });
    expect((await postTo(listed(origin), { ...post, timeoutMs: 60_000 })).status).toBe(202);
    await closed.promise;
  });

  test('an answer that breaks off after its status counts', async () => {
    const { origin } = await listen((_, response) => {
      response.writeHead(202, { 'content-length': '100' });
      response.write('half', () => response.socket?.resetAndDestroy());
    });
    expect((await postTo(listed(origin), post)).status).toBe(202);
  });

  test.each<[string, RequestListener]>([
    ['hangs', () => {}],
    ['resets the connection', (_, response) => response.socket?.resetAndDestroy()],
    ['closes the connection', (_, response) => response.socket?.destroy()],
    ['does not speak HTTP', (_, response) => response.socket?.end('hello\r\n\r\n')],
    [
      'changes the protocol',
      (_, response) =>
        response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    ],
    [
      'sends endless headers',
      (_, response) => response.socket?.end(`HTTP/1.1 200 OK\r\nA: ${'a'.repeat(1e5)}`),
    ],
  ])('an endpoint that %s is no answer', async (_, answer) => {
    const { origin } = await listen(answer);
    const error = await failure(() => postTo(listed(origin), { ...post, timeoutMs: 300 }));
    expect(error).not.toBeInstanceOf(AppError);
  });

  test('nobody there, a name server that hangs, and a caller who gives up are no answer', async () => {
    const { origin, server } = await listen(() => {});
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(() => postTo(listed(origin), post))).toMatchObject({ code: 'ECONNREFUSED' });
    const hanging: Resolve = () => new Promise(() => {});
    const named = listed('http://progress.example.test');
    // A timer of ours keeps the process: nothing else does while a promise alone is waited for.
    const keep = setInterval(() => {}, 1_000);
    expect(await failure(() => postTo(named, { ...post, resolve: hanging, timeoutMs: 20 }))).toMatchObject({
      name: 'TimeoutError',
    });
    clearInterval(keep);
    const given = AbortSignal.abort(new Error('given up'));
    expect(await failure(() => postTo(named, { ...post, resolve: hanging, signal: given }))).toMatchObject({
      message: 'given up',
    });
  });

  test('a proxy of the environment is not used', async () => {
    const proxy = await listen((_, response) => response.writeHead(418).end());
    const { origin, asked } = await listen((_, response) => response.writeHead(202).end());
    const program = `
      import { get } from 'node:http';
      import { postTo, readEndpoint } from ${JSON.stringify(new URL('./endpoint.ts', import.meta.url).href)};
      const endpoint = readEndpoint('${origin}/progress', ['${origin}'], 'endpoint');
      const { status } = await postTo(endpoint, { body: '{}', headers: {} });
      get('${origin}', (response) => console.log(status, response.resume().statusCode));`;
    const variables = { HTTP_PROXY: proxy.origin, http_proxy: proxy.origin, NODE_USE_ENV_PROXY: '1' };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--no-warnings', '--input-type=module', '--eval', program],
      { env: { ...process.env, ...variables, NO_PROXY: '', no_proxy: '' } },
    );
    // What the plain `get` got shows that the proxy would have been used.
    expect([stdout.trim(), asked.length]).toEqual(['202 418', 1]);
  });

  test('TLS asks for the host by its name, and believes only a trusted certificate of that name', async () => {
    const place = mkdtempSync(join(tmpdir(), 'endpoint-'));
    const [key, cert] = [join(place, 'key.pem'), join(place, 'cert.pem')];
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = [
      '-subj',
      '/CN=progress.example.test',
      '-addext',
      'subjectAltName=DNS:progress.example.test',
    ];
    execFileSync('openssl', [...make, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const serverNames: string[] = [];
    const { port, asked } = await listen(
      (_, response) => response.writeHead(202).end(),
      (listener) =>
        createSecureServer(
          {
            key: readFileSync(key),
            cert: readFileSync(cert),
            SNICallback: (server, done) => {
              serverNames.push(server);
              done(null);
            },
          },
          listener,
        ) as unknown as Server,
    );
    const send = (host: string) =>
      postTo(listed(`https://${host}:${port}`), { ...post, resolve: names(['127.0.0.1']).resolve });
    expect(await failure(() => send('progress.example.test'))).toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    expect([serverNames, asked]).toEqual([['progress.example.test'], []]);
    const usual = getCACertificates('default');
    setDefaultCACertificates([...usual, readFileSync(cert, 'utf8')]);
    try {
      expect((await send('progress.example.test')).status).toBe(202);
      expect(await failure(() => send('other.example.test'))).toMatchObject({
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    } finally {
      setDefaultCACertificates(usual);
    }
    expect(asked).toHaveLength(1);
    rmSync(place, { recursive: true });
  });
});
