/** The facts that access rests on: what GitHub says a person may do, and who we are. */
import { type GitHubClient, GraphqlRefusal, statusOf } from './client.ts';

export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

/**
 * What `login` may do in the repository; null when GitHub does not know the login as a user (some bots).
 * Source: GET /repos/{owner}/{repo}/collaborators/{username}/permission
 */
export async function fetchPermission(
  client: GitHubClient,
  repository: { owner: string; name: string },
  login: string,
): Promise<Permission | null> {
  try {
    const answer = await client.rest<{ permission: string; role_name?: string }>(
      'GET /repos/{owner}/{repo}/collaborators/{username}/permission',
      { owner: repository.owner, repo: repository.name, username: login },
    );
    return answer.permission as Permission;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** The login and id that our requests act as; null when the token cannot tell (GraphQL refused it). */
export async function fetchViewer(client: GitHubClient): Promise<{ login: string; id: number } | null> {
  try {
    const { viewer } = await client.graphql<{ viewer: { login: string; databaseId: number } }>(
      'query viewer { viewer { login databaseId } }',
    );
    return { login: viewer.login, id: viewer.databaseId };
  } catch (error) {
    if (error instanceof GraphqlRefusal && error.reason === 'github_auth') return null;
    throw error;
  }
}
