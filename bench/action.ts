/** Benchmarks of the Action: an event that is not for Claude, and a mention that ends in a commit. */
import { type BenchStage, bareNode, latencyMs, line, median, repository, spread } from './action-stage.ts';

/** An event that is not for Claude: how long until the step has ended, beside a Node that does nothing. */
export async function measureIgnored(stage: BenchStage, runs: number): Promise<void> {
  const action: number[] = [];
  const bare: number[] = [];
  let requests = 0;
  await stage.mention('no mention here');
  for (let run = 0; run < runs; run += 1) {
    action.push((await stage.mention('no mention here')).main.durationMs);
    requests += stage.github.requests.length + stage.model.requests.length;
    bare.push((await bareNode('')).ms);
  }
  const more = median(action) - median(bare);
  line(
    'not for Claude: to the end',
    `${spread(action)} ms; bare Node ${spread(bare)} ms; ${Math.round(more)} ms more (aim: under 100)`,
  );
  line('not for Claude: requests', `${requests} (aim: 0)`);
}

/** A mention that ends in a commit: to the tracking comment and to the first model request, beside their floors. */
export async function measureCommit(stage: BenchStage, runs: number): Promise<void> {
  const toComment: number[] = [];
  const toModel: number[] = [];
  const floor: number[] = [];
  const requests: number[] = [];
  const memory: number[] = [];
  await stage.mention('@claude please fix it');
  await measureFloor(stage);
  for (let run = 0; run < runs; run += 1) {
    const ended = await stage.mention('@claude please fix it');
    if (ended.outputs.conclusion !== 'success') throw new Error(`The run did not succeed:\n${ended.log}`);
    toComment.push(commentShownAt(stage) - ended.main.startedAt);
    toModel.push(stage.model.firstRequestAt! - ended.main.startedAt);
    requests.push(stage.github.requests.filter(({ kind }) => kind !== 'kit').length);
    floor.push(await measureFloor(stage));
  }
  memory.push((await stage.mention('@claude please fix it', { measure: true })).peakMemory?.bytes ?? 0);
  const ratio = (median(toComment) / median(floor)).toFixed(2);
  line(
    'mention: to the tracking comment',
    `${spread(toComment)} ms; floor ${spread(floor)} ms; ${ratio} × the floor (aim: 1.25)`,
  );
  line('mention: to the first model request', `${spread(toModel)} ms (aim: under 700)`);
  line(
    'mention: GitHub requests',
    `${spread(requests)} for a run that commits, Git's included (aim: at most 12)`,
  );
  line(
    'mention: memory of the tree',
    `${Math.round(Math.max(...memory) / 2 ** 20)} MiB at most (aim: under 350)`,
  );
}

/** The shortest chain that can lead to a comment: a bare Node asks for the permission, then posts. */
async function measureFloor({ github, token }: BenchStage): Promise<number> {
  const issue = github.createIssue(repository, { title: 'Floor', body: '', author: 'octocat' });
  github.latencyMs = latencyMs;
  github.clearRequests();
  const { startedAt } = await bareNode(`
    const headers = { authorization: 'token ${token}' };
    const root = '${github.apiUrl}/repos/${repository}';
    await (await fetch(root + '/collaborators/octocat/permission', { headers })).json();
    await (await fetch(root + '/issues/${issue.number}/comments', { method: 'POST', headers, body: '{"body":"here"}' })).json();
  `);
  return commentShownAt({ github }) - startedAt;
}

function commentShownAt({ github }: Pick<BenchStage, 'github'>): number {
  const posted = github.requests.find(({ method, path }) => method === 'POST' && path.endsWith('/comments'));
  if (posted?.ms == null) throw new Error('No comment was posted.');
  return posted.startedAt + posted.ms;
}
