/** Reads a workflow file, and says whether its `on:` takes an event. */
import { readFile } from 'node:fs/promises';
import picomatch from 'picomatch';
import { parse } from 'yaml';

export interface WorkflowFile {
  name: string;
  on: Record<string, Trigger | null>;
  jobs: Record<string, WorkflowJob>;
}

interface Trigger {
  types?: string[];
  branches?: string[];
  tags?: string[];
  paths?: string[];
  workflows?: string[];
}

export interface WorkflowJob {
  if?: string;
  needs?: string;
  permissions?: Record<string, string>;
  outputs?: Record<string, string>;
  env?: Record<string, string>;
  steps: WorkflowStep[];
}

export interface WorkflowStep {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

export interface WorkflowEvent {
  name: string;
  payload: Record<string, unknown>;
  /** Paths that a push or pull request changes, for `paths:`. */
  changedFiles?: string[];
}

/** The types that an event starts a workflow with when `types` names none. */
const usual: Record<string, string[]> = { pull_request: ['opened', 'synchronize', 'reopened'] };

export async function readWorkflowFile(path: string): Promise<WorkflowFile> {
  return parse(await readFile(path, 'utf8')) as WorkflowFile;
}

/** Null when the event starts the workflow, else what it is that does not fit. */
export function whyNotStarted({ on }: WorkflowFile, event: WorkflowEvent): string | null {
  if (!Object.hasOwn(on, event.name)) return `\`on:\` has no ${event.name}`;
  const { types = usual[event.name], branches, tags, paths, workflows } = on[event.name] ?? {};
  const { action, ref, pull_request, workflow_run } = event.payload as Payload;
  if (types && !types.includes(action ?? '')) return `\`types\` has no ${action}`;
  if (workflows && !workflows.includes(workflow_run?.name ?? '')) return '`workflows` names others';
  const branch = pull_request?.base?.ref ?? workflow_run?.head_branch ?? ref?.replace('refs/heads/', '');
  if (branches && !picomatch(branches)(branch ?? '')) return `\`branches\` has no ${branch}`;
  const tag = /^refs\/tags\/(.+)$/.exec(ref ?? '')?.[1];
  if (tags && !picomatch(tags)(tag ?? '')) return `\`tags\` has no ${tag ?? branch}`;
  if (paths && !event.changedFiles?.some((file) => picomatch(paths, { dot: true })(file))) {
    return '`paths` fits no changed file';
  }
  return null;
}

interface Payload {
  action?: string;
  ref?: string;
  pull_request?: { base?: { ref?: string } };
  workflow_run?: { name?: string; head_branch?: string };
}
