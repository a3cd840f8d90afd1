/** Benchmark of a delivery's way to Claude's first request to the model, and of the way back after kill -9. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from '../test/e2e/chaos-victims.ts';
import { type ServerStage, setServerStage } from '../test/e2e/server-stage.ts';
import { projectFiles } from '../test/e2e/stage.ts';
import type { RepositoryView } from '../testkit/github/repository-view.ts';
import { line, median, spread } from './action-stage.ts';

/** Milliseconds from the webhook's sending. */
interface Way {
  answered: number;
  decided: number;
  process: number;
  running: number;
  branch: number;
  pullRequest: number;
  prepared: number;
  model: number;
  requests: number;
}

/** Cold: nothing of the repository is here. Warm: its mirror is. */
export async function measureFirstRequest(runs: number): Promise<void> {
  for (const latencyMs of [0, 50]) {
    await using stage = await setServerStage({ validate: false, env: { MAX_SESSIONS: '100' } });
    stage.github.latencyMs = latencyMs;
    await wayOf(stage, await newRepository(stage, 'first'));
    const [cold, warm]: [Way[], Way[]] = [[], []];
    for (let run = 0; run < runs; run += 1) {
      const repository = await newRepository(stage, `hello-${run}`);
      cold.push(await wayOf(stage, repository));
      warm.push(await wayOf(stage, repository));
    }
    const name = `delivery to Claude, GitHub ${latencyMs} ms`;
    const aim = latencyMs === 0 ? ' (aim: under 1,500)' : '';
    line(
      name,
      `warm ${spread(warm.map(({ model }) => model))} ms${aim}; cold ${spread(cold.map(({ model }) => model))} ms`,
    );
    line('  warm, until', stepsOf(warm));
    line('  cold, until', stepsOf(cold));
  }
}

function stepsOf(ways: Way[]): string {
  const at = (step: keyof Way) => Math.round(median(ways.map((way) => way[step])));
  return [
    `answered ${at('answered')}`,
    `decided ${at('decided')}`,
    `session process ${at('process')}`,
    `lease taken over ${at('running')}`,
    `branch ${at('branch')}`,
    `pull request ${at('pullRequest')}`,
    `workspace and fence ${at('prepared')}`,
    `Claude's request ${at('model')} ms; ${at('requests')} requests to GitHub`,
  ].join(', ');
}

async function newRepository({ github }: ServerStage, name: string): Promise<RepositoryView> {
  const repository = await github.createRepository({ owner: 'octo-org', name, files: projectFiles });
  for (const login of ['octocat', 'forgehand-bot']) repository.setPermission(login, 'write');
  return repository;
}

async function wayOf(stage: ServerStage, repository: RepositoryView): Promise<Way> {
  const { github, model } = stage;
  await quiet(stage);
  github.clearRequests();
  model.requests.splice(0);
  const issue = github.createIssue(repository, {
    title: 'Misspelt',
    body: 'It says Helo.',
    author: 'octocat',
  });
  const event = await github.event.issues(issue);
  const from = Date.now();
  await stage.deliver(event);
  const answered = Date.now() - from;
  const { at } = await model.request(1);
  const key = `${repository.fullName}#${issue.number}`;
  const [session] = find('session', { dataDir: stage.dataDir, key });
  const database = await stage.database();
  const [decision] = await database.query<{ at: Date }>(
    'select decided_at as at from deliveries where thread_key = $1 order by seq limit 1',
    [key],
  );
  const [prepared] = await database.query<{ at: Date }>(
    `select created_at as at from session_events where thread_key = $1 and kind = 'prepared' limit 1`,
    [key],
  );
  const asked = github.requests.filter(({ kind, startedAt }) => kind !== 'kit' && startedAt < at);
  const ended = (which: (path: string, method: string) => boolean) => {
    const found = asked.find(({ path, method }) => which(path, method));
    return found ? found.startedAt + (found.ms ?? 0) - from : Number.NaN;
  };
  const began = session ? startOf(session) - from : Number.NaN;
  return {
    answered,
    decided: decision!.at.getTime() - from,
    process: began,
    running: asked.find(({ startedAt }) => startedAt - from > began)!.startedAt - from,
    branch: ended((path, method) => method === 'POST' && path.includes('git-receive-pack')),
    pullRequest: ended((path, method) => method === 'POST' && path.endsWith('/pulls')),
    prepared: prepared!.at.getTime() - from,
    model: at - from,
    requests: asked.length,
  };
}

/** Until no session works any more: the next one is measured alone. */
async function quiet(stage: ServerStage): Promise<void> {
  const database = await stage.database();
  for (;;) {
    const [row] = await database.query<{ count: string }>(
      `select count(*) from threads where activity is not null and activity <> 'idle'`,
    );
    const [open] = await database.query<{ count: string }>(
      `select count(*) from messages where state in ('queued', 'delivered')`,
    );
    if (Number(row!.count) + Number(open!.count) === 0) break;
    await sleep(50);
  }
  await sleep(300);
}

/** Milliseconds since 1970, to a hundredth of a second. */
function startOf(pid: number): number {
  const ticks = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]);
  const boot = Number(/^btime (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))![1]);
  const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  // btime is in whole seconds.
  return (Math.abs(Date.now() / 1_000 - up - boot) < 2 ? Date.now() - up * 1_000 : boot * 1_000) + ticks * 10;
}
