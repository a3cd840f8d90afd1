/** Says something in a thread after its cause is committed: a reaction, an answer. As jobs, so that none is forgotten. */
import { statusOf } from '../../github/client.ts';
import { createComment } from '../../github/comments.ts';
import { type Reaction, swapReaction } from '../../github/reactions.ts';
import { AppError } from '../../words/errors.ts';
import type { ServerContext } from '../context.ts';
import { repositoryConnection } from '../github.ts';
import { isQueued } from '../store/messages.ts';

/** The data of a `tell` job. */
export interface Telling {
  deliveryId: string;
  /** `owner/repo` */
  repository: string;
  installationId: string | null;
  /** Of the issue or pull request. */
  number: number;
  /** `whileQueued`: only as long as this message waits; once it is said the session reacts. */
  reaction?: { nodeId: string; content: Reaction; whileQueued?: string };
  /** `replyTo`: the review comment whose thread is answered; null for the conversation. */
  comment?: { body: string; replyTo: number | null };
}

/** @throws AppError when it should be tried again. */
export async function tell(context: ServerContext, telling: Telling): Promise<void> {
  const { deliveryId, repository, installationId, reaction, comment } = telling;
  const log = context.log.with({ delivery: deliveryId });
  try {
    if (reaction?.whileQueued && !(await isQueued(context.store.database, reaction.whileQueued))) return;
    const { client } = await repositoryConnection(context.configuration, {
      ...{ repository, installationId, log },
      addSecret: context.addSecret,
    });
    if (reaction) await swapReaction(client, reaction.nodeId, { former: null, next: reaction.content });
    if (comment) {
      const [owner, repo] = repository.split('/') as [string, string];
      const marker = `<!-- forgehand answer ${deliveryId} -->`;
      const place = { owner, repo, number: telling.number, replyTo: comment.replyTo };
      const made = await createComment(client, place, {
        body: `${context.redact(comment.body)}\n\n${marker}`,
        marker,
      });
      log.info('Answered in the thread.', { comment: made.url });
    }
  } catch (error) {
    // What GitHub refuses for good (the comment is gone, the issue is locked) is refused tomorrow too.
    const status = statusOf(error);
    const isFinal =
      error instanceof AppError ? error.reason === 'invalid_input' : status !== null && status < 500;
    if (!isFinal) throw error;
    log.warning(`It could not be said in the thread: ${(error as Error).message}`);
  }
}
