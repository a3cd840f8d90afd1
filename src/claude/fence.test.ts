import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ToolCall } from '../../testkit/claude/step.ts';
import { bash, edit, grep, read, write } from '../../testkit/claude/tools.ts';
import { type FencedScene, fencedScene, plantSecret, realKey, whyNoFence } from './fence.test-support.ts';

const isRoot = process.getuid?.() === 0;
let scene: FencedScene;

afterEach(async () => {
  await scene?.close();
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
}

/** Ends with what the shell said. */
async function said(script: string): Promise<string> {
  await scene.claude([bash(script)]);
  return scene.model.toolResults().at(-1)?.text ?? '';
}

describe.skipIf(whyNoFence)('a fenced Claude does its work', () => {
  test('it edits files, runs commands and git, and has a HOME and a TMPDIR', async () => {
    scene = await fencedScene();
    const file = join(scene.workspace, 'a.txt');
    const result = await scene.claude([
      write(file, 'hello\n'),
      edit(file, 'hello', 'goodbye'),
      bash(
        'git init -q . && git add a.txt && git -c user.name=x -c user.email=x@x commit -qm one && git log --oneline',
      ),
      bash('touch "$HOME/x" "$TMPDIR/x" /tmp/x && id -un && cat a.txt'),
    ]);
    expect(result).toMatchObject({ reason: '', text: 'Done.' });
    const results = scene.model.toolResults().map(({ text }) => text);
    expect(results[2]).toMatch(/one$/);
    expect(results[3]).toBe('claude\ngoodbye');
    expect(readFileSync(file, 'utf8')).toBe('goodbye\n');
  });

  test.skipIf(!isRoot)(
    'also where only root may go, as another user, and root has its files back at the end',
    async () => {
      scene = await fencedScene({}, homedir());
      expect(await said('echo x > made; mkdir sub; echo y > sub/y; echo $(cat /proc/self/uid_map)')).toBe(
        `1000 0 1`,
      );
      expect(statSync(join(scene.workspace, 'made')).uid).toBe(scene.fence.owner!.uid);
      await scene.fence.giveBackWorkspace();
      expect(statSync(join(scene.workspace, 'made')).uid).toBe(0);
      expect(statSync(join(scene.workspace, 'sub/y')).uid).toBe(0);
    },
  );
});

/** What a hostile prompt could make Claude try with its own tools; nothing of it may be in what the tools answered. */
const forbidden = /TOP-SECRET|the-real-key|root:[^:]*:\d{5}/;

describe.skipIf(whyNoFence)('reading what is not Claude’s', () => {
  let secrets: Record<string, string>;
  beforeEach(async () => {
    scene = await fencedScene();
    const { root } = scene;
    secrets = {
      'another workspace': plantSecret(join(root, 'workspaces/two/secret.txt')),
      'the data directory': plantSecret(join(root, 'data/database/secret')),
      'a mirror of another repository': plantSecret(join(root, 'mirrors/other.git/HEAD')),
      'the run’s scratch': plantSecret(join(scene.scratch, 'memory.json')),
      'the runner’s command files': plantSecret(join(root, '_temp/_runner_file_commands/set_env_1')),
      'the database’s socket': plantSecret(join(root, 'run/postgresql/.s.PGSQL.5432')),
    };
  });

  test('by Read, Grep and Bash finds nothing', async () => {
    const paths = Object.values(secrets);
    const calls = paths.flatMap((path): ToolCall[] => [
      read(path),
      grep('TOP', join(path, '..')),
      bash(`cat ${path}; ls ${join(path, '..')}; cat /proc/1/root${path}; cat /proc/self/cwd/../../${path}`),
    ]);
    await scene.claude(calls);
    const results = scene.model.toolResults();
    expect(results).toHaveLength(calls.length);
    expect(results.map(({ text }) => text).join('\n')).not.toMatch(forbidden);
    // The control: without the fence the same paths are read.
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(paths.map(() => 'TOP-SECRET\n'));
  });

  test('by links finds nothing, neither now nor for who follows them out here', async () => {
    const path = secrets['another workspace']!;
    await scene.claude([
      bash(`ln -s ${path} link; cat link; ln ${path} hard`),
      read(join(scene.workspace, 'link')),
    ]);
    expect(
      scene.model
        .toolResults()
        .map(({ text }) => text)
        .join('\n'),
    ).not.toMatch(forbidden);
    expect(existsSync(join(scene.workspace, 'hard'))).toBe(false);
  });

  test('the environment of the host, its processes and the model’s key are not there', async () => {
    const script = `cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; ps ax 2>/dev/null; env; cat /etc/shadow; find / -xdev -name '*.sock*' 2>/dev/null`;
    await scene.claude([read('/proc/self/environ'), read('/proc/1/environ'), bash(script)]);
    const all = scene.model
      .toolResults()
      .map(({ text }) => text)
      .join('\n');
    expect(all).toContain('placeholder-the-host-adds-the-credential');
    expect(all).not.toMatch(forbidden);
    expect(all).not.toContain(`pid=${process.pid}`);
    expect(await said('ls /proc | grep -c "^[0-9]"')).toMatch(/^\d\d?$/);
    // It works all the same: the host has put the key in.
    expect(scene.model.requests.map(({ headers }) => headers['x-api-key'])).not.toContain(
      'placeholder-the-host-adds-the-credential',
    );
    expect(scene.model.requests.at(-1)?.headers['x-api-key']).toBe(realKey);
    expect(scene.fence.modelRequests()).toBeGreaterThan(0);
  });

  test('sockets of tmux, docker, ssh-agent and the system are not there', async () => {
    const answer = await said(
      'ls -d /tmp/tmux-* /tmp/ssh-* /var/run/docker.sock /run/docker.sock /run/postgresql /run/dbus /run/systemd /run/user 2>&1; ls /run; echo "[$SSH_AUTH_SOCK$TMUX$DOCKER_HOST]"',
    );
    expect(answer.split('\n').filter((line) => !/No such file/.test(line))).toEqual(['forgehand', '[]']);
  });
});

describe.skipIf(whyNoFence)('changing what is not Claude’s', () => {
  test('writes outside of the workspace reach nothing', async () => {
    scene = await fencedScene();
    const neighbour = plantSecret(join(scene.root, 'workspaces/two/a.txt'), 'as it was');
    const fresh = join(scene.root, 'planted.txt');
    await scene.claude([
      write(neighbour, 'changed'),
      write(fresh, 'planted'),
      bash(
        `echo x > ${neighbour}; echo x > ${fresh}; echo x > /usr/bin/planted; echo x > /etc/planted; echo x > /planted; echo x > ${process.execPath}; mkdir -p ${scene.scratch} && echo x > ${scene.scratch}/planted`,
      ),
    ]);
    expect(readFileSync(neighbour, 'utf8')).toBe('as it was\n');
    expect(
      [fresh, '/usr/bin/planted', '/etc/planted', '/planted', join(scene.scratch, 'planted')].filter(
        existsSync,
      ),
    ).toEqual([]);
  });

  test('kernel settings cannot be written, whoever started the fence', async () => {
    scene = await fencedScene();
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    // The value that is there already: where the write should succeed, nothing changes.
    const answer = await said(
      'cat /proc/sys/kernel/core_pattern > "$TMPDIR/same"; for f in kernel/core_pattern kernel/hostname vm/overcommit_memory; do (cat /proc/sys/$f > "$TMPDIR/v" && cat "$TMPDIR/v" > /proc/sys/$f) 2>/dev/null && echo "wrote $f"; done; echo 1 > /proc/sysrq-trigger 2>/dev/null && echo wrote; (grep -E "Cap(Eff|Prm|Bnd|Amb)|NoNewPrivs" /proc/self/status)',
    );
    expect(answer).not.toContain('wrote');
    expect(answer.match(/Cap\w+:\s+0+$/gm)).toHaveLength(4);
    expect(answer).toMatch(/NoNewPrivs:\s+1/);
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
  });

  test('no further namespace, mount, or process of the host can be had', async () => {
    scene = await fencedScene();
    const victim = spawn('sleep', ['60'], { stdio: 'ignore' });
    const answer = await said(
      `for c in "unshare -U true" "unshare -Ur mount -t tmpfs x /mnt" "mount -t tmpfs x /tmp" "bwrap --bind / / true" "nsenter -t 1 -m true" "kill -9 ${victim.pid}" "kill -9 ${process.pid}" "mknod dev b 8 0" "chroot / true" "setpriv --reuid 0 true" "su -c true"; do $c >/dev/null 2>&1 && echo "worked: $c"; done; id -u`,
    );
    expect(answer).toBe('1000');
    expect(victim.exitCode ?? victim.signalCode).toBeNull();
    victim.kill('SIGKILL');
    await once(victim, 'close');
  });

  test('a fork bomb stays inside its limit and leaves nothing', async () => {
    scene = await fencedScene({ limits: { processes: 200, memoryMiB: 2048 } });
    const bomb =
      'bomb() { bomb | bomb & }; (bomb) 2>/dev/null; for i in $(seq 1000); do sleep 77.7 2>/dev/null & done 2>/dev/null; ps ax | wc -l; sleep 5';
    // Where no thread can be had any more, Claude Code may end too: that is its own session's loss.
    await scene.claude([bash(bomb, { timeoutMs: 8_000 })]);
    const count = () =>
      readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes('77.7')).length;
    expect(count()).toBeLessThan(200);
    await scene.fence.close();
    await expect.poll(count).toBe(0);
  });

  test('memory ends at its limit: the largest process is ended, with words, and Claude goes on', async () => {
    scene = await fencedScene({ limits: { processes: 200, memoryMiB: 900 } });
    await scene.claude([
      bash(`perl -e '$x = "x" x 1_200_000_000; sleep 30'`, { timeoutMs: 30_000 }),
      bash('echo still here'),
    ]);
    expect(scene.model.toolResults().at(-1)?.text).toBe('still here');
    expect(scene.said.join('\n')).toMatch(/The fence ended `perl`, .* 900 MiB are allowed/);
  });
});

