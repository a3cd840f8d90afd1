/** GitHub credentials: a given token, a GitHub App's installation token, or one exchanged for the job's OIDC token. */
import { request } from '@octokit/request';
import { AppError } from '../words/errors.ts';
import type { Secret } from '../words/secret.ts';
import { type GitHubHost, toFailure } from './client.ts';
import { fetchJson } from './fetch-json.ts';
import { exchangeAudience, type OidcSource, requestOidcToken } from './oidc.ts';
import { defaultPolicy, isRateLimit, type RetryPolicy, withRetry } from './retry.ts';

/** Exchanged tokens name no end; GitHub's installation tokens live one hour. */
const tokenLifeMs = 60 * 60_000;
const refreshBeforeMs = 5 * 60_000;
/** What a run needs on its repository. */
const neededPermissions = { contents: 'write', pull_requests: 'write', issues: 'write' };

export interface CredentialSource {
  host: GitHubHost;
  repository: { owner: string; name: string };
  given: Secret | null;
  app: { id: string; privateKey: Secret } | null;
  /** The App's installation, where it is known; else, or when GitHub knows it no more, the repository's is looked up. */
  installationId?: number | null;
  oidc: OidcSource | null;
  exchangeUrl: string;
  additionalPermissions: Record<string, string>;
  /** Told of each token before anything can print it, so that it is masked and, when minted here, revoked later. */
  onToken(token: string, minted: boolean): void;
}

export interface Credential {
  kind: 'given' | 'app' | 'exchange';
  /**
   * A token that is valid for five minutes more; minted anew when needed, once at a time. When that fails, the former
   * one serves to its end.
   */
  token(): Promise<string>;
}

/** A refusal that ends the run green: the exchange accepts only workflow files that are on the default branch. */
export class WorkflowNotValidated extends AppError {
  constructor(message: string) {
    super('switched_off', message, {
      remedy:
        'Nothing to do when this run is of the change that adds or edits the workflow: it works once that is on the default branch.',
    });
    this.name = 'WorkflowNotValidated';
  }
}

/** Trying again does not help: the App was never there, was taken away, or the repository is gone. */
export class NotInstalled extends AppError {
  constructor(message: string, cause: unknown) {
    super('github_auth', message, { cause, remedy: 'Install the App on the repository.' });
    this.name = 'NotInstalled';
  }
}

/**
 * The first credential that is there: given token, App, OIDC exchange.
 * @throws AppError `github_auth` naming what is missing or refused; WorkflowNotValidated.
 */
export async function authenticate(source: CredentialSource): Promise<Credential> {
  if (source.given) {
    const token = source.given.reveal();
    source.onToken(token, false);
    return { kind: 'given', token: async () => token };
  }
  const kind = source.app ? 'app' : 'exchange';
  const mint = () => (source.app ? installationToken(source, source.app) : exchangedToken(source));
  const credential = refreshing(kind, async () => {
    const minted = await mint();
    source.onToken(minted.token, true);
    return minted;
  });
  await credential.token();
  return credential;
}

/** Gives an installation token back to GitHub. 401 means that it is gone already. */
export async function revokeToken(
  host: GitHubHost,
  token: string,
  policy: RetryPolicy = defaultPolicy,
): Promise<void> {
  const headers = {
    authorization: `token ${token}`,
    accept: 'application/vnd.github+json',
    'user-agent': 'forgehand',
  };
  const answer = await fetchJson(`${host.apiUrl}/installation/token`, { method: 'DELETE', headers }, policy);
  if (answer.status !== 204 && answer.status !== 401) {
    throw new AppError('github_auth', `The token could not be revoked: GitHub answered ${answer.status}.`);
  }
}

interface Minted {
  token: string;
  expiresAt: number;
}

function refreshing(kind: Credential['kind'], mint: () => Promise<Minted>): Credential {
  let current: Minted | null = null;
  let renewal: Promise<Minted> | null = null;
  const renew = async () => {
    try {
      current = await mint();
    } catch (error) {
      if (!current || Date.now() >= current.expiresAt) throw error;
    } finally {
      renewal = null;
    }
    return current;
  };
  return {
    kind,
    token: async () => {
      if (current && Date.now() < current.expiresAt - refreshBeforeMs) return current.token;
      renewal ??= renew();
      return (await renewal).token;
    },
  };
}

