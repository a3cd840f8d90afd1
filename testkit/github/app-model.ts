/** The records of GitHub Apps and where they are installed. */
import type { Repository, Time, User } from './model.ts';

export interface App {
  id: number;
  nodeId: string;
  slug: string;
  name: string;
  owner: User;
  bot: User;
  permissions: Permissions;
  events: string[];
  publicKey: string;
  createdAt: Time;
}

/** `{ contents: 'write', … }`, as GitHub names them. */
export type Permissions = Record<string, string>;

export interface Installation {
  id: number;
  app: App;
  account: User;
  permissions: Permissions;
  /** null: every repository of the account. */
  repositories: Set<Repository> | null;
  /** How long its tokens live, in milliseconds; GitHub's hour. A test may shorten it. */
  tokenLifeMs: number;
  createdAt: Time;
}
