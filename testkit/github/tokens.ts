/** Tokens that the local GitHub gave out: whose they are, what they may, and until when. */
import { randomBytes } from 'node:crypto';
import type { Installation, Permissions } from './app-model.ts';
import type { Repository, User } from './model.ts';

export type TokenKind = 'pat' | 'installation' | 'actions';

export interface Token {
  value: string;
  kind: TokenKind;
  user: User;
  /** null: whatever the user may (a classic personal token). */
  permissions: Permissions | null;
  /** null: every repository that the user or installation reaches. */
  repositories: Set<Repository> | null;
  installation: Installation | null;
  /** Milliseconds since 1970; null: never. */
  expiresAt: number | null;
  revoked: boolean;
}

const prefixes: Record<TokenKind, string> = { pat: 'ghp_', installation: 'ghs_', actions: 'ghs_' };

/** What `GITHUB_TOKEN` may in a repository with the permissive default. */
export const actionsPermissions: Permissions = {
  actions: 'write',
  checks: 'write',
  contents: 'write',
  discussions: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
};

/** Keeps the tokens of one local GitHub. */
export function tokenRegister() {
  const tokens = new Map<string, Token>();
  return {
    add(token: Omit<Token, 'value' | 'revoked'>): Token {
      const added: Token = { ...token, value: prefixes[token.kind] + alphanumeric(36), revoked: false };
      tokens.set(added.value, added);
      return added;
    },
    /** The token, unless it is unknown, revoked or expired: GitHub tells none of these apart. */
    find(value: string): Token | undefined {
      const token = tokens.get(value);
      if (!token || token.revoked) return undefined;
      return token.expiresAt !== null && token.expiresAt <= Date.now() ? undefined : token;
    },
    /** Also tokens that no longer work: for tests that ask what became of one. */
    all: (): Token[] => [...tokens.values()],
  };
}

function alphanumeric(length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from(randomBytes(length), (byte) => letters[byte % letters.length]).join('');
}
