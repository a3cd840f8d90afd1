/** Benchmark of the server's workspaces: the second one of a large repository beside a full clone over HTTP. */
import { spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cloneWorkspace } from '../src/workspace/clone.ts';
import { mirrorTip, updateMirror } from '../src/workspace/mirror.ts';
import { mirrorDirectory, workspaceDirectory } from '../src/workspace/places.ts';
import { startGitHub } from '../testkit/github/main.ts';
import { line, median, spread } from './action-stage.ts';

const commits = 2_000;
const files = 1_000;
const filesPerCommit = 7;
/** Bytes of one file: 14,000 of them and their trees are about 20,000 objects in a pack of about 100 MB. */
const fileBytes = 9_216;

/** GitHub answers at once here: a network would only make the full clone slower. */
export async function measureSecondWorkspace(runs: number): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'forgehand-bench-'));
  const github = await startGitHub({ validate: false });
  try {
    const repository = await github.createRepository({ owner: 'octo-org', name: 'large', files: {} });
    await writeHistory(repository.directory);
    const mirror = mirrorDirectory(root, repository.fullName);
    const remote = { url: repository.cloneUrl, token: null };
    const makeOne = async (number: number) => {
      const from = performance.now();
      await updateMirror({ directory: mirror, remote, exclusive: (work) => work() });
      const sha = (await mirrorTip(mirror, 'refs/heads/main'))!;
      const directory = workspaceDirectory(root, `${repository.fullName}#${number}`);
      const base = { ref: 'main', sha };
      await cloneWorkspace({
        mirror,
        directory,
        branch: `issue-${number}`,
        sha,
        base,
        originUrl: remote.url,
        identity: null,
      });
      const ms = performance.now() - from;
      await rm(directory, { recursive: true });
      return ms;
    };
    const first = await makeOne(1);
    const [second, full]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run += 1) {
      await repository.addCommit({ branch: 'main', message: 'Go on', files: { 'new.txt': `${run}\n` } });
      second.push(await makeOne(run + 2));
      full.push(await fullClone(remote.url, join(root, 'full')));
    }
    const ratio = (median(second) / median(full)).toFixed(2);
    line(
      'second workspace of a repository',
      `${spread(second)} ms; a full clone ${spread(full)} ms; ${ratio} × the clone (aim: under 0.33); the first ${Math.round(first)} ms`,
    );
  } finally {
    await github.close();
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** As an ordinary `git clone` does it; gone when measured. */
async function fullClone(url: string, directory: string): Promise<number> {
  const from = performance.now();
  await run(['clone', '-q', url, directory], '/');
  const ms = performance.now() - from;
  await rm(directory, { recursive: true });
  return ms;
}

/** The same history each time: bytes that do not compress well, changed again and again. */
async function writeHistory(directory: string): Promise<void> {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  const bytes = Buffer.alloc((fileBytes / 4) * 3);
  await run(['fast-import', '--quiet', '--date-format=raw'], directory, async (write) => {
    for (let commit = 0; commit < commits; commit += 1) {
      const date = 1_700_000_000 + commit;
      const who = `octocat <octocat@users.noreply.github.com> ${date} +0000`;
      await write(`commit refs/heads/main\nauthor ${who}\ncommitter ${who}\ndata 6\nChange\n`);
      for (let change = 0; change < filesPerCommit; change += 1) {
        const number = (commit * filesPerCommit + change) % files;
        const content = noise.update(bytes).toString('base64');
        await write(`M 100644 inline d${number % 40}/f${number}.txt\ndata ${content.length}\n${content}\n`);
      }
      await write('\n');
    }
  });
}

async function run(
  args: string[],
  cwd: string,
  feed?: (write: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
  const child = spawn('git', args, { cwd, env, stdio: [feed ? 'pipe' : 'ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  await feed?.(async (text) => {
    if (!child.stdin!.write(text)) await once(child.stdin!, 'drain');
  });
  child.stdin?.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}.`);
}
