/** The container files say what the server understands. They cannot be built where tests run, so they are read. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are Compose's and the Dockerfile's
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { serverSettings } from '../../src/server/settings.ts';
import { variableOf } from '../../src/server/variables.ts';
import { settings } from '../../src/words/settings.ts';

interface Service {
  image: string;
  build?: string;
  profiles?: string[];
  command?: string | string[];
  env_file?: string;
  environment?: Record<string, string | number>;
  ports?: string[];
  volumes?: string[];
  security_opt?: string[];
  cap_drop?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  deploy?: { replicas: number };
  depends_on?: Record<string, { condition: string }>;
}

const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
};
const { services } = compose;
const dockerfile = readFileSync('Dockerfile', 'utf8');
const instructions = dockerfile.replace(/^\s*#.*\n/gm, '').replaceAll('\\\n', ' ');
const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  devDependencies: Record<string, string>;
};

const ours = new Set([...Object.keys(settings), ...Object.keys(serverSettings)].map(variableOf));
/** Of other programs. */
const others = ['POSTGRES_USER', 'POSTGRES_DB', 'POSTGRES_PASSWORD', 'TUNNEL_TOKEN', 'NODE_ENV', 'LANG'];

/** `${NAME}` and `${NAME:-default}` in a file that Compose fills in. */
function interpolated(text: string): string[] {
  return [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name!);
}

test('every variable that is set or read is one of ours, or of a known program', () => {
  const set = Object.values(services).flatMap(({ environment = {} }) => Object.keys(environment));
  const inImage = [...instructions.matchAll(/\b([A-Z][A-Z_]+)=/g)].map(([, name]) => name!);
  const all = [...set, ...inImage, ...interpolated(readFileSync('compose.yaml', 'utf8'))];
  expect(all.filter((name) => !ours.has(name) && !others.includes(name) && name !== 'NODE')).toEqual([]);
});

test('images have a version; what is built here has Node as it is tested with', () => {
  const images = Object.values(services).filter(({ build }) => !build);
  for (const { image } of images)
    expect(image).toMatch(/^[\w/.-]+:\d+(\.\d+)+(-\w+)?(@sha256:[0-9a-f]{64})?$/);
  expect(dockerfile).toContain(`ARG NODE=node:${devDependencies.node}-bookworm-slim`);
  for (const [, from] of instructions.matchAll(/^FROM (\S+)/gm)) expect(from).toBe('${NODE}');
});

describe('profiles', () => {
  test('without one: the whole server on 8080, its data in volumes', () => {
    const started = Object.entries(services).filter(([, { profiles }]) => !profiles);
    expect(started.map(([name]) => name)).toEqual(['webhook']);
    const { ports, volumes, command, env_file, environment } = services.webhook!;
    expect(ports).toEqual(['${WEBHOOK_PORT:-8080}:8080']);
    expect(environment).toEqual({ WEBHOOK_PORT: 8080 });
    expect(env_file).toBe('.env');
    expect(command).toBeUndefined();
    expect(volumes).toEqual(['data:/home/agent/.forgehand', 'workspaces:/home/agent/workspaces']);
  });

  test('`tunnel` adds Cloudflare’s, with the token of `.env`', () => {
    expect(inProfile('tunnel')).toEqual(['cloudflared']);
    expect(services.cloudflared!.environment).toEqual({ TUNNEL_TOKEN: '${CLOUDFLARE_TUNNEL_TOKEN:-}' });
  });

  test('`scale` has one PostgreSQL, two webs and three workers on it', () => {
    expect(inProfile('scale')).toEqual(['postgres', 'web', 'worker']);
    const { postgres, web, worker } = services as Record<'postgres' | 'web' | 'worker', Service>;
    expect([web.deploy?.replicas, worker.deploy?.replicas]).toEqual([2, 3]);
    expect(web.command).toEqual(['serve', '--role', 'web']);
    expect(worker.command).toEqual(['serve', '--role', 'worker']);
    expect(postgres.ports).toBeUndefined();
    for (const { environment, depends_on } of [web, worker]) {
      expect(environment?.DATABASE_URL).toMatch(/^postgres:\/\/forgehand:.+@postgres:5432\/forgehand$/);
      expect(depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    }
    // A host port each, and none that `webhook` has.
    expect(web.ports).toEqual(['8081-8082:8080']);
    // A directory of one's own for each worker: two servers never share a DATA_DIR.
    expect(worker.volumes).toBeUndefined();
  });
});

describe('safety', () => {
  test('who runs Claude may make a fence; nobody else may more than usual', () => {
    const fenced = ['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'];
    for (const [name, { security_opt = [] }] of Object.entries(services)) {
      const may = security_opt.filter((option) => option.endsWith('=unconfined'));
      expect(may, name).toEqual(name === 'webhook' || name === 'worker' ? fenced : []);
    }
  });

  test('no capability and no new privileges for what is ours', () => {
    for (const name of ['webhook', 'web', 'worker']) {
      expect(services[name]?.cap_drop, name).toEqual(['ALL']);
      expect(services[name]?.security_opt, name).toContain('no-new-privileges:true');
    }
    expect(readFileSync('compose.yaml', 'utf8')).not.toMatch(/privileged:|cap_add|docker\.sock|network_mode/);
  });

  test('the image runs as nobody special, and holds what fence, sessions and Git need', () => {
    expect(/^USER (\w+)$/m.exec(instructions)?.[1]).toBe('agent');
    for (const program of ['bubblewrap', 'socat', 'tmux', 'git', 'tini', 'ca-certificates']) {
      expect(instructions).toMatch(new RegExp(`apt-get install[^&]*\\b${program}\\b`));
    }
    expect(instructions).toMatch(/^ENTRYPOINT \["tini", "--", "forgehand"\]$/m);
  });

  test('secrets and history do not get into the image', () => {
    const lines = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    const admitted = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(admitted).toEqual(['package.json', 'package-lock.json', 'scripts', 'src']);
    const copied = [...instructions.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
      paths!.split(' '),
    );
    expect(copied.sort()).toEqual(admitted.sort());
  });
});

test('health is readiness, and is asked where a server listens', () => {
  const [, check = ''] = /HEALTHCHECK.*?CMD (\[.*\])/.exec(instructions) ?? [];
  const [program, flag, script] = JSON.parse(check) as string[];
  expect([program, flag]).toEqual(['node', '-e']);
  expect(script).toContain('/ready');
  expect(() => new Function(script!)).not.toThrow();
  expect(services.worker?.healthcheck).toEqual({ disable: true });
});

test('named volumes are declared', () => {
  const named = Object.values(services)
    .flatMap(({ volumes = [] }) => volumes)
    .map((volume) => volume.split(':')[0]!);
  expect(named.sort()).toEqual(Object.keys(compose.volumes).sort());
});

function inProfile(profile: string): string[] {
  return Object.entries(services)
    .filter(([, { profiles }]) => profiles?.includes(profile))
    .map(([name]) => name);
}
