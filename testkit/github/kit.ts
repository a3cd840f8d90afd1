/** What the parts of one local GitHub share: its memory and what it noticed. */
import type { DeliveryLog } from './deliveries.ts';
import type { Repository, User } from './model.ts';
import type { Store } from './store.ts';

/** An answer that is not as GitHub describes it, or a field that the local GitHub does not know. */
interface Violation {
  where: string;
  problem: string;
}

/** A `repository_dispatch` or `workflow_dispatch` that somebody asked for. */
export interface Dispatch {
  repository: Repository;
  eventType: string;
  clientPayload: Record<string, unknown>;
  sender: User;
}

export interface Kit {
  store: Store;
  violations: Violation[];
  /** Whether REST answers are checked against GitHub's API description. */
  validate: boolean;
  deliveries: DeliveryLog;
  dispatches: Dispatch[];
  dispatchListeners: ((dispatch: Dispatch) => void)[];
}
