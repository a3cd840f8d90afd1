/** GitHub for one run: the credential, masked and remembered at once, and the client that uses it. */
import { authenticate, type Credential } from '../github/auth.ts';
import { createClient, type GitHubClient } from '../github/client.ts';
import type { Task } from '../words/task.ts';
import type { Door } from './door.ts';

export interface Connection {
  client: GitHubClient;
  credential: Credential;
  /** The token that the run began with. */
  token: string;
}

/** @throws AppError `github_auth`, `github_unavailable`; WorkflowNotValidated. */
export async function connect(door: Door, task: Task): Promise<Connection> {
  const { config, host, oidc } = door;
  const minted: string[] = [];
  const credential = await authenticate({
    host,
    repository: task.repository,
    given: config.githubToken,
    app: config.appId && config.appPrivateKey ? { id: config.appId, privateKey: config.appPrivateKey } : null,
    oidc,
    exchangeUrl: config.tokenExchangeUrl,
    additionalPermissions: config.additionalPermissions,
    onToken: (token, isMinted) => {
      door.addSecret(token);
      if (!isMinted) return;
      minted.push(token);
      door.remember('tokens', minted);
    },
  });
  return { client: createClient(host, credential.token), credential, token: await credential.token() };
}
