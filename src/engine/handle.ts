/** One GitHub event from the file on disk to the last word in the thread: the whole product on one page. */
import { detect } from '../trigger/detect.ts';
import { toUserMessage } from '../words/errors.ts';
import type { GitHubEvent } from '../words/event.ts';
import type { Reporter, Result } from '../words/result.ts';
import type { Decision, Fact, Task } from '../words/task.ts';
import type { Backend } from './backend.ts';
import type { Run } from './create.ts';
import type { Door } from './door.ts';
import { concluded, failed, refused } from './results.ts';

/** What a door needs to answer with, beyond the result itself. */
export interface Ending {
  result: Result;
  /** Null when the event was not for Claude. */
  task: Task | null;
  /** What was decided and why, in one sentence. */
  decision: string;
  facts: Fact[];
  /** What became of the progress that a backend was sent; markdown, empty for most. */
  delivery: string;
  /** Claude Code's own messages, for the execution file and the report of the turns. */
  messages: readonly unknown[];
  /** The GitHub token that was used; null when none was needed. */
  token: string | null;
}

/** Never throws for a foreseen failure: whatever happens is a result with a reason and a remedy. */
export async function handle(event: GitHubEvent, door: Door): Promise<Ending> {
  let backend: Backend | null = null;
  let ending: Ending;
  try {
    if (event.clientPayload) backend = await backendOf(event, door);
    ending = await answer(event, door, backend);
  } catch (error) {
    // A dispatch whose payload cannot be used.
    ending = { ...unasked, result: failed(error), decision: toUserMessage(error).message };
  }
  if (!backend) return ending;
  // Telling may take minutes, and to be killed meanwhile changes nothing of how it ended.
  door.remember('result', ending.result);
  // Also of a run that never began: who dispatched it waits for the end.
  await backend.finished(ending.result);
  return { ...ending, delivery: backend.delivery() };
}

async function backendOf({ clientPayload, repository }: GitHubEvent, door: Door): Promise<Backend | null> {
  const { openBackend } = await import('./backend.ts');
  return openBackend(clientPayload, {
    ...door,
    repository: `${repository.owner}/${repository.name}`,
    save: (sent) => door.remember('progress', sent),
  });
}

const unasked = { task: null, facts: [], delivery: '', messages: [], token: null };

async function answer(event: GitHubEvent, door: Door, backend: Backend | null): Promise<Ending> {
  const asked = detect(event, door.config);
  if (asked.verdict !== 'run') return declined(asked, null, asked.facts);
  let { task } = asked;

  let run: Run | null = null;
  let facts = asked.facts;
  let result: Result;
  try {
    // Only now is the rest of the house loaded: what asks GitHub first, and while GitHub thinks, all that comes after.
    const { admit } = await import('./admit.ts');
    const [admission, { Run }] = await Promise.all([admit(event, task, door), import('./create.ts')]);
    if (admission.declined) {
      return declined(admission.declined, task, [...facts, ...admission.declined.facts], door);
    }
    facts = [...facts, ...admission.facts];
    const { connection, config } = admission;
    task = admission.task;
    run = new Run(task, { ...door, config }, { connection, backend });
    result = await work(run);
  } catch (error) {
    result = failed(error);
  } finally {
    await run?.close();
  }
  const [messages, token] = run ? [run.messages, run.token] : [[], null];
  return { result, task, decision: startedBy(task), facts, delivery: '', messages, token };
}

/** From the granted task to its result; the reporters are told of every end. */
async function work(run: Run): Promise<Result> {
  const report = await run.openReporters();
  let result: Result;
  try {
    const started = report.started();
    const [early, claude] = await Promise.all([
      run.gather(),
      run.startClaude(report, started),
      run.threadRuns.look(started),
    ]);
    const { thread, handedOver } = await run.threadRuns.turn(early, () => run.gather());
    if (handedOver) return await finish(run, report, refused(handedOver, 'skip'));
    const checkout = await run.prepareCheckout(thread);
    const session = await run.threadRuns.work(claude, await run.buildPrompt(thread, checkout));
    result = concluded({ session, ...(await run.publish(checkout, session.reason ? '' : session.text)) });
  } catch (error) {
    result = failed(error);
  }
  return finish(run, report, await run.postReview(result));
}

async function finish(run: Run, report: Reporter, result: Result): Promise<Result> {
  await Promise.all([report.finished(result), run.keep(result)]);
  const comment = run.trackingComment;
  return { ...result, ...(comment && { commentUrl: comment.url, commentId: comment.id }) };
}

function declined(
  decision: Exclude<Decision, { verdict: 'run' }>,
  task: Task | null,
  facts: Fact[],
  door?: Door,
): Ending {
  const result = refused(decision, door?.config.onDenied ?? 'skip');
  return { ...unasked, result, task, decision: decision.message, facts };
}

function startedBy(task: Task): string {
  return `@${task.actor.login} started this in ${task.key} (${task.trigger.kind}, ${task.mode} mode).`;
}
