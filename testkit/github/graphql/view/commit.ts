/** GraphQL: refs, commits and other git objects. */
import {
  type Commit,
  readCommit,
  readFileAt,
  readLog,
  readTree,
  resolveObject,
  type Signature,
  type TreeEntry,
} from '../../git/history.ts';
import { readRef } from '../../git/refs.ts';
import type { CheckRun, CommitStatus, PullRequest, Repository } from '../../model.ts';
import { isVerified, userBehind } from '../../render/commit.ts';
import { repositoryPage } from '../../render/repository.ts';
import { latestStatuses, rollupOf } from '../../state/checks.ts';
import { nodeIdOf } from '../../store.ts';
import { connection, type PageArguments } from '../connection.ts';
import { userView } from './actor.ts';
import type { Request, View } from './view.ts';

/** A ref by its full name; null when there is none. */
export function refView(request: Request, repository: Repository, ref: string): View | null {
  const sha = readRef(repository.directory, ref);
  if (!sha) return null;
  const [prefix, name] = [ref.replace(/^(refs\/[^/]+\/).*/, '$1'), ref.replace(/^refs\/[^/]+\//, '')];
  return {
    __typename: 'Ref',
    id: refNodeId(repository, ref),
    name,
    prefix,
    target: () => commitAt(request, repository, sha),
    repository: () => request.show(repository),
    branchProtectionRule: null,
    associatedPullRequests: connection(
      () => pullsFrom(repository, name),
      (pull) => request.show(pull),
    ),
  };
}

/** Node ids of refs are not kept in the store: they hold the repository's id and the name. */
function refNodeId(repository: Repository, ref: string): string {
  return nodeIdOf('REF', `${repository.id}:${ref}`);
}

/** The repository id and full name behind a ref's node id; null for other ids. */
export function parseRefNodeId(nodeId: string): { repositoryId: number; ref: string } | null {
  const text = nodeId.startsWith('REF_kwDO')
    ? Buffer.from(nodeId.slice('REF_kwDO'.length), 'base64url').toString()
    : '';
  const match = /^(\d+):(.+)$/.exec(text);
  return match ? { repositoryId: Number(match[1]), ref: match[2]! } : null;
}

export async function commitAt(request: Request, repository: Repository, sha: string): Promise<View | null> {
  const commit = await readCommit(repository.directory, sha);
  return commit && commitView(request, repository, commit);
}

export function commitView(request: Request, repository: Repository, commit: Commit): View {
  const [headline, ...rest] = commit.message.split('\n');
  const url = `${repositoryPage(request.store, repository)}/commit/${commit.sha}`;
  const verified = isVerified(request.store, commit);
  return {
    __typename: 'Commit',
    id: nodeIdOf('C', commit.sha),
    oid: commit.sha,
    abbreviatedOid: commit.sha.slice(0, 7),
    message: commit.message,
    messageHeadline: headline,
    messageBody: rest.join('\n').trim(),
    url,
    commitUrl: url,
    author: () => gitActor(request, commit.author),
    committer: () => gitActor(request, commit.committer),
    authoredDate: commit.author.date,
    committedDate: commit.committer.date,
    pushedDate: null,
    tree: { __typename: 'Tree', oid: commit.tree },
    parents: connection(
      () => commit.parents,
      (sha) => commitAt(request, repository, sha),
    ),
    history: connection(
      () => readLog(repository.directory, [commit.sha]),
      (one) => commitView(request, repository, one),
    ),
    repository: () => request.show(repository),
    status: null,
    statusCheckRollup: () => rollupView(repository, commit.sha),
    signature: commit.signed || verified ? signatureView(verified) : null,
  };
}

/** `object(oid:, expression:)` */
export async function objectView(
  request: Request,
  repository: Repository,
  expression: string,
): Promise<View | null> {
  const found = await resolveObject(repository.directory, expression);
  if (!found) return null;
  if (found.type === 'commit') return commitAt(request, repository, found.sha);
  const common = {
    id: nodeIdOf(found.type === 'tree' ? 'T' : 'B', found.sha),
    oid: found.sha,
    abbreviatedOid: found.sha.slice(0, 7),
  };
  if (found.type === 'tree') {
    return { __typename: 'Tree', ...common, entries: () => entryViews(request, repository, found.sha) };
  }
  const bytes =
    (await readFileAt(
      repository.directory,
      expression.split(':')[0]!,
      expression.split(/:(.*)/s)[1] ?? '',
    )) ?? Buffer.alloc(0);
  const isBinary = bytes.includes(0);
  return {
    __typename: 'Blob',
    ...common,
    byteSize: found.size,
    isBinary,
    isTruncated: false,
    text: isBinary ? null : bytes.toString(),
  };
}

/** `StatusCheckRollup` */
export function rollupView(repository: Repository, sha: string): View | null {
  const state = rollupOf(repository, sha);
  if (!state) return null;
  const checks = repository.checks.filter((check) => check.headSha === sha);
  const statuses = latestStatuses(repository, sha);
  return {
    __typename: 'StatusCheckRollup',
    id: nodeIdOf('SCR', sha),
    state,
    contexts: connection(
      (_: PageArguments) => [...checks, ...statuses],
      (one) => ('context' in one ? statusView(one) : checkView(one)),
    ),
  };
}

function checkView(check: CheckRun): View {
  return {
    __typename: 'CheckRun',
    id: check.nodeId,
    name: check.name,
    status: check.status.toUpperCase(),
    conclusion: check.conclusion?.toUpperCase() ?? null,
    title: check.title,
    detailsUrl: check.detailsUrl,
  };
}

function statusView(status: CommitStatus): View {
  return {
    __typename: 'StatusContext',
    id: status.nodeId,
    context: status.context,
    state: status.state.toUpperCase(),
    description: status.description,
    targetUrl: status.targetUrl,
    createdAt: status.createdAt,
  };
}

function gitActor(request: Request, person: Signature) {
  const user = userBehind(request.store, person.email);
  return { __typename: 'GitActor', ...person, avatarUrl: '', user: () => user && userView(request, user) };
}

function signatureView(verified: boolean): View {
  return {
    __typename: 'GpgSignature',
    isValid: verified,
    state: verified ? 'VALID' : 'UNKNOWN_KEY',
    wasSignedByGitHub: verified,
    email: '',
    payload: '',
    signature: '',
  };
}

async function entryViews(request: Request, repository: Repository, tree: string) {
  const entries = (await readTree(repository.directory, tree)) ?? [];
  return entries.map((entry: TreeEntry) => ({
    __typename: 'TreeEntry',
    name: entry.path,
    path: entry.path,
    type: entry.type,
    oid: entry.sha,
    mode: Number.parseInt(entry.mode, 8),
    object: () => objectView(request, repository, entry.sha),
  }));
}

function pullsFrom(repository: Repository, branch: string): PullRequest[] {
  return [...repository.subjects.values()].filter(
    (subject): subject is PullRequest =>
      subject.kind === 'pull' && subject.head.repository === repository && subject.head.ref === branch,
  );
}
