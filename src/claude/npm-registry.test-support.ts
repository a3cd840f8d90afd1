/** A small npm registry on loopback for tests: serves Claude Code's platform packages with any script as `claude`. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Published {
  version: string;
  /** The text of the package's `claude`; none when null. */
  script: string | null;
  /** What the registry says of the tarball; the truth when absent. */
  integrity?: string;
}

/** @param token requests without it are refused, as a company's own registry does. */
export async function startRegistry(directory: string, published: Published[], token?: string) {
  const tarballs = new Map<string, Buffer>();
  for (const { version, script } of published) tarballs.set(version, await pack(directory, version, script));
  /** Paths that were asked for, decoded. */
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    asked.push(path);
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (token && request.headers.authorization !== `Bearer ${token}`) return json(401, { error: 'who?' });
    const tarball = /^\/tarballs\/(.+)\.tgz$/.exec(path)?.[1];
    if (tarball) return void response.end(tarballs.get(tarball));
    const name = /^\/(@anthropic-ai\/claude-code-[\w-]+)$/.exec(path)?.[1];
    if (!name) return json(404, { error: 'Not found' });
    const versions = published.map(({ version, integrity }) => [
      version,
      {
        name,
        version,
        dist: {
          tarball: `${url}/tarballs/${version}.tgz`,
          integrity: integrity ?? sha512(tarballs.get(version)!),
        },
      },
    ]);
    return json(200, { name, 'dist-tags': {}, versions: Object.fromEntries(versions) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pack(directory: string, version: string, script: string | null): Promise<Buffer> {
  const folder = join(directory, `publish-${version}`);
  await mkdir(join(folder, 'package'), { recursive: true });
  await writeFile(join(folder, 'package/package.json'), JSON.stringify({ name: 'any', version }));
  // Without the executable bit: not every registry keeps it.
  if (script !== null) await writeFile(join(folder, 'package/claude'), script, { mode: 0o644 });
  await run('tar', ['-czf', 'package.tgz', 'package'], { cwd: folder });
  return readFile(join(folder, 'package.tgz'));
}

function sha512(data: Buffer): string {
  return `sha512-${createHash('sha512').update(data).digest('base64')}`;
}
