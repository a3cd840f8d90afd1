/** Answers what Claude asks for besides its prompt, through the same filter and between the same markers. */
import { readFileDiff } from '../../context/diff.ts';
import { fetchThread } from '../../context/fetch.ts';
import { filterThread } from '../../context/filter.ts';
import type { ContextAnswers } from '../../mcp/context.ts';
import {
  commentsAnswer,
  diffAnswer,
  filesAnswer,
  otherThreadAnswer,
  type Shelf,
  threadAnswer,
} from '../../prompt/shelf.ts';
import { AppError } from '../../words/errors.ts';
import type { Task } from '../../words/task.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';

export interface AnswersRequest {
  door: Door;
  task: Task;
  connection: Connection;
  /** What the prompt was made of; null as long as there is none. */
  shelf(): Shelf | null | Promise<Shelf>;
}

export function contextAnswers(request: AnswersRequest): ContextAnswers {
  const shelf = async () => {
    const found = await request.shelf();
    if (!found) throw new AppError('internal', 'The thread has not been read yet.');
    return found;
  };
  return {
    comments: async (before) => commentsAnswer(await shelf(), before),
    thread: async (number) => threadAnswer(await shelf(), number),
    files: async (page) => filesAnswer(await shelf(), page),
    fileDiff: async (path) => diffAnswer(await shelf(), await fileDiff(request, await shelf(), path)),
    linkedIssue: async (number) =>
      otherThreadAnswer(await shelf(), await linkedIssue(request, await shelf(), number)),
  };
}

function fileDiff({ task, connection }: AnswersRequest, { thread }: Shelf, path: string) {
  const { number, pullRequest } = thread;
  if (!pullRequest) throw new AppError('invalid_input', 'An issue has no diff.');
  const { rest } = connection.client;
  return readFileDiff({ rest, repository: task.repository, number, facts: pullRequest }, path);
}

/** Only what the pull request names: Claude is no way to read the repository's other issues. */
async function linkedIssue({ door, task, connection }: AnswersRequest, { thread }: Shelf, number: number) {
  const linked = thread.pullRequest?.linkedIssues.map((issue) => issue.number) ?? [];
  if (!linked.includes(number)) {
    throw new AppError('invalid_input', `#${number} is not linked to this pull request.`, {
      remedy:
        linked.length > 0 ? `Linked are: ${linked.map((one) => `#${one}`).join(', ')}.` : 'No issue is.',
    });
  }
  const { graphql } = connection.client;
  const fetched = await fetchThread({ graphql, repository: task.repository, kind: 'issue', number });
  return filterThread({
    ...fetched,
    // Nothing of that issue started the run.
    task: { subject: null, trigger: { kind: 'opened' }, triggeredAt: task.triggeredAt },
    include: door.config.includeCommentsByActor,
    exclude: door.config.excludeCommentsByActor,
    trackingCommentId: null,
  });
}
