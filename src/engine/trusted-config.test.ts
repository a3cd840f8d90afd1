import { expect, test } from 'vitest';
import type { Task } from '../words/task.ts';
import type { Door } from './door.ts';
import { trustsCheckout } from './trusted-config.ts';

const ofEvent = 'a'.repeat(40);
const other = 'b'.repeat(40);

const issue = { subject: { kind: 'issue' }, mode: 'tag' };
const pull = { subject: { kind: 'pull_request' } };
const nothing = { subject: null };
const dispatch = (branch?: string) => ({ ...nothing, trigger: { kind: 'dispatch', dispatch: { branch } } });

interface Given {
  event: string;
  task: object;
  headSha?: string | null;
  ref?: string;
  resume?: boolean;
}

function trusts({ event, task, headSha = ofEvent, ref = 'refs/heads/main', resume }: Given): boolean {
  const job = { GITHUB_EVENT_NAME: event, GITHUB_SHA: ofEvent, GITHUB_REF: ref };
  const config = { branchPrefix: 'claude/', branchNameTemplate: null, resume };
  const door = { job, config } as unknown as Door;
  return trustsCheckout({ trigger: { kind: 'prompt' }, ...task } as Task, door, headSha);
}

test.each<[string, Given]>([
  ['a comment on an issue', { event: 'issue_comment', task: issue }],
  ['a push', { event: 'push', task: nothing }],
  ['a schedule, which has no conversation', { event: 'schedule', task: nothing, resume: true }],
  ['a push of a tag', { event: 'push', task: nothing, ref: 'refs/tags/claude/1' }],
  ['a release', { event: 'release', task: nothing, ref: 'refs/tags/v1' }],
  ['a discussion', { event: 'discussion', task: nothing }],
  ['a comment on a discussion', { event: 'discussion_comment', task: nothing }],
  ['a schedule', { event: 'schedule', task: nothing }],
  ['a schedule without a checkout', { event: 'schedule', task: nothing, headSha: null }],
  ['a dispatch', { event: 'repository_dispatch', task: dispatch() }],
])('%s: the checkout is the repository’s own', (_, given) => {
  expect(trusts(given)).toBe(true);
});

test.each<[string, Given]>([
  ['a pull request', { event: 'pull_request', task: pull }],
  ['a pull request that has the base checked out', { event: 'pull_request_target', task: pull }],
  ['a comment on a pull request', { event: 'issue_comment', task: pull }],
  ['a review', { event: 'pull_request_review', task: pull }],
  ['another workflow’s end', { event: 'workflow_run', task: nothing }],
  ['a check', { event: 'check_run', task: nothing }],
  ['several checks', { event: 'check_suite', task: nothing }],
  ['a status', { event: 'status', task: nothing }],
  ['a deployment', { event: 'deployment_status', task: nothing }],
  ['a merge queue', { event: 'merge_group', task: nothing }],
  ['a push to a branch of Claude’s', { event: 'push', task: nothing, ref: 'refs/heads/claude/issue-7' }],
  ['an issue whose conversation may go on', { event: 'issue_comment', task: issue, resume: true }],
  [
    'a workflow that has checked out something else',
    { event: 'workflow_dispatch', task: nothing, headSha: other },
  ],
  ['a mention where something else is checked out', { event: 'issue_comment', task: issue, headSha: other }],
  [
    'a dispatch to a branch that Claude may have written',
    { event: 'repository_dispatch', task: dispatch('issue-7') },
  ],
])('%s: somebody may have proposed what is checked out', (_, given) => {
  expect(trusts(given)).toBe(false);
});