async function installationToken(
  source: CredentialSource,
  app: { id: string; privateKey: Secret },
): Promise<Minted> {
  const { owner, name } = source.repository;
  const mint = async () => {
    const api = request.defaults({
      baseUrl: source.host.apiUrl,
      request: { signal: AbortSignal.timeout(defaultPolicy.timeoutMs) },
    });
    // Few runs sign in as an App, and all others start sooner without this.
    const { createAppAuth } = await import('@octokit/auth-app');
    const auth = createAppAuth({ appId: app.id, privateKey: pem(app.privateKey), request: api });
    const lookUp = async () => {
      const { token: jwt } = await auth({ type: 'app' });
      const found = await api('GET /repos/{owner}/{repo}/installation', {
        owner,
        repo: name,
        headers: { authorization: `bearer ${jwt}` },
      });
      return found.data.id;
    };
    // For this one repository: an installation has many, and threads must not reach one another's.
    const mintFor = (installationId: number) =>
      auth({
        type: 'installation',
        installationId,
        repositoryNames: [name],
        permissions: { ...neededPermissions, ...source.additionalPermissions },
      });
    const known = source.installationId;
    const minted = known
      ? await mintFor(known).catch(async (error) => {
          // Installed anew since: the id in a stored delivery is of the former installation.
          if (toFailure(error)?.status !== 404) throw error;
          return mintFor(await lookUp());
        })
      : await mintFor(await lookUp());
    return { token: minted.token, expiresAt: Date.parse(minted.expiresAt) };
  };
  try {
    return await withRetry(mint, toFailure);
  } catch (error) {
    throw appRefusal(error, app.id, `${owner}/${name}`);
  }
}

function appRefusal(error: unknown, appId: string, repository: string): AppError {
  const failure = toFailure(error);
  if (failure?.status === 404) {
    return new NotInstalled(`GitHub App ${appId} is not installed on ${repository}.`, error);
  }
  const said = failure?.message ?? (error instanceof Error ? error.message : String(error));
  const message = `No token for GitHub App ${appId}: ${said}`;
  if (failure && (failure.status === null || failure.status >= 500 || isRateLimit(failure)))
    return new AppError('github_unavailable', message, { cause: error });
  return new AppError('github_auth', message, {
    cause: error,
    remedy: "Check `app_id`, `app_private_key` and the App's permissions.",
  });
}

/** Secrets pasted into a workflow often carry `\n` for line breaks. */
function pem(key: Secret): string {
  return key.reveal().replaceAll('\\n', '\n');
}

async function exchangedToken(source: CredentialSource): Promise<Minted> {
  const oidc = await requestOidcToken(source.oidc, exchangeAudience);
  const more = Object.keys(source.additionalPermissions).length > 0;
  const answer = await fetchJson(source.exchangeUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${oidc}`, ...(more && { 'content-type': 'application/json' }) },
    ...(more && {
      body: JSON.stringify({ permissions: { ...neededPermissions, ...source.additionalPermissions } }),
    }),
  });
  const body = (answer.body ?? {}) as ExchangeAnswer;
  const token = body.token ?? body.app_token;
  if (answer.ok && token) return { token, expiresAt: Date.now() + tokenLifeMs };
  throw exchangeRefusal(answer.status, body);
}

interface ExchangeAnswer {
  token?: string;
  app_token?: string;
  message?: string;
  error?: { message?: string; details?: { error_code?: string } };
}

function exchangeRefusal(status: number, body: ExchangeAnswer): AppError {
  const said = body.error?.message ?? body.message ?? `status ${status}`;
  const code = body.error?.details?.error_code;
  if (
    code === 'workflow_not_found_on_default_branch' ||
    (status === 401 && /workflow validation failed/i.test(said))
  ) {
    return new WorkflowNotValidated(`The token exchange does not accept this workflow yet: ${said}`);
  }
  return new AppError('github_auth', `The token exchange refused: ${said}`, {
    remedy:
      'Install the GitHub App on the repository, or give `github_token`, or `app_id` and `app_private_key`.',
  });
}
