/** The secrets of the server's doors: given, or made at the first start where that is safe. */
import { AppError } from '../words/errors.ts';
import type { Log } from '../words/log.ts';
import type { Secret } from '../words/secret.ts';
import type { Configuration, Role } from './configuration.ts';
import { keptSecret } from './data-directory.ts';
import { sharedSecret } from './store/shared-secret.ts';
import type { Store } from './store/store.ts';

export interface DoorSecret {
  secret: Secret | null;
  /** For people: where it is. */
  where: string;
}

/**
 * @throws AppError `invalid_input` when there is none and several servers would each make their own, so that GitHub's
 * signatures fit only one of them.
 */
export function webhookSecret({ server }: Configuration, role: Role, log: Log): DoorSecret {
  if (server.allowUnsignedWebhooks) {
    log.warning(
      'ALLOW_UNSIGNED_WEBHOOKS is on: WEBHOOKS ARE NOT VERIFIED. Anybody who reaches the port can start work with your credentials.',
    );
    return { secret: null, where: 'NONE: webhooks are taken from anybody (ALLOW_UNSIGNED_WEBHOOKS)' };
  }
  if (server.githubWebhookSecret)
    return { secret: server.githubWebhookSecret, where: 'GITHUB_WEBHOOK_SECRET' };
  if (role === 'worker') return { secret: null, where: 'not needed by a worker' };
  if (server.databaseUrl) {
    throw new AppError(
      'invalid_input',
      'GITHUB_WEBHOOK_SECRET is missing; with DATABASE_URL it must be set.',
      {
        remedy:
          'Set GITHUB_WEBHOOK_SECRET (or GITHUB_WEBHOOK_SECRET_FILE) to one long random text, the same for each server and in the webhook on GitHub.',
      },
    );
  }
  const { secret, path } = keptSecret(server.dataDir, 'webhook-secret');
  return { secret, where: path };
}

/** Servers on one database share the token that the first of them made, so that one link works with each. */
export async function operatorToken(
  { server }: Configuration,
  store: Store,
): Promise<{ secret: Secret; where: string }> {
  if (server.operatorToken) return { secret: server.operatorToken, where: 'OPERATOR_TOKEN' };
  if (store.embedded) {
    const { secret, path } = keptSecret(server.dataDir, 'operator-token');
    return { secret, where: path };
  }
  return { secret: await sharedSecret(store.database, 'operator_token'), where: 'the database' };
}
