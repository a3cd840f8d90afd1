/** The commit that a `workflow_run`, `check_suite`, `check_run` or `status` is about, and what came of it. */
import type { CheckedCommit } from '../words/event.ts';
import type { Payload } from './payload.ts';

export function readChecked(payload: Payload): CheckedCommit | null {
  const { workflow_run: run, check_suite: suite, check_run: check, sha, state, context, branches } = payload;
  if (sha && state) {
    const branch = branches?.[0]?.name ?? null;
    return { sha, name: context ?? '', result: state, branch, runId: null, pullRequests: [] };
  }
  const given = run ?? suite ?? check;
  if (!given) return null;
  return {
    sha: given.head_sha,
    name: run?.name ?? check?.name ?? suite?.app?.name ?? '',
    result: given.conclusion ?? given.status ?? 'unknown',
    branch: run?.head_branch ?? suite?.head_branch ?? check?.check_suite?.head_branch ?? null,
    runId: run?.id ?? null,
    // GitHub also names those that a fork has opened within itself.
    pullRequests: (given.pull_requests ?? [])
      .filter(({ base }) => base.repo.id === payload.repository?.id)
      .map(({ number }) => number),
  };
}