describe.skipIf(whyNoFence)('the network', () => {
  test('there is none but the two ways out: not loopback, not the internet, not DNS', async () => {
    const server = createServer((_, response) => response.end('TOP-SECRET'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    scene = await fencedScene({ egressAllowed: [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]:80'] });
    const tries = [
      `--noproxy '*' http://127.0.0.1:${port}`,
      `--noproxy '*' http://1.1.1.1`,
      `--noproxy '*' http://169.254.169.254/latest/meta-data`,
      `--noproxy '*' http://example.com`,
      // Through the proxy, though they are on the list: their addresses are not public.
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      `--noproxy '' -x http://127.0.0.1:3128 http://localhost:${port}`,
      `--noproxy '' -p -x http://127.0.0.1:3128 http://localhost:${port}`,
      `--unix-socket /run/forgehand/egress.sock http://localhost:${port}/`,
      `http://example.com`,
      `https://registry.npmjs.org:8443`,
    ];
    const script = tries.map((options) => `curl -sS -m 5 -o - ${options} 2>&1; echo " => $?"`).join('\n');
    const answer = await said(`${script}\ngetent hosts example.com || echo no names`);
    server.close();
    expect(answer).not.toContain('TOP-SECRET');
    expect(answer).not.toMatch(/Example Domain/);
    expect(answer).toContain('no names');
    expect(scene.said.join('\n')).toMatch(
      /did not let a program reach `example.com:80`: it is not on the list/,
    );
    expect(scene.said.join('\n')).toMatch(/`localhost:\d+`: it has no public address/);
  });

  test('the model’s socket takes model requests only', async () => {
    scene = await fencedScene();
    const ask = (options: string) =>
      `curl -sS -m 5 -o /dev/null -w '%{http_code} ' --unix-socket /run/forgehand/model.sock ${options}`;
    const before = scene.model.requests.length;
    const answer = await said(
      [
        ask('http://x/v1/messages'),
        ask('-X POST http://x/v1/files -d {}'),
        ask('-X POST http://x/v1/messages/batches -d {}'),
        ask('-X POST http://x/v1/organizations -d {}'),
        ask('-X POST --path-as-is http://x/v1/messages/../models -d {}'),
        ask('-X DELETE http://x/v1/messages'),
        ask('-X CONNECT http://x/'),
      ].join('; '),
    );
    expect(
      answer
        .trim()
        .split(' ')
        .filter((code) => code.startsWith('2')),
    ).toEqual([]);
    // Only Claude's own requests have arrived.
    expect(
      scene.model.requests
        .slice(before)
        .every(({ path }) => path.startsWith('/v1/messages?') || path === '/v1/messages'),
    ).toBe(true);
  });

  test('git in the fence without network has no way out at all', async () => {
    scene = await fencedScene();
    const { command, args, env } = scene.fence.enclose(
      '/bin/sh',
      ['-c', 'ls /run/forgehand; cat /proc/net/dev | wc -l; touch x 2>&1; true'],
      {
        env: { PATH: '/usr/bin:/bin' },
        readOnlyWorkspace: true,
      },
    );
    const answer = execFileSync(command, args, { env, encoding: 'utf8', cwd: '/' });
    expect(answer).toMatch(/^3\ntouch: .*Read-only file system/);
  });
});
