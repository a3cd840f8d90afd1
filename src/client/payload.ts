/** What a task becomes in the `client_payload` of a `repository_dispatch`, within GitHub's bounds. */
import { readDispatch } from '../words/dispatch.ts';
import { AppError } from '../words/errors.ts';

/** A task for Claude. What is absent is as the workflow has it. */
export interface Task {
  /** What to do or to answer, in words. */
  task: string;
  /** An `https` address that progress is posted to. */
  progressEndpoint?: string;
  /** Found again in each progress event: 1 to 200 printable ASCII characters. Made when absent. */
  correlationId?: string;
  /** Where the work starts; the default branch when absent. */
  baseBranch?: string;
  /** Where the work goes: a new branch, or one that Forgehand made. */
  branch?: string;
  /** The issue, or the pull request, that the task is about; one of them at most. */
  issueNumber?: number;
  pullNumber?: number;
  createPullRequest?: 'link' | 'draft' | 'ready';
  model?: string;
  /** These two may only lower what the workflow allows. */
  maxTurns?: number;
  maxBudgetUsd?: number;
  /** An earlier session of the same repository, to go on with. */
  sessionId?: string;
  /** JSON Schema of the structured answer. */
  jsonSchema?: Record<string, unknown>;
}

/** GitHub's: https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event */
const mostMembers = 10;
const mostBytes = 65_535;

/** @throws AppError `invalid_input` that names what Forgehand or GitHub would refuse. */
export function clientPayloadOf(task: Task): Record<string, unknown> {
  const payload = Object.fromEntries(
    Object.entries({
      description: task.task,
      progress_endpoint: task.progressEndpoint,
      correlation_id: task.correlationId,
      base_branch: task.baseBranch,
      branch: task.branch,
      issue_number: task.issueNumber,
      pull_number: task.pullNumber,
      create_pull_request: task.createPullRequest,
      model: task.model,
      max_turns: task.maxTurns,
      max_budget_usd: task.maxBudgetUsd,
      session_id: task.sessionId,
      json_schema: task.jsonSchema,
    }).filter(([, value]) => value !== undefined && value !== null),
  );
  readDispatch(payload);
  if (task.progressEndpoint && !URL.canParse(task.progressEndpoint)) {
    throw new AppError('invalid_input', '`client_payload.progress_endpoint` is not an address.', {
      remedy: 'Give the whole address, such as `https://api.example.com/progress`.',
    });
  }
  keepBounds(payload);
  return payload;
}

function keepBounds(payload: Record<string, unknown>): void {
  const members = Object.keys(payload);
  if (members.length > mostMembers) {
    throw new AppError(
      'invalid_input',
      `\`client_payload\` would have ${members.length} members, and GitHub takes ${mostMembers}: ${members.join(', ')}.`,
      { remedy: 'Leave some out, and set in the workflow what is the same for every task.' },
    );
  }
  const bytes = Buffer.byteLength(JSON.stringify(payload));
  if (bytes > mostBytes) {
    throw new AppError(
      'invalid_input',
      `\`client_payload\` would have ${bytes} bytes, and GitHub takes ${mostBytes}.`,
      { remedy: 'Shorten the task: put what is long into the repository or an issue, and name it.' },
    );
  }
}
