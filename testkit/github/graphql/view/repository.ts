/** GraphQL: repositories and the lists in them. */
import { type Need, roleOf } from '../../access.ts';
import { readFileAt, readTree } from '../../git/history.ts';
import { listRefs } from '../../git/refs.ts';
import type { Issue, PullRequest, Repository, Subject } from '../../model.ts';
import { repositoryPage } from '../../render/repository.ts';
import { fullName } from '../../store.ts';
import { connection, type PageArguments } from '../connection.ts';
import { mayRead } from '../permission.ts';
import { problem } from '../problem.ts';
import { actorView } from './actor.ts';
import { objectView, refView } from './commit.ts';
import { labelView } from './issue.ts';
import type { Request, View } from './view.ts';

export function repositoryView(request: Request, repository: Repository): View {
  const { store, identity } = request;
  const url = repositoryPage(store, repository);
  const viewer = identity.kind === 'token' ? identity.token : null;
  return {
    __typename: 'Repository',
    id: repository.nodeId,
    databaseId: repository.id,
    name: repository.name,
    nameWithOwner: fullName(repository),
    owner: () => actorView(request, repository.owner),
    description: repository.description,
    url,
    resourcePath: `/${fullName(repository)}`,
    sshUrl: `git@${new URL(url).host}:${fullName(repository)}.git`,
    homepageUrl: null,
    isPrivate: repository.private,
    isFork: repository.parent !== null,
    isArchived: false,
    isDisabled: false,
    isEmpty: listRefs(repository.directory, 'refs/heads/').size === 0,
    isInOrganization: repository.owner.type === 'Organization',
    visibility: repository.private ? 'PRIVATE' : 'PUBLIC',
    createdAt: repository.createdAt,
    updatedAt: repository.updatedAt,
    pushedAt: repository.updatedAt,
    parent: () => repository.parent && repositoryView(request, repository.parent),
    viewerPermission: viewer ? roleOf(repository, viewer.user).toUpperCase().replace('NONE', 'READ') : 'READ',
    ...gitFields(request, repository),
    ...subjectLists(request, repository),
    labels: connection(
      () => repository.labels,
      (label) => labelView(request, label),
    ),
    label: ({ name }: { name: string }) => {
      const found = repository.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
      return found ? labelView(request, found) : null;
    },
  };
}

function gitFields(request: Request, repository: Repository): Record<string, unknown> {
  const full = (name: string) =>
    name.startsWith('refs/') ? name : `refs/heads/${name.replace(/^heads\//, '')}`;
  return {
    pullRequestTemplates: () => templatesOf(repository),
    defaultBranchRef: () => refView(request, repository, `refs/heads/${repository.defaultBranch}`),
    ref: ({ qualifiedName }: { qualifiedName: string }) => refView(request, repository, full(qualifiedName)),
    refs: connection(
      (args: PageArguments & { refPrefix: string; query?: string | null }) =>
        [...listRefs(repository.directory, args.refPrefix).keys()].filter((name) =>
          name.includes(args.query ?? ''),
        ),
      (name) => refView(request, repository, name),
    ),
    object: ({ oid, expression }: { oid?: string; expression?: string }) =>
      objectView(request, repository, oid ?? expression ?? ''),
  };
}

type Filter = PageArguments & {
  states?: string[] | null;
  labels?: string[] | null;
  headRefName?: string | null;
  baseRefName?: string | null;
  orderBy?: { field: string; direction: string } | null;
};

function subjectLists(request: Request, repository: Repository): Record<string, unknown> {
  const find = (number: number, kind: Subject['kind'] | null, words: string) => {
    const found = repository.subjects.get(number);
    if (!found || (kind && found.kind !== kind)) {
      throw problem('NOT_FOUND', `Could not resolve to ${words} with the number of ${number}.`);
    }
    const needs: Need[] = found.kind === 'pull' ? ['pull_requests:read'] : ['issues:read'];
    mayRead(request, repository, needs);
    return found;
  };
  return {
    issue: ({ number }: { number: number }) => request.show(find(number, 'issue', 'an Issue') as Issue),
    pullRequest: ({ number }: { number: number }) =>
      request.show(find(number, 'pull', 'a PullRequest') as PullRequest),
    issueOrPullRequest: ({ number }: { number: number }) =>
      request.show(find(number, null, 'an issue or pull request')),
    discussion: ({ number }: { number: number }) => {
      const found = repository.discussions.get(number);
      if (!found)
        throw problem('NOT_FOUND', `Could not resolve to a Discussion with the number of ${number}.`);
      mayRead(request, repository, ['discussions:read']);
      return request.show(found);
    },
    issues: connection(
      (args: Filter) => filtered(request, repository, args).filter((subject) => subject.kind === 'issue'),
      (issue) => request.show(issue),
    ),
    pullRequests: connection(
      (args: Filter) => filtered(request, repository, args).filter((subject) => subject.kind === 'pull'),
      (pull) => request.show(pull),
    ),
  };
}

function filtered(request: Request, repository: Repository, args: Filter): Subject[] {
  mayRead(request, repository, ['issues:read', 'pull_requests:read']);
  const found = request.store.subjects(repository).filter((subject) => {
    const state = subject.kind === 'pull' && subject.mergedAt ? 'MERGED' : subject.state.toUpperCase();
    const ends = subject.kind === 'pull' ? subject : null;
    return (
      (!args.states || args.states.includes(state)) &&
      (!args.labels || subject.labels.some((label) => args.labels!.includes(label.name))) &&
      (!args.headRefName || ends?.head.ref === args.headRefName) &&
      (!args.baseRefName || ends?.base.ref === args.baseRefName)
    );
  });
  return args.orderBy?.direction === 'DESC' ? found.reverse() : found;
}

/** Of the default branch, where GitHub looks for them. */
async function templatesOf({ directory, defaultBranch }: Repository): Promise<View[]> {
  const entries = (await readTree(directory, defaultBranch, true)) ?? [];
  const place =
    /^(?:\.github\/|docs\/)?(?:pull_request_template\.(?:md|txt)|pull_request_template\/[^/]+\.md)$/i;
  return Promise.all(
    entries
      .filter(({ type, path }) => type === 'blob' && place.test(path))
      .map(async ({ path }) => ({
        __typename: 'PullRequestTemplate',
        filename: path.split('/').at(-1),
        body: (await readFileAt(directory, defaultBranch, path))?.toString('utf8') ?? null,
      })),
  );
}
