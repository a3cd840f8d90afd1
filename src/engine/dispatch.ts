/** What a backend's payload changes: the limits it lowers, the issue or pull request it names, the branch it wants. */
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/client.ts';
import { fetchViewer } from '../github/permissions.ts';
import type { Config } from '../words/config.ts';
import type { Dispatch } from '../words/dispatch.ts';
import { AppError } from '../words/errors.ts';
import type { Subject } from '../words/event.ts';
import { shown } from '../words/shown.ts';
import { type Task, taskKey } from '../words/task.ts';
import { validateBranchName } from '../workspace/branch.ts';
import type { Identity } from '../workspace/git.ts';
import type { BranchPlan } from './branch-plan.ts';

/** Money may only be taken away; where the work goes is the payload's to say. */
export function asDispatched(config: Config, dispatch: Dispatch): Config {
  return {
    ...config,
    maxBudgetUsd: lowest(config.maxBudgetUsd, dispatch.maxBudgetUsd),
    baseBranch: dispatch.baseBranch ?? config.baseBranch,
    createPullRequest: dispatch.createPullRequest ?? config.createPullRequest,
  };
}

/** The lower one of two limits; null is none. */
export function lowest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** With an issue or pull request the task is one as if somebody had asked there. @throws AppError `invalid_input` */
export async function withSubject(task: Task, dispatch: Dispatch, client: GitHubClient): Promise<Task> {
  if (!dispatch.subject) return task;
  const { kind, number } = dispatch.subject;
  const subject = await readSubject(task, number, client);
  if (subject?.kind !== kind) {
    const [field, other] =
      kind === 'issue' ? ['issue_number', 'pull_number'] : ['pull_number', 'issue_number'];
    const what = kind === 'issue' ? 'issue' : 'pull request';
    throw wrong(
      field,
      `there is no ${what} #${number} in ${task.key}.`,
      subject ? `Send \`${other}\`.` : undefined,
    );
  }
  return { ...task, key: taskKey(task.repository, subject), subject, mode: 'tag' };
}

interface RestIssue {
  node_id: string;
  title: string;
  body: string | null;
  user: { login: string; id: number; type: string } | null;
  author_association: string;
  state: 'open' | 'closed';
  labels: (string | { name?: string })[];
  html_url: string;
  created_at: string;
  updated_at: string;
  pull_request?: unknown;
}

async function readSubject(
  { repository }: Task,
  number: number,
  client: GitHubClient,
): Promise<Subject | null> {
  const place = { owner: repository.owner, repo: repository.name, issue_number: number };
  const found = await client
    .rest<RestIssue>('GET /repos/{owner}/{repo}/issues/{issue_number}', place)
    .catch((error) => {
      if (statusOf(error) !== 404 && statusOf(error) !== 410) throw error;
      return null;
    });
  return (
    found && {
      kind: found.pull_request ? 'pull_request' : 'issue',
      number,
      nodeId: found.node_id,
      title: found.title,
      body: found.body ?? '',
      author: found.user ?? { login: 'ghost' },
      authorAssociation: found.author_association,
      state: found.state,
      labels: found.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))),
      htmlUrl: found.html_url,
      createdAt: found.created_at,
      updatedAt: found.updated_at,
    }
  );
}

/**
 * The plan with the branch that the payload names: a new one, or one that Forgehand has made before. Nobody else's is
 * written to, as the payload may come from somebody who has only heard of its name.
 * @throws AppError `invalid_input`
 */
export async function onNamedBranch(
  plan: BranchPlan,
  { branch, task, identity }: { branch: string; task: Task; identity: Identity },
  client: GitHubClient,
): Promise<BranchPlan> {
  try {
    validateBranchName(branch);
  } catch (error) {
    throw wrong('branch', (error as Error).message);
  }
  const { owner, name } = task.repository;
  const target = { repository: `${owner}/${name}`, branch };
  if (plan.neverTo.some((never) => never.branch === branch))
    throw wrong('branch', `${shown(branch)} is what the work is to be merged into.`);
  const place = { owner, repo: name };
  const found = await client
    .rest<{ commit: { sha: string }; protected: boolean }>('GET /repos/{owner}/{repo}/branches/{branch}', {
      ...place,
      branch,
    })
    .catch((error) => {
      if (statusOf(error) !== 404) throw error;
      return null;
    });
  if (!found) return { ...plan, targets: [{ ...target, isNew: true }] };
  if (found.protected) throw wrong('branch', `${shown(branch)} is protected.`);
  const { sha } = found.commit;
  const { commits } = await client.rest<{ commits: ComparedCommit[] }>(
    'GET /repos/{owner}/{repo}/compare/{basehead}',
    { ...place, basehead: `${plan.base.sha}...${sha}`, per_page: 100 },
  );
  const own = await ownCommits(commits, identity, client);
  if (own.length === 0 || own.length < commits.length)
    throw wrong('branch', `${shown(branch)} is there already and holds work that is not ours.`);
  const head = { ref: branch, sha, fork: false, commitCount: commits.length };
  return { ...plan, head, targets: [target], isNew: false, isOurs: true };
}

interface ComparedCommit {
  commit: { committer: { email: string } | null; verification?: { verified: boolean } };
  author: { login: string } | null;
  committer: { login: string } | null;
}

/** By what they say of themselves, or by what GitHub says of those that it has made for the same credential. */
async function ownCommits(
  commits: ComparedCommit[],
  { email }: Identity,
  client: GitHubClient,
): Promise<ComparedCommit[]> {
  const isNamed = ({ commit }: ComparedCommit) => commit.committer?.email === email;
  if (commits.every(isNamed)) return commits;
  const viewer = await fetchViewer(client);
  const gitHub = ['github.com', email.split('@users.noreply.')[1]].map((host) => `noreply@${host}`);
  const isMadeForUs = ({ commit, author, committer }: ComparedCommit) =>
    commit.verification?.verified === true &&
    author?.login === viewer?.login &&
    (committer?.login === viewer?.login || gitHub.includes(commit.committer?.email ?? ''));
  return commits.filter((one) => isNamed(one) || (viewer !== null && isMadeForUs(one)));
}

function wrong(field: string, message: string, remedy?: string): AppError {
  return new AppError('invalid_input', `\`client_payload.${field}\`: ${message}`, {
    remedy: remedy ?? `Send the dispatch again with another \`${field}\`.`,
  });
}
