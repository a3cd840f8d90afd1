/** What carrying out a decision is given, and what it leaves to be said. */
import type { GitHubEvent } from '../../words/event.ts';
import type { Configuration } from '../configuration.ts';
import type { StoredDelivery } from '../store/deliveries.ts';
import type { InboxThread } from '../store/threads.ts';
import type { Telling } from './tell.ts';

export interface Applying {
  delivery: StoredDelivery;
  event: GitHubEvent;
  /** The thread as it was read before the transaction; null when there is none yet. */
  thread: InboxThread | null;
  configuration: Configuration;
}

/** What is left to say once it is committed; `overtaken`: why nothing was done after all. */
export interface Applied {
  tellings: Telling[];
  overtaken?: string;
}

/** Where in GitHub what is said about a delivery belongs. */
export function addressOf({ delivery, event }: { delivery: StoredDelivery; event: GitHubEvent }) {
  return {
    deliveryId: delivery.id,
    repository: `${event.repository.owner}/${event.repository.name}`,
    installationId: delivery.installationId,
    number: event.subject?.number ?? 0,
  };
}
