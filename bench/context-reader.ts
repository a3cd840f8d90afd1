/** Child of the benchmark of context: reads one pull request, or only the longest chain of its pages, and prints its figures. */
import { fetchThread } from '../src/context/fetch.ts';
import { filterThread } from '../src/context/filter.ts';
import { queries } from '../src/context/queries.ts';
import { createClient, type GitHubHost } from '../src/github/client.ts';

export interface ReaderTask {
  host: GitHubHost;
  token: string;
  /** Of the repository. */
  name: string;
  number: number;
  /** `floor`: one page of files after the other, by bare requests; nothing that goes by cursor can be faster. */
  what: 'thread' | 'floor';
}

export interface ReaderFigures {
  ms: number;
  /** Bytes, the most that the process had. */
  peak: number;
  files: number;
  comments: number;
  threads: number;
}

const owner = 'octo-org';

async function readWhole({ host, token, name, number }: ReaderTask) {
  const repository = { owner, name };
  const { graphql } = createClient(host, async () => token);
  const fetched = await fetchThread({ graphql, repository, kind: 'pull_request', number });
  const task = { subject: null, trigger: { kind: 'opened' as const }, triggeredAt: null };
  const thread = filterThread({ ...fetched, task, include: [], exclude: [], trackingCommentId: null });
  const { files, reviewThreads } = thread.pullRequest!;
  return { files: files.length, comments: thread.comments.length, threads: reviewThreads.length };
}

async function readChain({ host, token, name, number }: ReaderTask) {
  const ask = async (query: string, variables: Record<string, unknown>) => {
    const headers = { authorization: `token ${token}` };
    const body = JSON.stringify({ query, variables });
    const answer = await fetch(host.graphqlUrl, { method: 'POST', headers, body });
    return ((await answer.json()) as { data: Record<string, Record<string, unknown>> }).data;
  };
  type Page = { nodes: unknown[]; pageInfo: { more: boolean; cursor: string } };
  const first = await ask(queries.first.PullRequest, { owner, name, number });
  const { id, files } = first.repository!.subject as { id: string; files: Page };
  let count = files.nodes.length;
  for (let page = files; page.pageInfo.more; ) {
    const answer = await ask(queries.next.files, { id, cursor: page.pageInfo.cursor });
    page = answer.node!.page as Page;
    count += page.nodes.length;
  }
  return { files: count, comments: 0, threads: 0 };
}

const task = JSON.parse(process.argv[2]!) as ReaderTask;
const from = performance.now();
const read = await (task.what === 'thread' ? readWhole(task) : readChain(task));
const figures: ReaderFigures = {
  ...read,
  ms: performance.now() - from,
  peak: process.resourceUsage().maxRSS * 1024,
};
console.log(JSON.stringify(figures));
