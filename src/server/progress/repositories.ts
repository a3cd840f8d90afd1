/** Whose workflows may report progress: the operator's list, or the repositories that our App is installed on. */
import { type GitHubClient, statusOf } from '../../github/client.ts';
import { names } from '../../github/oidc-verify.ts';
import type { Configuration } from '../configuration.ts';
import { appOf, ownClient } from '../github.ts';

/** @throws AppError `github_unavailable`, `github_auth` when GitHub cannot be asked. */
export type MayReport = (repository: string) => Promise<boolean>;

/** How long GitHub's answer is believed, and how many are kept. Milliseconds. */
const answerLifeMs = 5 * 60_000;
const mostAnswers = 1_000;

export function whoMayReport(configuration: Configuration): MayReport {
  const { progressRepositoriesAllowed: list } = configuration.server;
  if (list.length > 0) return async (repository) => list.some((entry) => names(entry, repository));
  if (!appOf(configuration)) return async () => false;
  return remembering((repository) => isInstalled(configuration, repository));
}

/** Anybody on GitHub can ask about a repository of theirs, and each question costs a request of the App's. */
function remembering(ask: MayReport): MayReport {
  const answers = new Map<string, { answer: Promise<boolean>; until: number }>();
  return (repository) => {
    const known = answers.get(repository);
    if (known && Date.now() < known.until) return known.answer;
    const answer = ask(repository);
    answers.delete(repository);
    answers.set(repository, { answer, until: Date.now() + answerLifeMs });
    if (answers.size > mostAnswers) answers.delete(answers.keys().next().value!);
    answer.catch(() => {
      if (answers.get(repository)?.answer === answer) answers.delete(repository);
    });
    return answer;
  };
}

async function isInstalled(configuration: Configuration, repository: string): Promise<boolean> {
  const [owner, repo] = repository.split('/');
  const client: GitHubClient = await ownClient(configuration);
  try {
    const found = await client.rest<{ id: number; suspended_at: string | null }>(
      'GET /repos/{owner}/{repo}/installation',
      { owner, repo },
    );
    const { githubAppInstallationId: only } = configuration.server;
    return !found.suspended_at && (only === null || found.id === only);
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}
