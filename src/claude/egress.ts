/** The way out of the fence: a proxy on a socket that lets programs reach the listed hosts and nothing private. */
import { lookup as resolveName } from 'node:dns/promises';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isPublicAddress } from '../words/addresses.ts';
import type { Log } from '../words/log.ts';
import { listen, type SocketPlace } from './fence-socket.ts';

/** Where package managers get packages. */
const registries = `registry.npmjs.org registry.yarnpkg.com npm.jsr.io jsr.io nodejs.org
  pypi.org files.pythonhosted.org
  index.crates.io static.crates.io crates.io static.rust-lang.org
  proxy.golang.org sum.golang.org
  rubygems.org index.rubygems.org
  repo.maven.apache.org repo1.maven.org plugins.gradle.org plugins-artifacts.gradle.org services.gradle.org downloads.gradle.org
  api.nuget.org packagist.org repo.packagist.org repo.hex.pm hex.pm pub.dev`;

export const defaultEgress: readonly string[] = registries.split(/\s+/).map((host) => `${host}:443`);

export interface EgressOptions extends SocketPlace {
  /** `host:port`, compared exactly. */
  allowed: Iterable<string>;
  log: Log;
  /** Other than the system's own, for tests. */
  resolve?: (host: string) => Promise<string[]>;
  isAllowedAddress?: (address: string) => boolean;
}

export interface Egress {
  close(): Promise<void>;
}

/** Milliseconds that a connection may take to be there. */
const connectMs = 20_000;
const mostConnections = 256;
/** Refused places that are named in the log; a program that tries them all must not fill it. */
const mostNamed = 20;

/** A place that may be reached, with the address that was looked at: asking again could get another answer. */
interface Place {
  host: string;
  port: number;
  address: string;
}

export async function openEgress(options: EgressOptions): Promise<Egress> {
  const { log, resolve = addressesOf, isAllowedAddress = isPublicAddress } = options;
  const allowed = new Set([...options.allowed].map((place) => place.toLowerCase()));
  const named = new Set<string>();
  const refuse = (place: string, why: string): null => {
    if (!named.has(place) && named.size < mostNamed) {
      named.add(place);
      log.notice(`The fence did not let a program reach \`${place}\`: ${why}.`);
    }
    return null;
  };
  const find = async (host: string, port: number): Promise<Place | null> => {
    const place = `${host}:${port}`;
    if (!allowed.has(place)) return refuse(place, 'it is not on the list; `egress_allowed` adds to it');
    const addresses = await resolve(host).catch(() => []);
    // All of them: a name with one public and one private address would else lead inside every other time.
    const address = addresses.every(isAllowedAddress) ? addresses[0] : undefined;
    return address ? { host, port, address } : refuse(place, 'it has no public address');
  };
  const server = createServer((request, response) => void passOn(request, response, find));
  server.on('connect', (request, socket, head) => void tunnel({ request, socket, head }, find));
  server.maxConnections = mostConnections;
  return listen(server, options);
}

type Find = (host: string, port: number) => Promise<Place | null>;

/** `CONNECT host:port`: bytes both ways, as TLS keeps what is in them to itself. */
async function tunnel(
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  find: Find,
): Promise<void> {
  socket.on('error', () => socket.destroy());
  const match = /^([a-z0-9.-]+):(\d{1,5})$/i.exec(request.url ?? '');
  const place = match && (await find(match[1]!.toLowerCase(), Number(match[2])));
  if (!place) return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
  const far = connect({ host: place.address, port: place.port, noDelay: true });
  const late = setTimeout(() => far.destroy(), connectMs);
  far.once('connect', () => {
    clearTimeout(late);
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    if (head.length) far.write(head);
    far.pipe(socket);
    socket.pipe(far);
  });
  far.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n'));
  far.on('close', () => {
    clearTimeout(late);
    socket.destroy();
  });
  socket.on('close', () => far.destroy());
}

/** A plain request; redirects are the program's to follow, and are looked at like any other. */
async function passOn(request: IncomingMessage, response: ServerResponse, find: Find): Promise<void> {
  const url = URL.parse(request.url ?? '');
  const place =
    url?.protocol === 'http:' && !url.username && !url.password
      ? await find(url.hostname.toLowerCase(), Number(url.port || 80))
      : null;
  if (!url || !place) return void response.writeHead(403, { connection: 'close' }).end();
  const headers = withoutHops(request.headers);
  const far = forward({
    ...{ host: place.address, port: place.port, method: request.method, path: url.pathname + url.search },
    headers: { ...headers, host: url.host },
    setHost: false,
    agent: false,
    timeout: connectMs * 3,
  });
  far.on('socket', (socket: Socket) => socket.setNoDelay(true));
  far.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, withoutHops(answer.headers));
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  far.on('timeout', () => far.destroy());
  far.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
  response.on('close', () => far.destroy());
  request.on('error', () => far.destroy());
  request.pipe(far);
}

function withoutHops<Headers extends IncomingMessage['headers']>(headers: Headers): Headers {
  const left = { ...headers };
  for (const name of Object.keys(left)) {
    if (/^(?:proxy-.*|connection|keep-alive|te|trailer|upgrade)$/.test(name)) delete left[name];
  }
  return left;
}

async function addressesOf(host: string): Promise<string[]> {
  return (await resolveName(host, { all: true })).map(({ address }) => address);
}
