/** The server's ways to GitHub: one connection a repository, and who we are there. */

import type { Connection } from '../engine/connect.ts';
import { appClient, appLogin } from '../github/app.ts';
import { authenticate } from '../github/auth.ts';
import { createClient, type GitHubClient } from '../github/client.ts';
import { fetchViewer } from '../github/permissions.ts';
import type { Log } from '../words/log.ts';
import type { Secret } from '../words/secret.ts';
import type { Configuration } from './configuration.ts';
import type { Self } from './inbox/payload-decision.ts';

export interface ConnectionRequest {
  /** `owner/repo` */
  repository: string;
  /** As the delivery or the thread names it; `GITHUB_APP_INSTALLATION_ID` wins. */
  installationId: number | string | null;
  log: Log;
  addSecret(value: string): void;
}

/** By configuration, then by installation and repository: a token is for one repository and never used for another. */
const connections = new WeakMap<Configuration, Map<string, Promise<Connection>>>();

/**
 * GitHub for one repository; made once and kept, with a token that renews itself, once at a time, five minutes before
 * its end. @throws AppError `github_auth`, `github_unavailable`; a failure is not kept.
 */
export function repositoryConnection(
  configuration: Configuration,
  request: ConnectionRequest,
): Promise<Connection> {
  const kept = keptFor(configuration);
  const key = keyOf(configuration, request);
  const known = kept.get(key);
  if (known) return known;
  const made = connectTo(configuration, request);
  kept.set(key, made);
  made.catch(() => {
    if (kept.get(key) === made) kept.delete(key);
  });
  return made;
}

/** For a token that GitHub refuses although it should still live: revoked, or the App was installed anew. */
export function forgetConnection(
  configuration: Configuration,
  request: Pick<ConnectionRequest, 'repository' | 'installationId'>,
): void {
  keptFor(configuration).delete(keyOf(configuration, request));
}

function keptFor(configuration: Configuration): Map<string, Promise<Connection>> {
  const kept = connections.get(configuration) ?? new Map<string, Promise<Connection>>();
  connections.set(configuration, kept);
  return kept;
}

function keyOf(
  configuration: Configuration,
  { repository, installationId }: Pick<ConnectionRequest, 'repository' | 'installationId'>,
): string {
  return `${installationOf(configuration, installationId) ?? ''} ${repository}`;
}

function installationOf({ server, engine }: Configuration, given: number | string | null): number | null {
  if (!engine.appId) return null;
  return server.githubAppInstallationId ?? (given === null ? null : Number(given));
}

async function connectTo(configuration: Configuration, request: ConnectionRequest): Promise<Connection> {
  const { engine, host } = configuration;
  const [owner, name] = request.repository.split('/') as [string, string];
  const installationId = installationOf(configuration, request.installationId);
  const credential = await authenticate({
    host,
    repository: { owner, name },
    given: engine.githubToken,
    app: appOf(configuration),
    installationId,
    oidc: null,
    exchangeUrl: engine.tokenExchangeUrl,
    additionalPermissions: engine.additionalPermissions,
    onToken: (token, minted) => {
      request.addSecret(token);
      if (minted) {
        request.log.debug('A token was minted.', {
          repository: request.repository,
          installation: installationId,
        });
      }
    },
  });
  return { client: createClient(host, credential.token), credential, token: await credential.token() };
}

/** The App's credentials; null with `GITHUB_TOKEN`. */
export function appOf({ engine }: Configuration): { id: string; privateKey: Secret } | null {
  return engine.appId && engine.appPrivateKey ? { id: engine.appId, privateKey: engine.appPrivateKey } : null;
}

/** GitHub for what belongs to no repository: as the App itself, or with the token. */
export async function ownClient(configuration: Configuration): Promise<GitHubClient> {
  const app = appOf(configuration);
  if (app) return appClient(configuration.host, app);
  const { githubToken } = configuration.engine;
  return createClient(configuration.host, async () => githubToken?.reveal() ?? '');
}

/** Who we are; null when the token cannot tell. @throws AppError */
export async function whoWeAre(configuration: Configuration): Promise<Self | null> {
  const client = await ownClient(configuration);
  if (appOf(configuration)) return { login: await appLogin(client), isBot: true };
  const viewer = await fetchViewer(client);
  return viewer && { login: viewer.login, isBot: viewer.login.endsWith('[bot]') };
}
