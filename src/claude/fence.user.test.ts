/** The fence of an ordinary user, also where the tests run as root: the same list, without a change of user. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyNoFence } from './fence.test-support.ts';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const become = isRoot
  ? ['setpriv', '--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', '--']
  : [];
const run = (...command: string[]) => {
  const [program, ...args] = [...become, ...command];
  return spawnSync(program!, args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' }, timeout: 60_000 });
};
const source = new URL('./fence.ts', import.meta.url).pathname;
const canStart =
  run(process.execPath, '-e', `require('fs').accessSync(${JSON.stringify(source)})`).status === 0;

test.skipIf(whyNoFence || !canStart)(
  'an ordinary user’s fence keeps its other files, its processes and the kernel',
  () => {
    const root = mkdtempSync(join(tmpdir(), 'fence-user-'));
    chmodSync(root, 0o755);
    for (const name of ['work', 'scratch', 'other']) {
      mkdirSync(join(root, name), { mode: 0o700 });
      writeFileSync(join(root, name, 'secret'), 'TOP-SECRET\n');
      if (isRoot)
        for (const path of [join(root, name), join(root, name, 'secret')]) chownSync(path, nobody, nobody);
    }
    const attack = `id -u; stat -c %u .; cat ${root}/other/secret ${root}/scratch/secret; ls ${root}; cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c REAL-KEY;
    kill -9 $HOST_PID && echo killed; unshare -U true && echo namespace; cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern && echo wrote;
    curl -s -m 3 --noproxy '*' http://1.1.1.1 && echo out; touch made; echo end`;
    const script = `
    import { spawnSync } from 'node:child_process';
    import { openFence } from ${JSON.stringify(source)};
    const none = () => {};
    const log = { debug: none, info: none, notice: none, warning: none, error: none, with: () => log };
    const fence = await openFence({ workspace: ${JSON.stringify(join(root, 'work'))}, scratch: ${JSON.stringify(join(root, 'scratch'))},
      readOnly: [], egressAllowed: [], limits: { processes: 100, memoryMiB: 500 }, log,
      environment: { PATH: '/usr/bin:/bin', ANTHROPIC_API_KEY: 'REAL-KEY' } });
    const env = { ...fence.claudeEnvironment, HOST_PID: String(process.pid) };
    const { command, args } = fence.enclose('/bin/sh', ['-c', ${JSON.stringify(attack)}], { env, network: true });
    const said = spawnSync(command, args, { env, encoding: 'utf8', cwd: '/' });
    console.log(JSON.stringify([fence.owner, said.stdout]));
    await fence.close();`;
    const { stdout, stderr } = run(process.execPath, '--input-type=module', '-e', script);
    rmSync(root, { recursive: true });
    expect(stderr.replace(/^.*ExperimentalWarning[\s\S]*?\n\n?/m, '')).not.toContain('Error');
    const [owner, said] = JSON.parse(stdout) as [unknown, string];
    expect(owner).toBeNull();
    // Its own id inside is another, and what it owns is owned by that; of its other directories only the way is there.
    expect(said.split('\n').filter(Boolean)).toEqual(['1000', '1000', 'scratch', 'work', '0', 'end']);
  },
);
