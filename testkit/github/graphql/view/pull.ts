/** GraphQL: pull requests. */
import type { FileChange } from '../../git/diff.ts';
import type { Commit } from '../../git/history.ts';
import type { PullRequest, Review, User } from '../../model.ts';
import { comparisonOf, followBranch } from '../../state/pulls.ts';
import { connection, type PageArguments } from '../connection.ts';
import { actorView, userView } from './actor.ts';
import { commitAt, commitView, refView, rollupView } from './commit.ts';
import { closedBy, subjectFields } from './issue.ts';
import { reviewView, threadView } from './review.ts';
import type { Request, View } from './view.ts';

const changeTypes: Record<FileChange['status'], string> = {
  added: 'ADDED',
  removed: 'DELETED',
  modified: 'MODIFIED',
  renamed: 'RENAMED',
  copied: 'COPIED',
  changed: 'CHANGED',
};

export async function pullView(request: Request, pull: PullRequest): Promise<View> {
  await followBranch(pull);
  const merged = pull.mergedAt !== null;
  return {
    __typename: 'PullRequest',
    ...subjectFields(request, pull),
    ...endFields(request, pull),
    ...diffFields(request, pull),
    ...reviewFields(request, pull),
    permalink: `${request.store.site.serverUrl}/${pull.repository.owner.login}/${pull.repository.name}/pull/${pull.number}`,
    state: merged ? 'MERGED' : pull.state.toUpperCase(),
    isDraft: pull.draft,
    merged,
    mergedAt: pull.mergedAt,
    mergedBy: () => actorView(request, pull.mergedBy),
    mergeCommit: () => (pull.mergeCommitSha ? commitAt(request, pull.repository, pull.mergeCommitSha) : null),
    mergeable: pull.state === 'open' ? 'MERGEABLE' : 'UNKNOWN',
    mergeStateStatus: pull.draft ? 'DRAFT' : 'CLEAN',
    closingIssuesReferences: connection(
      () => closedBy(pull.repository, pull.body),
      (issue) => request.show(issue),
    ),
    statusCheckRollup: () => rollupView(pull.repository, pull.head.sha),
  };
}

function endFields(request: Request, pull: PullRequest): Record<string, unknown> {
  const { base, head, repository } = pull;
  return {
    baseRefName: base.ref,
    baseRefOid: base.sha,
    baseRef: () => refView(request, repository, `refs/heads/${base.ref}`),
    baseRepository: () => request.show(repository),
    headRefName: head.ref,
    headRefOid: head.sha,
    headRef: () => head.repository && refView(request, head.repository, `refs/heads/${head.ref}`),
    headRepository: () => head.repository && request.show(head.repository),
    headRepositoryOwner: () => actorView(request, head.owner),
    isCrossRepository: head.repository !== repository,
    maintainerCanModify: pull.maintainerCanModify,
  };
}

function diffFields(request: Request, pull: PullRequest): Record<string, unknown> {
  const sum = async (count: (file: FileChange) => number) =>
    (await comparisonOf(pull)).files.reduce((total, file) => total + count(file), 0);
  return {
    additions: () => sum((file) => file.additions),
    deletions: () => sum((file) => file.deletions),
    changedFiles: () => sum(() => 1),
    files: connection(
      async () => (await comparisonOf(pull)).files,
      (file: FileChange) => ({
        __typename: 'PullRequestChangedFile',
        path: file.path,
        additions: file.additions,
        deletions: file.deletions,
        changeType: changeTypes[file.status],
        viewerViewedState: 'UNVIEWED',
      }),
    ),
    commits: connection(
      async () => (await comparisonOf(pull)).commits,
      (commit: Commit) => ({
        __typename: 'PullRequestCommit',
        id: `PURC_${pull.id}_${commit.sha}`,
        commit: () => commitView(request, pull.repository, commit),
        pullRequest: () => request.show(pull),
      }),
    ),
  };
}

type ReviewArguments = PageArguments & { states?: string[] | null; author?: string | null };

function reviewFields(request: Request, pull: PullRequest): Record<string, unknown> {
  const shown = () => pull.reviews.filter((review) => review.state !== 'PENDING');
  const latest = () => [...new Map(shown().map((review) => [review.author, review])).values()];
  return {
    reviews: connection(
      (args: ReviewArguments) =>
        shown().filter(
          (review) =>
            (!args.states || args.states.includes(review.state)) &&
            (!args.author || review.author?.login === args.author),
        ),
      (review: Review) => reviewView(request, review),
    ),
    latestReviews: connection(latest, (review) => reviewView(request, review)),
    reviewThreads: connection(
      () => pull.threads.filter((thread) => thread.comments.some((comment) => !comment.deleted)),
      (thread) => threadView(request, thread),
    ),
    reviewDecision: () => decision(latest()),
    reviewRequests: connection(
      () => pull.requestedReviewers,
      (user: User) => ({
        __typename: 'ReviewRequest',
        id: `RR_${user.id}`,
        requestedReviewer: () => userView(request, user),
      }),
    ),
  };
}

function decision(latest: Review[]): string | null {
  if (latest.some((review) => review.state === 'CHANGES_REQUESTED')) return 'CHANGES_REQUESTED';
  return latest.some((review) => review.state === 'APPROVED') ? 'APPROVED' : null;
}
