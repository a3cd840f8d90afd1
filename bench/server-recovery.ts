/** Benchmark of recovery: kill -9 of a session at work until its next model request, and of the server until it decides. */
import { setTimeout as sleep } from 'node:timers/promises';
import { find, kill } from '../test/e2e/chaos-victims.ts';
import { type ServerStage, setServerStage } from '../test/e2e/server-stage.ts';
import { bash } from '../testkit/claude/tools.ts';
import type { Issue } from '../testkit/github/model.ts';
import { line, spread } from './action-stage.ts';

/** Claude runs a command when its session is killed, the worker finds that out by itself. */
export async function measureRecovery(runs: number): Promise<void> {
  const script = [{ tools: [bash('for n in $(seq 60); do sleep 1; done')] }, { text: 'Done.' }];
  await using stage = await setServerStage({ script, validate: false, env: { MAX_SESSIONS: '100' } });
  const session: number[] = [];
  for (let run = 0; run < runs; run += 1) session.push(await killSession(stage));
  line('kill -9 of a session at work', `${spread(session)} ms to the next model request (aim: under 5,000)`);
  const [ready, decided]: [number[], number[]] = [[], []];
  const issue = stage.github.createIssue(stage.repository, { title: 'Look', body: '', author: 'octocat' });
  for (let run = 0; run < runs; run += 1) {
    await kill('server', { dataDir: stage.dataDir, key: '' });
    const from = Date.now();
    await stage.start();
    ready.push(Date.now() - from);
    decided.push((await decide(stage, issue)) - from);
  }
  line(
    'kill -9 of the server',
    `${spread(ready)} ms to /ready; ${spread(decided)} ms until a delivery sent then is decided`,
  );
}

async function killSession({ model, openIssue, dataDir, answered }: ServerStage): Promise<number> {
  model.requests.splice(0);
  const issue = await openIssue();
  await model.request(1);
  // Claude has the answer and runs its command.
  await sleep(1_500);
  const known = model.main.length;
  const place = { dataDir, key: `octo-org/hello#${issue.number}` };
  if ((await kill('session', place)) !== 1) throw new Error('There is no session to kill.');
  const from = Date.now();
  const { at } = await model.request(known + 1);
  await answered(issue, 'Done.');
  if (find('session', place).length !== 1) throw new Error('There is not one session.');
  return at - from;
}

async function decide(stage: ServerStage, issue: Issue): Promise<number> {
  const comment = stage.github.comment(issue, { author: 'octocat', body: 'Nobody is asked.' });
  const { guid } = await stage.deliver(await stage.github.event.issueComment(comment));
  const database = await stage.database();
  for (;;) {
    const [row] = await database.query<{ at: Date | null }>(
      'select decided_at as at from deliveries where id = $1',
      [guid],
    );
    if (row?.at) return row.at.getTime();
    await sleep(5);
  }
}
