/** The typed methods by which tests and the demo obtain tokens and Apps. */
import type { App, Installation, Permissions } from './app-model.ts';
import type { Repository, User } from './model.ts';
import { bareApp, createApp, installApp, installationToken, type NewApp } from './state/apps.ts';
import { fullName, type Store } from './store.ts';
import { actionsPermissions, type Token, type TokenKind } from './tokens.ts';

export interface TokenRequest {
  /** `pat` when absent, `installation` when the login is a bot's. */
  kind?: TokenKind;
  /** Whose token; an actions token is always `github-actions[bot]`'s. */
  login?: string;
  /** null or absent: all that the user may (pat), or the usual write permissions (installation, actions). */
  permissions?: Permissions;
  /** `owner/name`; what the token reaches. Actions tokens need exactly their repository. */
  repositories?: string[];
  expiresAt?: Date;
}

/** An App with what its owner needs to sign in as it. */
export interface CreatedApp {
  id: number;
  slug: string;
  /** Login of the bot that its installations act as. */
  login: string;
  /** PKCS#1 PEM. */
  privateKey: string;
  app: App;
}

export function credentials(store: Store) {
  const find = (names: string[] | undefined) => names?.map((name) => store.repository(name));
  return {
    /** A token that works at once. @throws Error when an installation or actions token names no repository */
    token(request: TokenRequest): string {
      const bot = request.login?.endsWith('[bot]') ?? false;
      const kind = request.kind ?? (bot ? 'installation' : 'pat');
      const repositories = find(request.repositories);
      const expiresAt = request.expiresAt?.getTime() ?? null;
      if (kind === 'installation') return botToken(store, request, repositories ?? []);
      if (kind === 'actions' && !repositories) throw new Error('An actions token needs `repositories`.');
      const user = store.user(kind === 'actions' ? 'github-actions[bot]' : (request.login ?? 'octocat'));
      const permissions = request.permissions ?? (kind === 'actions' ? actionsPermissions : null);
      return store.tokens.add({
        kind,
        user,
        permissions,
        repositories: repositories ? new Set(repositories) : null,
        installation: null,
        expiresAt,
      }).value;
    },

    revokeToken(value: string): void {
      for (const token of store.tokens.all()) if (token.value === value) token.revoked = true;
    },

    /** Every token ever given out, also revoked and expired ones. */
    tokens: (): Token[] => store.tokens.all(),

    async createApp(options: NewApp): Promise<CreatedApp> {
      const { app, privateKey } = await createApp(store, options);
      return { id: app.id, slug: app.slug, login: app.bot.login, privateKey, app };
    },

    /** @param on logins of accounts (all their repositories) or `owner/name` of single ones. Gives the last installation. */
    installApp(created: CreatedApp | App, on: string | string[], permissions?: Permissions): Installation {
      const app = 'app' in created ? created.app : created;
      const installations = [on].flat().map((name) => {
        const repository = name.includes('/') ? store.repository(name) : null;
        const account: User = repository?.owner ?? store.user(name);
        return installApp(store, app, account, repository ? [repository] : undefined, permissions);
      });
      return installations.at(-1)!;
    },
  };
}

function botToken(store: Store, request: TokenRequest, repositories: Repository[]): string {
  const owner = repositories[0]?.owner;
  if (!owner || repositories.some((repository) => repository.owner !== owner)) {
    throw new Error(
      `An installation token needs \`repositories\` of one owner, not ${repositories.map(fullName).join(', ') || 'none'}.`,
    );
  }
  const bot = store.user(request.login ?? 'claude[bot]');
  const slug = bot.login.replace(/\[bot\]$/, '');
  const permissions = request.permissions ?? {
    contents: 'write',
    issues: 'write',
    pull_requests: 'write',
    actions: 'read',
    checks: 'read',
  };
  const app = bareApp(store, slug, permissions);
  const installation = installApp(store, app, owner);
  const expiresAt = request.expiresAt?.getTime();
  return installationToken(store, installation, { permissions, repositories, expiresAt }).value;
}
