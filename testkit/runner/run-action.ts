/** The mini Actions runner: runs a Node action's main and post as GitHub's runner would, and tells all that they did. */
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type ActionFile, inputEnvironment, readActionFile } from './action-file.ts';
import type { ActionOptions, ActionRun } from './action-run.ts';
import { createCommandFiles, type FileCommands, readCommandFiles } from './command-files.ts';
import { conditionHolds, type JobStatus } from './expression.ts';
import { jobEnvironment, type RunnerPaths, refOf, runnerEnvironment, runtimeToken, shortRef } from './job.ts';
import { JobLog } from './job-log.ts';
import { Masks } from './masks.ts';
import { RunWatch } from './run-watch.ts';
import { runStepProcess, type StepEnd } from './step-process.ts';

/** What the steps of a run share. */
interface Run {
  options: ActionOptions;
  action: ActionFile;
  paths: RunnerPaths;
  /** Directory of the runner's own files. */
  directory: string;
  marker: string;
  masks: Masks;
  log: JobLog;
  watch: RunWatch;
  inputs: Record<string, string>;
  changes: { variables: Record<string, string>; path: string[] };
  summaries: string[];
}

const postWindow = 5 * 60_000;

/**
 * Runs an action once.
 * @throws when the action.yml cannot be used or the process cannot be started; a failing action is a result.
 */
