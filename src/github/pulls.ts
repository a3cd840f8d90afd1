/** Pull requests: created once whatever becomes of the answer, found by their branch, changed, made ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../words/errors.ts';
import { shown } from '../words/shown.ts';
import { type GitHubClient, statusOf } from './client.ts';

export interface PullPlace {
  owner: string;
  repo: string;
}

/** The fields of GitHub's answer that are used; counts only where one pull request was asked for. */
export interface Pull {
  number: number;
  node_id: string;
  html_url: string;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft?: boolean;
  merged?: boolean;
  commits?: number;
  changed_files?: number;
  head: { ref: string; sha: string; label: string };
}

export interface NewPull {
  title: string;
  body: string;
  /** Who owns the repository that the branch is in, and the branch. */
  head: { owner: string; branch: string };
  base: string;
  draft: boolean;
}

/** Times that a new pull request is tried, and the milliseconds between a lost answer and the look whether it arrived. */
const tries = 3;
const settleMs = 500;

/** The open pull request of a branch; null when there is none. */
export async function findOpenPull(
  client: GitHubClient,
  place: PullPlace,
  head: NewPull['head'],
): Promise<Pull | null> {
  const label = `${head.owner}:${head.branch}`;
  const found = await client.rest<Pull[]>('GET /repos/{owner}/{repo}/pulls', {
    ...place,
    state: 'open',
    head: label,
    per_page: 100,
  });
  // GitHub leaves out a filter that it does not understand, and then answers with everybody's.
  return found.find((pull) => pull.head.label.toLowerCase() === label.toLowerCase()) ?? null;
}

/**
 * Creates it, or finds it when it is there already. Where the repository takes no drafts it is an ordinary one, and a
 * note says so.
 * @throws AppError `invalid_input` with GitHub's words when it refuses; `github_auth`, `github_unavailable`.
 */
export async function createPull(
  client: GitHubClient,
  place: PullPlace,
  pull: NewPull,
): Promise<{ pull: Pull; isNew: boolean; notes: string[] }> {
  let draft = pull.draft;
  const notes: string[] = [];
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { pull: await post(client, place, { ...pull, draft }), isNew: true, notes };
    } catch (error) {
      const said = error instanceof Error ? error.message : '';
      const isLost = error instanceof AppError && error.reason === 'github_unavailable';
      if (isLost && attempt < tries) await sleep(settleMs * attempt);
      if (isLost || /already exists/i.test(said)) {
        const found = await findOpenPull(client, place, pull.head);
        if (found) return { pull: found, isNew: false, notes };
        if (isLost && attempt < tries) continue;
      }
      if (!draft || !/draft pull requests are not supported/i.test(said))
        throw refused(error, `A pull request from ${shown(pull.head.branch)} to ${shown(pull.base)}`);
      draft = false;
      notes.push('This repository does not support draft pull requests, so this one is open for review.');
    }
  }
}

/** @throws AppError `github_auth` when it is not there. */
export async function readPull(client: GitHubClient, place: PullPlace, number: number): Promise<Pull> {
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}';
  try {
    return await client.rest<Pull>(route, { ...place, pull_number: number });
  } catch (error) {
    throw refused(error, `Pull request #${number}`);
  }
}

/** @throws AppError `github_auth` when it is not there, `invalid_input` when GitHub refuses the text. */
export async function changePull(
  client: GitHubClient,
  place: PullPlace,
  { number, ...change }: { number: number; title?: string; body?: string; state?: 'closed' },
): Promise<void> {
  const route = 'PATCH /repos/{owner}/{repo}/pulls/{pull_number}';
  try {
    await client.rest(route, { ...place, pull_number: number, ...change });
  } catch (error) {
    throw refused(error, `The change of pull request #${number}`);
  }
}

const templatesQuery = `query templates($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { pullRequestTemplates { filename body } }
}`;

/** The template that GitHub's own form begins with; null without one, or where it cannot be read. */
export async function readPullTemplate(client: GitHubClient, place: PullPlace): Promise<string | null> {
  type Answer = {
    repository: { pullRequestTemplates: { filename: string | null; body: string | null }[] | null } | null;
  };
  const variables = { owner: place.owner, name: place.repo };
  const answer = await client.graphql<Answer>(templatesQuery, variables).catch(() => null);
  const templates = answer?.repository?.pullRequestTemplates ?? [];
  const preset = templates.find(({ filename }) =>
    /(^|\/)pull_request_template(\.\w+)?$/i.test(filename ?? ''),
  );
  return preset?.body?.replace(/\r\n/g, '\n').trim() || null;
}

/** REST has no way to do this. Doing it again changes nothing. */
export async function markReady(client: GitHubClient, nodeId: string): Promise<void> {
  await client.graphql(
    'mutation MarkReady($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { clientMutationId } }',
    { id: nodeId },
  );
}

function post(client: GitHubClient, place: PullPlace, { head, ...text }: NewPull): Promise<Pull> {
  const name = head.owner === place.owner ? head.branch : `${head.owner}:${head.branch}`;
  return client.rest<Pull>('POST /repos/{owner}/{repo}/pulls', { ...place, ...text, head: name }, 'once');
}

/** GitHub's "no" as an error for a person; what is one already goes on as it is. */
function refused(error: unknown, what: string): unknown {
  const status = statusOf(error);
  if (status === null || !(error instanceof Error)) return error;
  if (status === 404 || status === 410)
    return new AppError('github_auth', `${what}: it is not there, or the credential may not have it.`, {
      cause: error,
    });
  return new AppError('invalid_input', `${what}: GitHub refused it. ${error.message.slice(0, 500)}`, {
    cause: error,
    remedy: 'See that both branches exist, and what the rules of the repository say.',
  });
}
