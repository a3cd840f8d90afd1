import { afterAll, beforeEach, expect, test } from 'vitest';
import { startGitHub } from '../../testkit/github/main.ts';
import { defaultPolicy } from '../github/retry.ts';
import { all, clockOf } from './dispatch.test-support.ts';
import { followRun } from './dispatch-run.ts';
import { isWaiting, type Step } from './dispatch-step.ts';

const quick = { ...defaultPolicy, firstDelayMs: 1, timeoutMs: 10_000 };
const github = await startGitHub();
afterAll(() => github.close());
const repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { a: 'a\n' } });
const token = github.token({ login: 'octo-org' });
const following = { repository: 'octo-org/hello', correlationId: 'req-1', token, apiUrl: github.apiUrl };

beforeEach(() => {
  repository.record.runs = [];
});

const begin = (displayTitle: string, more: { event?: string; status?: string; conclusion?: string } = {}) =>
  github.createWorkflowRun(repository, {
    name: 'Claude',
    displayTitle,
    event: 'repository_dispatch',
    status: 'queued',
    conclusion: null,
    headBranch: 'main',
    headSha: repository.tip('main')!,
    ...more,
  });

/** What happens at GitHub at each look but the first, and what is seen; pauses in milliseconds. */
async function watch(story: (() => void)[]) {
  const pauses: number[] = [];
  const clock = clockOf((ms) => {
    story[pauses.length]?.();
    pauses.push(ms);
  });
  const steps = await all(followRun(following, clock, quick));
  return { pauses, told: steps.map(words) };
}

const words = (step: Step) => (isWaiting(step) ? step.waitingFor : `${step.status}: ${step.message}`);

test('a run is waited for, found by its name, and seen to its end', async () => {
  let run: ReturnType<typeof begin>;
  const { told } = await watch([
    () => {},
    () => {
      run = begin('Claude: req-1');
    },
    () => {},
    () => Object.assign(run, { status: 'in_progress' }),
    () => Object.assign(run, { status: 'completed', conclusion: 'success' }),
  ]);
  expect(told).toEqual([
    'the run to begin',
    'queued: The run is queued.',
    'in_progress: The run is in progress.',
    'completed: The run ended with success.',
  ]);
  expect(github.violations).toEqual([]);
});

test.each<[string, string]>([
  ['success', 'completed'],
  ['neutral', 'completed'],
  ['failure', 'failed'],
  ['timed_out', 'failed'],
  ['startup_failure', 'failed'],
  ['cancelled', 'cancelled'],
  ['skipped', 'cancelled'],
])('a run that ended with %s has %s', async (conclusion, status) => {
  const run = begin('req-1', { status: 'completed', conclusion });
  const [step] = await all(followRun(following, clockOf(), quick));
  expect(step).toMatchObject({
    status,
    repository: 'octo-org/hello',
    run_id: String(run.id),
    correlation_id: 'req-1',
    run_url: `${github.serverUrl}/octo-org/hello/actions/runs/${run.id}`,
  });
});

test('runs of other tasks and other events are not taken for it', async () => {
  for (const title of ['req-12', 'my-req-1', 'req-1-b', 'Claude']) begin(title, { status: 'in_progress' });
  begin('req-1', { event: 'push', status: 'in_progress' });
  const own = begin('(req-1)', { status: 'completed', conclusion: 'success' });
  const [step] = await all(followRun(following, clockOf(), quick));
  expect(step).toMatchObject({ run_id: String(own.id) });
});

test('a run behind a hundred others is found', async () => {
  begin('req-1', { status: 'completed', conclusion: 'success' });
  for (let other = 0; other < 100; other += 1) begin(`other-${other}`);
  const [step] = await all(followRun(following, clockOf(), quick));
  expect(step).toMatchObject({ status: 'completed' });
});

test('asked less and less often, and after a minute what the workflow needs is said; after ten it is over', async () => {
  const pauses: number[] = [];
  const steps = followRun(
    following,
    clockOf((ms) => void pauses.push(ms)),
    quick,
  );
  expect((await steps.next()).value).toEqual({ waitingFor: 'the run to begin' });
  const hint = (await steps.next()).value as { waitingFor: string };
  expect(hint.waitingFor).toContain('`run-name`');
  expect(pauses.reduce((sum, ms) => sum + ms)).toBeGreaterThanOrEqual(60_000);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  await expect(steps.next()).rejects.toMatchObject({ reason: 'timed_out' });
  expect(Math.max(...pauses)).toBe(30_000);
});

test('a GitHub that is away for a while is waited for', async () => {
  const run = begin('req-1', { status: 'in_progress' });
  const { told } = await watch([
    () => void github.faults.add({ path: /actions\/runs/, status: 503, times: 8 }),
    () => {},
    () => Object.assign(run, { status: 'completed', conclusion: 'failure' }),
  ]);
  expect(told).toEqual([
    'in_progress: The run is in progress.',
    'GitHub, which does not answer',
    'failed: The run ended with failure.',
  ]);
});

test('a GitHub that stays away is given up', async () => {
  const repair = github.faults.add({ path: /actions\/runs/, status: 503 });
  await expect(all(followRun(following, clockOf(), quick))).rejects.toMatchObject({
    reason: 'github_unavailable',
  });
  repair();
});

test('a token that may not look is refused in words', async () => {
  const missing = { ...following, repository: 'octo-org/gone' };
  await expect(all(followRun(missing, clockOf(), quick))).rejects.toMatchObject({
    reason: 'github_auth',
    message: 'GitHub answered 404 when asked for the runs of octo-org/gone.',
  });
});
