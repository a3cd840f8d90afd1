/** Everything written alike: how a body begins, is edited, hidden and reacted to. */
import { associationOf } from '../access.ts';
import type { Reactable, Reaction, ReactionContent, Repository, User, Written } from '../model.ts';
import { now, type Store, timeOf } from '../store.ts';

/** Who wrote it and when; what a test may leave out is the repository's owner and this moment. */
export interface Writing {
  /** Login; null for a deleted account. */
  author?: string | null;
  body?: string;
  createdAt?: Date | string;
  /** GitHub's word (`MEMBER`, `NONE`, …); worked out from the permissions when absent. */
  authorAssociation?: string;
}

/** The common fields of a new text. */
export function written(
  store: Store,
  repository: Repository,
  writing: Writing,
): Omit<Written, 'id' | 'nodeId'> {
  const author = writing.author === null ? null : store.user(writing.author ?? repository.owner.login);
  const createdAt = writing.createdAt ? timeOf(writing.createdAt) : now();
  const body = writing.body ?? '';
  return {
    author,
    authorAssociation: writing.authorAssociation ?? associationOf(repository, author),
    body,
    createdAt,
    updatedAt: createdAt,
    lastEditedAt: null,
    history: [{ body, at: createdAt, by: author?.login ?? 'ghost' }],
    reactions: [],
    minimized: null,
    deleted: false,
  };
}

/** Replaces the body and remembers the former one. */
export function edit(text: Written, body: string, by: string, at?: Date | string): void {
  const moment = at ? timeOf(at) : now();
  text.history.push({ body, at: moment, by });
  text.body = body;
  text.updatedAt = moment;
  text.lastEditedAt = moment;
}

/** Adds a reaction; the same one by the same user is given back, as GitHub does. */
export function react(
  store: Store,
  subject: Reactable,
  content: ReactionContent,
  user: User,
): { reaction: Reaction; added: boolean } {
  const known = subject.reactions.find((reaction) => reaction.content === content && reaction.user === user);
  if (known) return { reaction: known, added: false };
  const reaction = store.identify(
    'REA',
    (id, nodeId): Reaction => ({
      kind: 'reaction',
      id,
      nodeId,
      content,
      user,
      createdAt: now(),
    }),
  );
  subject.reactions.push(reaction);
  return { reaction, added: true };
}

/** Takes a reaction away; gives what was taken. */
export function unreact(subject: Reactable, matches: (reaction: Reaction) => boolean): Reaction | undefined {
  const found = subject.reactions.find(matches);
  subject.reactions = subject.reactions.filter((reaction) => reaction !== found);
  return found;
}
