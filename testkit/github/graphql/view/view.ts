/** What every view of a record needs. */
import type { Identity } from '../../access.ts';
import type { Kit } from '../../kit.ts';
import type { Store } from '../../store.ts';

/** One GraphQL request. */
export interface Request {
  kit: Kit;
  store: Store;
  identity: Identity;
}

/** Fields by GraphQL's names; functions are called with the field's arguments. */
export type View = { __typename: string } & Record<string, unknown>;
