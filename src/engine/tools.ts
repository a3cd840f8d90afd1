/** The tools of ours that Claude is given for one task: each server gets what it needs as functions, and no more. */
import { ciServer } from '../mcp/ci.ts';
import { commentServer } from '../mcp/comment.ts';
import { contextServer } from '../mcp/context.ts';
import { discussionServer } from '../mcp/discussion.ts';
import { type FileCommit, fileCommitsServer, filesServer } from '../mcp/files.ts';
import { progressServer } from '../mcp/progress.ts';
import { pullRequestServer } from '../mcp/pull-request.ts';
import { type ReviewActions, reviewServer } from '../mcp/review.ts';
import type { Shelf } from '../prompt/shelf.ts';
import type { TrackingComment } from '../report/comment.ts';
import { AppError } from '../words/errors.ts';
import type { Reporter } from '../words/result.ts';
import { hasBranch, type Task } from '../words/task.ts';
import type { ToolServer } from '../words/tool.ts';
import { ciAnswers, hasChecks } from './answers/ci-answers.ts';
import { contextAnswers } from './answers/context-answers.ts';
import { discussionAnswers } from './answers/discussion-answers.ts';
import type { Backend } from './backend.ts';
import type { Prepared } from './checkout.ts';
import { allowsByName } from './claude.ts';
import type { Connection } from './connect.ts';
import type { Door } from './door.ts';
import { commitsByFile } from './signing.ts';

export interface ToolRequest {
  door: Door;
  task: Task;
  connection: Connection;
  report: Reporter;
  backend: Backend | null;
  /** Takes the description of the pull request that the work may end in. */
  describe(said: { title?: string; body: string }): void;
  /** Null unless the task is about a pull request. */
  review: ReviewActions | null;
  comment: TrackingComment | null;
  /** Both are there once the thread has been read; Claude calls no tool before it has its prompt. */
  checkout(): Prepared | null;
  shelf(): Shelf | null;
}

export function toolServers(request: ToolRequest): ToolServer[] {
  const { door, task, connection, report, backend } = request;
  const answers = contextAnswers({ door, task, connection, shelf: request.shelf });
  return [
    ...(request.comment && mayReport(request)
      ? [commentServer((progress) => report.progress(progress))]
      : []),
    ...(hasBranch(task) ? [publishingServer(request)] : []),
    ...(task.mode === 'tag' && task.subject ? [contextServer(answers, task.subject.kind)] : []),
    ...(task.discussion && allowsByName(door, /mcp__github_context/)
      ? [discussionServer(discussionAnswers(request, task.discussion))]
      : []),
    ...(hasChecks(task) ? [ciServer(ciAnswers({ door, task, connection, shelf: request.shelf }))] : []),
    ...(endsInPullRequest(request) ? [pullRequestServer(describing(request))] : []),
    ...(request.review ? [reviewServer(request.review)] : []),
    ...(backend ? [progressServer((progress) => backend.progress(progress))] : []),
  ];
}

/** With a prompt alone the comment shows Claude's last words; to write more of it is the workflow's to allow. */
function mayReport({ door, task }: ToolRequest): boolean {
  return hasBranch(task) || allowsByName(door, /mcp__github_comment/);
}

function publishingServer({ door, checkout }: ToolRequest): ToolServer {
  const publisher = () => {
    const prepared = checkout();
    if (!prepared) throw new AppError('internal', 'There is no branch to publish to yet.');
    return prepared.publisher;
  };
  return commitsByFile(door.config)
    ? fileCommitsServer(async (request: FileCommit) => publisher().commit(request))
    : filesServer(async () => publisher().push());
}

/** Work on a pull request goes to that one. */
function endsInPullRequest({ door, task }: ToolRequest): boolean {
  const { createPullRequest } = door.config;
  return hasBranch(task) && createPullRequest !== 'link' && task.subject?.kind !== 'pull_request';
}

function describing({ describe }: ToolRequest) {
  return async (said: { title?: string; body: string }) => {
    describe(said);
    return 'The pull request is opened with this text when you end.';
  };
}
