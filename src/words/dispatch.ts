/** What a backend asks for in the `client_payload` of a `repository_dispatch`. */
import * as z from 'zod/mini';
import { AppError } from './errors.ts';

const line = (what: string, longest: number) =>
  z
    .string(`${what} must be a text`)
    .check(
      z.regex(/\S/, `${what} must not be empty`),
      z.maxLength(longest, `${what} must have at most ${longest} characters`),
    );
const whole = (what: string) =>
  z
    .number(`${what} must be a number`)
    .check(z.int(`${what} must be whole`), z.minimum(1, `${what} must be at least 1`));

/** Members of other names are the workflow's own, and none of our business. */
const payload = z.looseObject({
  description: line('`client_payload.description`', 200_000),
  progress_endpoint: z.nullish(line('`client_payload.progress_endpoint`', 2_000)),
  correlation_id: z.nullish(
    line('`client_payload.correlation_id`', 200).check(
      z.regex(/^[\x21-\x7e]*$/, '`client_payload.correlation_id` must be printable ASCII without spaces'),
    ),
  ),
  base_branch: z.nullish(line('`client_payload.base_branch`', 250)),
  branch: z.nullish(line('`client_payload.branch`', 250)),
  issue_number: z.nullish(whole('`client_payload.issue_number`')),
  pull_number: z.nullish(whole('`client_payload.pull_number`')),
  create_pull_request: z.nullish(
    z.enum(
      ['link', 'draft', 'ready'],
      '`client_payload.create_pull_request` must be `link`, `draft` or `ready`',
    ),
  ),
  model: z.nullish(line('`client_payload.model`', 200)),
  max_turns: z.nullish(whole('`client_payload.max_turns`')),
  max_budget_usd: z.nullish(
    z
      .number('`client_payload.max_budget_usd` must be a number')
      .check(z.gt(0, '`client_payload.max_budget_usd` must be greater than 0')),
  ),
  session_id: z.nullish(z.uuid('`client_payload.session_id` must be a UUID')),
  json_schema: z.nullish(
    z.record(z.string(), z.unknown(), '`client_payload.json_schema` must be a JSON object'),
  ),
});

export interface Dispatch {
  /** The task. */
  description: string;
  /** As given: checked by whoever sends to it. */
  progressEndpoint: string | null;
  correlationId: string | null;
  baseBranch: string | null;
  branch: string | null;
  /** What the task is about; its kind is what the payload claims. */
  subject: { kind: 'issue' | 'pull_request'; number: number } | null;
  createPullRequest: 'link' | 'draft' | 'ready' | null;
  model: string | null;
  /** These two may only lower what the workflow allows. */
  maxTurns: number | null;
  maxBudgetUsd: number | null;
  sessionId: string | null;
  jsonSchema: Record<string, unknown> | null;
}

/** @throws AppError `invalid_input` that names each field which does not fit. */
export function readDispatch(clientPayload: Record<string, unknown>): Dispatch {
  const given = payload.safeParse(clientPayload);
  if (!given.success) {
    const problems = given.error.issues.map(({ message, path }) =>
      message.includes('client_payload') ? message : `\`client_payload.${path.join('.')}\`: ${message}`,
    );
    throw refused(`${[...new Set(problems)].join('. ')}.`);
  }
  const { issue_number: issue, pull_number: pull, ...rest } = given.data;
  if (issue && pull)
    throw refused('`client_payload` names both `issue_number` and `pull_number`; only one can be worked on.');
  if (pull && rest.branch)
    throw refused('`client_payload.branch` does not go with `pull_number`, whose own branch is worked on.');
  return {
    description: rest.description,
    progressEndpoint: rest.progress_endpoint ?? null,
    correlationId: rest.correlation_id ?? null,
    baseBranch: rest.base_branch ?? null,
    branch: rest.branch ?? null,
    subject: issue ? { kind: 'issue', number: issue } : pull ? { kind: 'pull_request', number: pull } : null,
    createPullRequest: rest.create_pull_request ?? null,
    model: rest.model ?? null,
    maxTurns: rest.max_turns ?? null,
    maxBudgetUsd: rest.max_budget_usd ?? null,
    sessionId: rest.session_id ?? null,
    jsonSchema: rest.json_schema ?? null,
  };
}

function refused(message: string): AppError {
  return new AppError('invalid_input', message, {
    remedy: 'Send the dispatch again with `client_payload` as docs/dispatch.md describes it.',
  });
}
