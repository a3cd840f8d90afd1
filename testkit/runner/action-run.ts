/** What the mini Actions runner is told about a run, and what it tells afterwards. */
import type { JobStatus } from './expression.ts';
import type { Job } from './job.ts';
import type { Annotation } from './job-log.ts';
import type { PeakMemory, SurvivingProcess } from './run-watch.ts';
import type { StepEnd } from './step-process.ts';

export interface ActionOptions extends Job {
  /** Directory with the action.yml. */
  action: string;
  inputs?: Record<string, string>;
  /** The job's further environment. Like GitHub, the runner's own `GITHUB_*` and `RUNNER_*` variables win. */
  env?: Record<string, string>;
  /** Secrets of the job: masked from the start. */
  secrets?: string[];
  /** Cancels the run: so many milliseconds after main has started, or when it resolves. */
  cancelAfter?: number | Promise<unknown>;
  /** SIGKILLs main, as a runner that runs out of memory would. Post runs all the same. */
  killMain?: Promise<unknown>;
  /** Factor for GitHub's cancel times (7.5 s, 2.5 s, and 5 minutes for post); 1 by default. */
  cancelScale?: number;
  /** Longest time for main, and again for post; then they are cancelled. 5 minutes by default. */
  timeoutMs?: number;
  /** Called with each line of the log as GitHub would show it. */
  onOutput?: (line: string) => void;
  /** Measures the peak memory of all processes of the run. */
  measure?: boolean;
  /** Keeps the runner's directories (`directory` of the result) instead of removing them. */
  keep?: boolean;
  /** A tool cache that outlives the run, as a self-hosted runner's does. */
  toolCache?: string;
  /** Runs the job with debug logging. */
  debug?: boolean;
  /** The Node to run the action with; this one by default. */
  node?: string;
}

export interface ActionRun {
  /** How the job would end. */
  status: JobStatus;
  main: StepEnd;
  /** Null when the action has no post, or its condition did not hold. */
  post: StepEnd | null;
  /** Main's outputs, those that action.yml declares. */
  outputs: Record<string, string>;
  undeclaredOutputs: Record<string, string>;
  state: Record<string, string>;
  /** The values that were masked, in order, without `secrets` and `token`. */
  masks: string[];
  annotations: Annotation[];
  /** The job summary (Markdown, masked) of main and post. */
  summary: string;
  /** The log as GitHub would show it, without the header that GitHub prints before a step. */
  log: string;
  /** What the processes wrote, unmasked. */
  rawLog: string;
  /** What later steps of the job would find changed. `path` in the order in which it was added. */
  environment: { variables: Record<string, string>; path: string[] };
  /** Processes that were alive when main had ended, before post. */
  survivors: SurvivingProcess[];
  /** Processes that were alive after post. They are dead now. */
  leftovers: SurvivingProcess[];
  /** Null unless `measure`. */
  peakMemory: PeakMemory | null;
  /** The runner's directories; removed unless `keep`. */
  directory: string;
}
