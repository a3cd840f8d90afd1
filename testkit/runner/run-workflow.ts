/** Runs the jobs of a workflow file one after the other: conditions, expressions, outputs, `run:` steps, and the actions it is told of. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createCommandFiles, readCommandFiles } from './command-files.ts';
import { type Contexts, conditionHolds, interpolate, type JobStatus } from './expression.ts';
import {
  readWorkflowFile,
  type WorkflowEvent,
  type WorkflowJob,
  type WorkflowStep,
  whyNotStarted,
} from './workflow-file.ts';

export interface WorkflowOptions {
  /** Path of the workflow file. */
  file: string;
  event: WorkflowEvent;
  /** Holds one workspace a job; made when missing. */
  directory: string;
  /** The environment of `run:` steps. */
  env: Record<string, string>;
  secrets?: Record<string, string>;
  vars?: Record<string, string>;
  /** Gives each job its token, which may what `permissions` says. */
  token(permissions: Record<string, string>): string;
  /** The `github` context. */
  github(job: JobPlace): Record<string, unknown>;
  /** Carries out a `uses:` step; by the name before the `@`. */
  actions: Record<string, (step: ActionStep) => Promise<StepOutcome>>;
}

/** Where a job runs. */
export interface JobPlace {
  workspace: string;
  token: string;
  permissions: Record<string, string>;
}

export interface ActionStep extends JobPlace {
  inputs: Record<string, string>;
}

export interface StepOutcome {
  succeeded: boolean;
  outputs: Record<string, string>;
}

export interface WorkflowRun {
  /** Null when the workflow started; else why not. */
  notStarted: string | null;
  /** How each job ended, by its id. */
  jobs: Record<string, JobStatus | 'skipped'>;
  /** What `run:` steps wrote, with their errors. */
  log: string;
  /** The job summaries of the `run:` steps. */
  summary: string;
}

interface State {
  options: WorkflowOptions;
  run: WorkflowRun;
  needs: Record<string, { result: string; outputs: Record<string, string> }>;
}

export async function runWorkflow(options: WorkflowOptions): Promise<WorkflowRun> {
  const workflow = await readWorkflowFile(options.file);
  const notStarted = whyNotStarted(workflow, options.event);
  const run: WorkflowRun = { notStarted, jobs: {}, log: '', summary: '' };
  const state: State = { options, run, needs: {} };
  // In the order of the file, where a job stands below those that it needs.
  if (!notStarted) {
    for (const [id, job] of Object.entries(workflow.jobs)) await runJob(state, id, job);
  }
  return run;
}

async function runJob(state: State, id: string, job: WorkflowJob): Promise<void> {
  const { options, run, needs } = state;
  const permissions = job.permissions ?? {};
  const workspace = join(options.directory, id);
  await mkdir(workspace, { recursive: true });
  const place = { workspace, permissions, token: options.token(permissions) };
  const steps: Record<string, { outputs: Record<string, string>; outcome: string }> = {};
  const inputs = options.event.payload.inputs ?? {};
  const contexts: Contexts = {
    values: {
      github: options.github(place),
      secrets: { GITHUB_TOKEN: place.token, ...options.secrets },
      vars: options.vars ?? {},
      ...{ inputs, needs, steps },
    },
    status: job.needs && run.jobs[job.needs] !== 'success' ? 'failure' : 'success',
  };
  if (!conditionHolds(job.if, contexts)) {
    run.jobs[id] = 'skipped';
    return;
  }
  for (const [index, step] of job.steps.entries()) {
    if (!conditionHolds(step.if, contexts)) continue;
    const env = evaluated({ ...job.env, ...step.env }, contexts);
    const { succeeded, outputs } = step.uses
      ? await runUses(state, step, { ...place, inputs: evaluated(step.with ?? {}, contexts) })
      : await runScript(state, step, { place, env, name: `${id}-${index}` });
    if (step.id) steps[step.id] = { outputs, outcome: succeeded ? 'success' : 'failure' };
    if (!succeeded) contexts.status = 'failure';
  }
  run.jobs[id] = contexts.status;
  needs[id] = { result: contexts.status, outputs: evaluated(job.outputs ?? {}, contexts) };
}

function runUses({ options }: State, { uses = '' }: WorkflowStep, step: ActionStep): Promise<StepOutcome> {
  const action = options.actions[uses.replace(/@.*/, '')];
  if (!action) throw new Error(`The mini runner was not told of the action ${uses}.`);
  return action(step);
}

/** As GitHub runs `run:` on Linux. */
async function runScript(
  { options, run }: State,
  { run: script = '' }: WorkflowStep,
  { place, env, name }: { place: JobPlace; env: Record<string, string>; name: string },
): Promise<StepOutcome> {
  const files = await createCommandFiles(join(options.directory, 'commands'), name);
  const ended = await promisify(execFile)('bash', ['-e', '-c', script], {
    cwd: place.workspace,
    env: { ...options.env, ...env, ...files.env },
  }).then(
    ({ stdout, stderr }) => ({ succeeded: true, said: stdout + stderr }),
    (error) => ({ succeeded: false, said: `${error.stdout}${error.stderr}${error.message}` }),
  );
  run.log += ended.said;
  const commands = await readCommandFiles(files);
  run.summary += commands.summary;
  return { succeeded: ended.succeeded, outputs: commands.output };
}

function evaluated(given: Record<string, unknown>, contexts: Contexts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, interpolate(String(value), contexts)]),
  );
}
