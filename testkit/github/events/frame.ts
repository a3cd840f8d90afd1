/** What every payload has: the repository, who did it, and for whom it is meant. */
import type { Installation } from '../app-model.ts';
import type { Label, Repository, User } from '../model.ts';
import { renderRepository } from '../render/repository.ts';
import { renderUser } from '../render/user.ts';
import type { Store } from '../store.ts';

/** What any event can be told besides its subject. */
export interface EventOptions {
  /** Login of who did it; by default the one who wrote what the event is about. */
  sender?: string;
  /** Adds `installation: { id }`, as deliveries to an App have it. */
  installation?: Installation;
}

/** `repository`, `sender` and what else every payload has. */
export function frame(store: Store, repository: Repository, sender: User, options: EventOptions) {
  const { owner } = repository;
  const { installation } = options;
  const url = `${store.site.apiUrl}/orgs/${owner.login}`;
  return {
    repository: renderRepository(store, repository),
    ...(owner.type === 'Organization'
      ? { organization: { login: owner.login, id: owner.id, node_id: owner.nodeId, url, description: null } }
      : {}),
    sender: renderUser(store, options.sender ? store.user(options.sender) : sender),
    ...(installation ? { installation: { id: installation.id, node_id: `INST_${installation.id}` } } : {}),
  };
}

/** What an event about an issue or pull request can be told besides. */
export interface SubjectEventOptions extends EventOptions {
  label?: string | Label;
  /** Login. */
  assignee?: string;
  /** `edited`: the former text. */
  formerBody?: string;
  formerTitle?: string;
}
