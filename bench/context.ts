/**
 * Benchmark of the context: a huge and a small pull request, each beside its longest chain of pages, and what a run asks
 * GitHub for.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startGitHub } from '../testkit/github/main.ts';
import { huge, makePullRequest, small } from '../testkit/large-pull-request.ts';
import { benchStage, latencyMs, line, median, spread } from './action-stage.ts';
import type { ReaderFigures, ReaderTask } from './context-reader.ts';

/** Each read has a process of its own, so that memory is that of one read. */
export async function measureContext(runs: number): Promise<void> {
  console.log(`\nThe context of a pull request; GitHub answers after ${latencyMs} ms.`);
  const github = await startGitHub({ validate: false });
  try {
    for (const [name, size] of Object.entries({ small, huge })) {
      github.latencyMs = 0;
      const number = await makePullRequest(github, { name, size });
      await measurePullRequest(github, { name, number }, runs);
    }
  } finally {
    await github.close();
  }
  await measureRequests(runs);
}

async function measurePullRequest(
  github: Awaited<ReturnType<typeof startGitHub>>,
  { name, number }: { name: string; number: number },
  runs: number,
): Promise<void> {
  const { apiUrl, graphqlUrl, serverUrl } = github;
  const token = github.token({ login: 'octo-org' });
  const task = { host: { apiUrl, graphqlUrl, serverUrl }, token, name, number };
  github.latencyMs = latencyMs;
  const [whole, chain]: [ReaderFigures[], ReaderFigures[]] = [[], []];
  let requests = 0;
  // The first run is for the server, which compares the commits once.
  for (let run = 0; run <= runs; run += 1) {
    github.clearRequests();
    const thread = await read({ ...task, what: 'thread' });
    requests = github.requests.length;
    const floor = await read({ ...task, what: 'floor' });
    if (run === 0) continue;
    whole.push(thread);
    chain.push(floor);
  }
  report(name, { whole, chain, requests });
}

/** All that a run asks GitHub for, Git's requests included, where Claude commits. */
async function measureRequests(runs: number): Promise<void> {
  await using stage = await benchStage();
  const count = async (body: string, on: 'issue' | 'pull request') => {
    const counts: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      await stage.mention(body, { on });
      counts.push(stage.github.requests.filter(({ kind }) => kind !== 'kit').length);
    }
    return spread(counts);
  };
  line('requests: event that is not for us', `${await count('no mention here', 'issue')} (aim: 0)`);
  line('requests: mention on an issue', `${await count('@claude please fix it', 'issue')} (aim: at most 12)`);
  line('requests: mention on a pull request', await count('@claude please fix it', 'pull request'));
}

function report(
  name: string,
  { whole, chain, requests }: { whole: ReaderFigures[]; chain: ReaderFigures[]; requests: number },
): void {
  const [{ files, comments, threads } = { files: 0, comments: 0, threads: 0 }] = whole;
  const ms = (figures: ReaderFigures[]) => figures.map((one) => one.ms);
  const mib = (figures: ReaderFigures[]) => figures.map(({ peak }) => peak / 2 ** 20);
  const ratio = (of: (figures: ReaderFigures[]) => number[]) =>
    (median(of(whole)) / median(of(chain))).toFixed(2);
  line(`${name}: read`, `${files} files, ${comments} comments, ${threads} review threads`);
  line(
    `${name}: time`,
    `${spread(ms(whole))} ms; its longest chain of pages ${spread(ms(chain))} ms; ${ratio(ms)} × the chain`,
  );
  line(`${name}: requests`, `${requests}`);
  line(
    `${name}: memory of the process`,
    `${spread(mib(whole))} MiB; that of the chain ${spread(mib(chain))} MiB; ${ratio(mib)} × the chain`,
  );
}

async function read(task: ReaderTask): Promise<ReaderFigures> {
  const reader = new URL('./context-reader.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [reader, JSON.stringify(task)]);
  return JSON.parse(stdout) as ReaderFigures;
}
