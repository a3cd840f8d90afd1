import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isPublicAddress } from '../words/addresses.ts';
import { createLog } from '../words/log.ts';
import { defaultEgress, type EgressOptions, openEgress } from './egress.ts';

test.each([
  ['93.184.215.14', true],
  ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', true],
  ['127.0.0.1', false],
  ['127.8.8.8', false],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['172.16.0.1', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['100.64.0.1', false],
  ['169.254.169.254', false],
  ['168.63.129.16', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::1', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:93.184.215.14', false],
  ['::ffff:7f00:1', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['2001:0:7f00:1::', false],
  ['fc00::1', false],
  ['fd12::1', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['ff02::1', false],
  ['2001:db8::1', false],
  ['localhost', false],
  ['', false],
])('%s is public: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});

describe('the proxy', () => {
  let root: string;
  let server: Server;
  let port: number;
  let asked: string[];
  let said: string[];
  const closing: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'egress-'));
    asked = [];
    said = [];
    server = createServer((request, response) => {
      asked.push(
        `${request.headers.host} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim(),
      );
      if (request.url === '/redirect')
        response.writeHead(302, { location: `http://inside.test:${port}/secret` });
      response.end('what it serves');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    server.closeAllConnections();
    server.close();
    rmSync(root, { recursive: true });
  });

  /** `allowed.test` stands for a public host; the test's own server is where its address would be. */
  async function curl(args: string[], change: Partial<EgressOptions> = {}): Promise<string> {
    const path = join(root, `${closing.length}.sock`);
    const names: Record<string, string[]> = {
      'allowed.test': ['127.0.0.1'],
      'inside.test': ['10.0.0.5'],
      'both.test': ['127.0.0.1', '10.0.0.5'],
      'mapped.test': ['::ffff:10.0.0.5'],
    };
    const { close } = await openEgress({
      ...{ path, owner: null, log: createLog((_, message) => said.push(message)) },
      allowed: ['allowed', 'inside', 'both', 'mapped', 'none'].map((name) => `${name}.test:${port}`),
      resolve: async (host) => names[host] ?? [],
      isAllowedAddress: (address) => address === '127.0.0.1',
      ...change,
    });
    closing.push(close);
    const script = `require('net').createServer(a=>{const b=require('net').connect(${JSON.stringify(path)});a.pipe(b);b.pipe(a);for(const s of[a,b])s.on('error',()=>{a.destroy();b.destroy()})}).listen(0,'127.0.0.1',function(){console.log(this.address().port)})`;
    const inside = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    closing.push(async () => void inside.kill('SIGKILL'));
    const [proxy] = (await once(inside.stdout!, 'data')) as [Buffer];
    const options = ['-sS', '-m', '10', '--noproxy', '', '-x', `http://127.0.0.1:${String(proxy).trim()}`];
    const child = spawn('curl', [...options, '-w', ' %{http_code} %{http_connect}', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for await (const chunk of child.stdout!) text += chunk;
    return text;
  }

  test('reaches a listed host, plainly and by CONNECT', async () => {
    expect(await curl([`http://allowed.test:${port}/a?b`])).toBe('what it serves 200 000');
    expect(await curl(['-p', `http://allowed.test:${port}/c`])).toBe('what it serves 200 200');
    expect(asked).toEqual([`allowed.test:${port} /a?b`, `allowed.test:${port} /c`]);
  });

  test.each([
    ['another host', (at: number) => [`http://other.test:${at}/`]],
    ['another port', () => ['http://allowed.test:81/']],
    ['a listed name whose address is private', (at: number) => [`http://inside.test:${at}/`]],
    ['a name with a public and a private address', (at: number) => [`http://both.test:${at}/`]],
    ['a mapped address', (at: number) => [`http://mapped.test:${at}/`]],
    ['a name without address', (at: number) => [`http://none.test:${at}/`]],
    ['an address in place of a name', (at: number) => [`http://127.0.0.1:${at}/`]],
    ['an address in another spelling', (at: number) => [`http://2130706433:${at}/`]],
    ['a host with a user in front', (at: number) => [`http://allowed.test:${at}@127.0.0.1:${at}/`]],
    [
      'a host in another header',
      (at: number) => ['-H', `Host: allowed.test:${at}`, `http://127.0.0.1:${at}/`],
    ],
    ['a redirect to a private host', (at: number) => ['-L', `http://allowed.test:${at}/redirect`]],
  ])('does not reach %s', async (_, args) => {
    expect(await curl(args(port))).toMatch(/(?:403 000)$/);
    expect(await curl(['-p', ...args(port)])).toMatch(/403$/);
    expect(asked.filter((request) => !request.endsWith('/redirect'))).toEqual([]);
  });

  test('says what it refused', async () => {
    await curl([`http://other.test:${port}/`]);
    expect(said).toEqual([expect.stringContaining(`\`other.test:${port}\`: it is not on the list`)]);
  });

  test('its default list is registries over TLS', () => {
    expect(defaultEgress).toContain('registry.npmjs.org:443');
    expect(defaultEgress.filter((place) => !/^[a-z0-9.-]+:443$/.test(place))).toEqual([]);
    expect(defaultEgress.filter((place) => /github|anthropic/.test(place))).toEqual([]);
  });
});
