/** Benchmark of the context: a pull request with 3,000 files, 2,000 comments and 300 threads, beside its longest chain of pages. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startGitHub } from '../testkit/github/main.ts';
import { latencyMs, line, median, spread } from './action-stage.ts';
import type { ReaderFigures, ReaderTask } from './context-reader.ts';

const size = { files: 3_000, comments: 2_000, threads: 300 };
/** Characters of a comment. */
const commentLength = 600;

/** Each read has a process of its own, so that memory is that of one read. */
export async function measureContext(runs: number): Promise<void> {
  console.log(`\nThe context of a huge pull request; GitHub answers after ${latencyMs} ms.`);
  const github = await startGitHub({ validate: false });
  try {
    const number = await makeHugePullRequest(github);
    const { apiUrl, graphqlUrl, serverUrl } = github;
    const task = {
      host: { apiUrl, graphqlUrl, serverUrl },
      token: github.token({ login: 'octo-org' }),
      number,
    };
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
    report(whole, chain, requests);
  } finally {
    await github.close();
  }
}

function report(whole: ReaderFigures[], chain: ReaderFigures[], requests: number): void {
  const [{ files, comments, threads } = { files: 0, comments: 0, threads: 0 }] = whole;
  const ms = (figures: ReaderFigures[]) => figures.map((one) => one.ms);
  const mib = (figures: ReaderFigures[]) => figures.map(({ peak }) => peak / 2 ** 20);
  const ratio = (of: (figures: ReaderFigures[]) => number[]) =>
    (median(of(whole)) / median(of(chain))).toFixed(2);
  line('huge thread: read', `${files} files, ${comments} comments, ${threads} review threads`);
  line(
    'huge thread: time',
    `${spread(ms(whole))} ms; its longest chain of pages ${spread(ms(chain))} ms; ${ratio(ms)} × the chain`,
  );
  line('huge thread: requests', `${requests}`);
  line(
    'huge thread: memory of the process',
    `${spread(mib(whole))} MiB; that of the chain ${spread(mib(chain))} MiB; ${ratio(mib)} × the chain`,
  );
}

async function read(task: ReaderTask): Promise<ReaderFigures> {
  const reader = new URL('./context-reader.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [reader, JSON.stringify(task)]);
  return JSON.parse(stdout) as ReaderFigures;
}

async function makeHugePullRequest(github: Awaited<ReturnType<typeof startGitHub>>): Promise<number> {
  const repository = await github.createRepository({
    owner: 'octo-org',
    name: 'huge',
    files: { 'README.md': '# Huge\n' },
  });
  const path = (index: number) => `src/part-${index % 50}/file-${index}.ts`;
  const files = Object.fromEntries(
    Array.from({ length: size.files }, (_, index) => [path(index), `export const n = ${index};\n`]),
  );
  await repository.addCommit({ branch: 'topic', message: 'Add all of it', files });
  const pull = await github.createPullRequest(repository, {
    title: 'All of it',
    head: 'topic',
    author: 'octocat',
  });
  const body = 'A remark of some length. '.repeat(commentLength / 25);
  for (let n = 0; n < size.comments; n += 1) github.comment(pull, { author: 'hubot', body });
  const comments = Array.from({ length: size.threads }, (_, index) => ({
    path: path(index),
    line: 1,
    body,
    diffHunk: '@@ -0,0 +1 @@\n+export const n = 1;',
  }));
  const review = await github.review(pull, { author: 'monalisa', body: 'See below.', comments });
  for (const comment of review.comments.slice()) github.reply(comment, { author: 'octocat', body });
  return pull.number;
}
