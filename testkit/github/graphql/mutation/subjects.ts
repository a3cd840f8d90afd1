/** GraphQL mutations: issues and pull requests themselves. */
import type { Label, PullRequest } from '../../model.ts';
import { changeSubject, createIssue, type SubjectChange, setLabels } from '../../state/issues.ts';
import { createPullRequest } from '../../state/pulls.ts';
import { recordOf } from '../node.ts';
import { mayWrite } from '../permission.ts';
import { problem } from '../problem.ts';
import { issueView } from '../view/issue.ts';
import { pullView } from '../view/pull.ts';
import type { Request } from '../view/view.ts';
import { demandWrite, mutation, viewerOf } from './mutation.ts';

interface NewPull {
  repositoryId: string;
  baseRefName: string;
  headRefName: string;
  title: string;
  body?: string | null;
  draft?: boolean | null;
  maintainerCanModify?: boolean | null;
}

type Change = { title?: string | null; body?: string | null; state?: string | null };

export function subjectMutations(request: Request): Record<string, unknown> {
  const { store } = request;
  const change = (id: string, given: SubjectChange) => {
    const subject = recordOf(request, id, ['issue', 'pull']);
    demandWrite(request, subject, 'triage');
    changeSubject(store, subject, given, viewerOf(request));
    return request.show(subject);
  };
  const draft = (id: string, value: boolean) => {
    const pull = recordOf(request, id, ['pull']);
    demandWrite(request, pull, 'write');
    pull.draft = value;
    return { pullRequest: pullView(request, pull) };
  };
  const relabel = (id: string, labels: (current: string[]) => string[]) => {
    const subject = recordOf(request, id, ['issue', 'pull']);
    demandWrite(request, subject, 'triage');
    setLabels(store, subject, labels(subject.labels.map((label) => label.name)), viewerOf(request));
    return { labelable: request.show(subject) };
  };
  const names = (ids: string[]) => ids.map((id) => (recordOf(request, id, ['label']) as Label).name);
  return {
    createIssue: mutation((input: { repositoryId: string; title: string; body?: string | null }) => {
      const repository = recordOf(request, input.repositoryId, ['repository']);
      mayWrite(request, repository, ['issues:write'], 'read');
      const { title, body } = input;
      return {
        issue: issueView(
          request,
          createIssue(store, repository, { title, body: body ?? '', author: viewerOf(request).login }),
        ),
      };
    }),
    updateIssue: mutation((input: Change & { id: string }) => ({ issue: change(input.id, present(input)) })),
    updatePullRequest: mutation((input: Change & { pullRequestId: string }) => ({
      pullRequest: change(input.pullRequestId, present(input)),
    })),
    closeIssue: mutation((input: { issueId: string }) => ({
      issue: change(input.issueId, { state: 'closed' }),
    })),
    reopenIssue: mutation((input: { issueId: string }) => ({
      issue: change(input.issueId, { state: 'open' }),
    })),
    closePullRequest: mutation((input: { pullRequestId: string }) => ({
      pullRequest: change(input.pullRequestId, { state: 'closed' }),
    })),
    markPullRequestReadyForReview: mutation((input: { pullRequestId: string }) =>
      draft(input.pullRequestId, false),
    ),
    convertPullRequestToDraft: mutation((input: { pullRequestId: string }) =>
      draft(input.pullRequestId, true),
    ),
    addLabelsToLabelable: mutation((input: { labelableId: string; labelIds: string[] }) =>
      relabel(input.labelableId, (current) => [...current, ...names(input.labelIds)]),
    ),
    removeLabelsFromLabelable: mutation((input: { labelableId: string; labelIds: string[] }) =>
      relabel(input.labelableId, (current) =>
        current.filter((name) => !names(input.labelIds).includes(name)),
      ),
    ),
    createPullRequest: mutation(async (input: NewPull) => ({
      pullRequest: pullView(request, await open(request, input)),
    })),
  };
}

async function open(request: Request, input: NewPull): Promise<PullRequest> {
  const repository = recordOf(request, input.repositoryId, ['repository']);
  mayWrite(request, repository, ['pull_requests:write'], 'read');
  try {
    return await createPullRequest(request.store, repository, {
      title: input.title,
      body: input.body ?? '',
      head: input.headRefName.replace(/^refs\/heads\//, ''),
      base: input.baseRefName.replace(/^refs\/heads\//, ''),
      draft: input.draft ?? false,
      maintainerCanModify: input.maintainerCanModify ?? undefined,
      author: viewerOf(request).login,
    });
  } catch (error) {
    throw problem('UNPROCESSABLE', error instanceof Error ? error.message : String(error));
  }
}

function present(input: Change): SubjectChange {
  return {
    ...(input.title ? { title: input.title } : {}),
    ...(typeof input.body === 'string' ? { body: input.body } : {}),
    ...(input.state ? { state: input.state.toLowerCase() as 'open' | 'closed' } : {}),
  };
}
