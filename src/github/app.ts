/** GitHub as an App itself sees it, before any installation: its own name, and the log of its deliveries. */
import type { Secret } from '../words/secret.ts';
import { createClient, type GitHubClient, type GitHubHost } from './client.ts';

/** A client that signs in as the App, with a fresh JSON Web Token whenever the former one nears its end. */
export async function appClient(
  host: GitHubHost,
  app: { id: string; privateKey: Secret },
): Promise<GitHubClient> {
  const { createAppAuth } = await import('@octokit/auth-app');
  const privateKey = app.privateKey.reveal().replaceAll('\\n', '\n');
  const auth = createAppAuth({ appId: app.id, privateKey });
  return createClient(host, async () => (await auth({ type: 'app' })).token);
}

/** The login of the App's bot. Source: GET /app */
export async function appLogin(client: GitHubClient): Promise<string> {
  const { slug } = await client.rest<{ slug: string }>('GET /app');
  return `${slug}[bot]`;
}
