/** The program that stands in for `docker`: `run`, `ps` and `rm`, as far as one container needs them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { DockerNature } from './docker.ts';

const [directory = '', command, ...rest] = process.argv.slice(2);
const containers = join(directory, 'containers');
const nature: DockerNature = JSON.parse(readFileSync(join(directory, 'nature.json'), 'utf8'));

function fail(message: string): never {
  process.stderr.write(`docker: ${message}\n\nRun 'docker run --help' for more information\n`);
  process.exit(125);
}

function run(): void {
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: {
      interactive: { type: 'boolean' },
      rm: { type: 'boolean' },
      'read-only': { type: 'boolean' },
      label: { type: 'string' },
      'cap-drop': { type: 'string' },
      'security-opt': { type: 'string' },
      env: { type: 'string', multiple: true, default: [] },
    },
  });
  const [image, ...more] = positionals;
  if (!image || more.length > 0 || !values.interactive) fail('invalid arguments.');
  const named = values.env.map((name) => {
    if (name.includes('=')) fail('a value on the command line, where everybody sees it.');
    return [name, process.env[name] ?? ''] as const;
  });
  const env = Object.fromEntries(named);
  appendFileSync(join(directory, 'runs'), `${JSON.stringify({ args: rest, env })}\n`);
  if (nature.daemon === 'fetching') {
    process.stderr.write(`Unable to find image '${image}' locally\n`);
    setInterval(() => {}, 1_000);
    return;
  }
  contain(env, values.label ?? '');
}

/** As under a daemon: the container does not end because this program does. */
function contain(env: Record<string, string>, label: string): void {
  const id = randomBytes(32).toString('hex');
  const file = join(containers, id);
  const server = fileURLToPath(new URL('github-server.ts', import.meta.url));
  const container: ChildProcess = spawn(process.execPath, [server, JSON.stringify(nature)], {
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  writeFileSync(file, JSON.stringify({ label, pid: container.pid }));
  process.stdin.pipe(container.stdin!);
  container.stdin!.on('error', () => {});
  container.stdout!.pipe(process.stdout);
  process.on('SIGTERM', () => container.kill('SIGTERM'));
  container.on('exit', (code) => {
    rmSync(file, { force: true });
    process.exitCode = code ?? 137;
    process.stdin.destroy();
  });
}

const read = (id: string): { label: string; pid: number } =>
  JSON.parse(readFileSync(join(containers, id), 'utf8'));

function ps(): void {
  const label = rest.find((word) => word.startsWith('label='))?.slice('label='.length);
  for (const id of readdirSync(containers)) if (read(id).label === label) console.log(id.slice(0, 12));
}

function rm(): void {
  for (const short of rest.filter((word) => !word.startsWith('-'))) {
    const id = readdirSync(containers).find((one) => one.startsWith(short));
    if (!id) fail(`No such container: ${short}`);
    process.kill(read(id).pid, 'SIGKILL');
    rmSync(join(containers, id), { force: true });
  }
}

if (nature.daemon === 'down') fail('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.');
({ run, ps, rm })[command as 'run' | 'ps' | 'rm']();