export async function runAction(options: ActionOptions): Promise<ActionRun> {
  const directory = await mkdtemp(join(tmpdir(), 'mini-runner-'));
  const marker = `github_${randomUUID()}`;
  const watch = new RunWatch(`RUNNER_TRACKING_ID=${marker}`, options.measure ?? false);
  try {
    const run = await prepare(options, { directory, marker, watch });
    const masksBefore = run.masks.values.length;
    const cancellation = watchCancellation(options.cancelAfter);
    const main = await runStep(run, 'main', {
      cancel: cancellation.cancelled,
      kill: options.killMain,
      state: {},
    });
    const survivors = await watch.survivors();
    const { state } = main.commands;
    let status = statusOf(main, cancellation.isCancelled());
    let post: Outcome | null = null;
    if (run.action.post && conditionHolds(run.action.postIf, { values: {}, status })) {
      const windowOver = cancellation.cancelled.then(() =>
        unreferenced(postWindow * (options.cancelScale ?? 1)),
      );
      post = await runStep(run, 'post', { cancel: windowOver, state });
      if (status === 'success') status = statusOf(post, cancellation.isCancelled());
    }
    cancellation.settle();
    const leftovers = await watch.survivors();
    await watch.end();
    return {
      status,
      main: main.end,
      post: post?.end ?? null,
      ...sortOutputs(run.action, main.commands.output),
      state,
      masks: run.masks.values.slice(masksBefore),
      annotations: run.log.annotations,
      summary: run.masks.apply(run.summaries.join('\n')),
      log: run.log.lines.join('\n'),
      rawLog: run.log.raw.join('\n'),
      environment: run.changes,
      survivors,
      leftovers,
      peakMemory: watch.peak,
      directory,
    };
  } finally {
    await watch.end();
    if (!options.keep) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function prepare(
  options: ActionOptions,
  own: Pick<Run, 'directory' | 'marker' | 'watch'>,
): Promise<Run> {
  const action = await readActionFile(resolve(options.action));
  const paths: RunnerPaths = {
    home: join(own.directory, 'home'),
    temp: join(own.directory, 'work', '_temp'),
    toolCache: options.toolCache ?? join(own.directory, 'toolcache'),
    eventFile: join(own.directory, 'work', '_temp', '_github_workflow', 'event.json'),
  };
  for (const path of [paths.home, paths.toolCache, join(paths.temp, '_github_workflow')]) {
    await mkdir(path, { recursive: true });
  }
  await writeFile(paths.eventFile, options.eventFile ?? JSON.stringify(options.event.payload));
  const masks = new Masks();
  const runtime = options.cache && runtimeToken(options, options.cache);
  for (const secret of [options.token, options.oidc?.token, runtime, ...(options.secrets ?? [])])
    if (secret) masks.add(secret);
  const log = new JobLog({ masks, debug: options.debug, onLine: options.onOutput });
  const { env: inputs, warnings } = inputEnvironment(action, options.inputs ?? {}, githubContext(options));
  for (const message of warnings) log.annotate({ level: 'warning', message, source: 'runner' });
  const changes: Run['changes'] = { variables: {}, path: [] };
  return { ...own, options, action, paths, masks, log, inputs, changes, summaries: [] };
}

interface Outcome {
  end: StepEnd;
  commands: FileCommands;
}

interface StepPlan {
  cancel: Promise<unknown>;
  kill?: Promise<unknown>;
  state: Record<string, string>;
}

async function runStep(
  run: Run,
  source: 'main' | 'post',
  { cancel, kill, state }: StepPlan,
): Promise<Outcome> {
  const { options, action, log, watch } = run;
  const files = await createCommandFiles(join(run.paths.temp, '_runner_file_commands'), source);
  const node = options.node ?? process.execPath;
  const end = await runStepProcess({
    node,
    script: (source === 'main' ? action.main : action.post) ?? '',
    cwd: options.workspace,
    env: stepEnvironment(run, node, { ...files.env, ...prefixed('STATE_', state) }),
    source,
    log,
    watch,
    cancel,
    kill,
    cancelScale: options.cancelScale ?? 1,
    timeoutMs: options.timeoutMs ?? 5 * 60_000,
  });
  const commands = await readCommandFiles(files);
  for (const message of commands.errors) log.annotate({ level: 'error', message, source: 'runner' });
  Object.assign(run.changes.variables, commands.env);
  run.changes.path.push(...commands.path);
  if (commands.summary) run.summaries.push(commands.summary);
  return { end, commands };
}

function stepEnvironment(run: Run, node: string, step: Record<string, string>): Record<string, string> {
  const { options, paths, changes } = run;
  const { PATH: basePath, ...runner } = runnerEnvironment(paths, node, run.marker);
  const path = changes.variables.PATH ?? options.env?.PATH ?? basePath;
  return {
    ...options.env,
    ...changes.variables,
    ...runner,
    // GitHub lets a job say otherwise of these two.
    ...(options.env?.CI === undefined ? {} : { CI: options.env.CI }),
    ...(options.env?.HOME === undefined ? {} : { HOME: options.env.HOME }),
    PATH: [...changes.path.toReversed(), path].join(delimiter),
    ...(options.debug ? { RUNNER_DEBUG: '1' } : {}),
    ...jobEnvironment(options, paths, resolve(options.action)),
    ...run.inputs,
    ...step,
  };
}

function sortOutputs(
  action: ActionFile,
  all: Record<string, string>,
): Pick<ActionRun, 'outputs' | 'undeclaredOutputs'> {
  const outputs: Record<string, string> = {};
  const undeclaredOutputs: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    (action.outputs.includes(name) ? outputs : undeclaredOutputs)[name] = value;
  }
  return { outputs, undeclaredOutputs };
}

function statusOf({ end, commands }: Outcome, isCancelled: boolean): JobStatus {
  if (isCancelled) return 'cancelled';
  return end.exitCode === 0 && !end.timedOut && !commands.failed ? 'success' : 'failure';
}

/** Follows the cancel option; `settle` lets go of a timer that has not fired. */
function watchCancellation(after: number | Promise<unknown> | undefined) {
  let isCancelled = false;
  let timer: NodeJS.Timeout | undefined;
  const cancelled = new Promise<void>((fire) => {
    const cancel = () => {
      isCancelled = true;
      fire();
    };
    if (typeof after === 'number') timer = setTimeout(cancel, after);
    else after?.then(cancel, () => {});
  });
  return { cancelled, isCancelled: () => isCancelled, settle: () => clearTimeout(timer) };
}

function unreferenced(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms).unref());
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

/** The `github` context of a job. */
export function githubContext(options: Omit<ActionOptions, 'action'>): Record<string, unknown> {
  const ref = options.ref ?? refOf(options.event.name, options.event.payload);
  return {
    token: options.token ?? '',
    event: options.event.payload,
    event_name: options.event.name,
    repository: options.repository,
    repository_owner: options.repository.split('/')[0],
    actor: options.actor,
    run_id: options.runId,
    workspace: options.workspace,
    ref,
    ref_name: shortRef(ref),
    sha: options.sha,
    server_url: options.github.serverUrl,
    api_url: options.github.apiUrl,
    graphql_url: options.github.graphqlUrl,
  };
}
