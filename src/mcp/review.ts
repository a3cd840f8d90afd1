/** `github_inline_comment`: a review of the pull request, collected by the host and posted as one when the run ends. */
import { z } from 'zod';
import { type ReviewEvent, reviewEvents, type Side } from '../words/review.ts';
import type { ToolServer } from '../words/tool.ts';
import { defineTool } from './tool.ts';

export interface InlineComment {
  path: string;
  body: string;
  line?: number;
  startLine?: number;
  side?: Side;
  commit_id?: string;
  confirmed?: boolean;
}

/** What becomes of the calls. Each throws AppError for a "no" that Claude can act on. */
export interface ReviewActions {
  comment(comment: InlineComment): Promise<string>;
  submit(conclusion: { event: ReviewEvent; body: string }): Promise<string>;
  /** Absent where Claude has not been shown the review threads. */
  answer?(thread: number, answer: { body: string | null; resolve: boolean }): Promise<string>;
}

/** GitHub takes 65,536 characters; what the host adds needs some of them. */
const longestBody = 60_000;
const whole = z.number().int().min(1);
const markdown = z.string().trim().min(1).max(longestBody);
const thread = whole.describe('As in "Review thread 12".');

export function reviewServer(actions: ReviewActions): ToolServer {
  const { answer } = actions;
  return {
    name: 'github_inline_comment',
    tools: [
      createInlineComment(actions),
      submitReview(actions),
      ...(answer ? [resolveReviewThread(answer), replyToReviewThread(answer)] : []),
    ],
  };
}

function createInlineComment(actions: ReviewActions) {
  return defineTool({
    name: 'create_inline_comment',
    description:
      'Puts one finding of your review on a line, or on several, of the pull request\'s diff. Findings are collected and posted as one review when you end. A "suggestion" block replaces exactly the lines from startLine to line. What an earlier review of yours says already is refused.',
    inputSchema: {
      path: z.string().trim().min(1).describe('Path of the file in the repository.'),
      body: z
        .string()
        .min(1)
        .max(longestBody)
        .describe('What is wrong, why, and what would be right; GitHub markdown.'),
      line: whole.optional().describe('The line; of several the last one.'),
      startLine: whole.optional().describe('The first of several lines; in the same hunk as `line`.'),
      side: z
        .enum(['LEFT', 'RIGHT'])
        .optional()
        .describe('RIGHT, unless told: the file after the change. LEFT for lines that were deleted.'),
      commit_id: z.string().optional().describe('Not needed: the review is of the commit that you see.'),
      confirmed: z.boolean().optional().describe('False only to try the tool: nothing is posted then.'),
    },
    run: (asked) => actions.comment(asked),
  });
}

function submitReview(actions: ReviewActions) {
  return defineTool({
    name: 'submit_review',
    description:
      'Gives your review its verdict and its conclusion. It is posted with your inline comments, as one review, when you end; called again, the last call counts.',
    inputSchema: {
      event: z
        .enum(reviewEvents)
        .default('COMMENT')
        .describe('COMMENT, unless you may and want to say more.'),
      body: z
        .string()
        .max(longestBody)
        .default('')
        .describe('The conclusion, GitHub markdown; not the inline comments again.'),
    },
    run: (conclusion) => actions.submit(conclusion),
  });
}

type Answer = NonNullable<ReviewActions['answer']>;

function resolveReviewThread(answer: Answer) {
  return defineTool({
    name: 'resolve_review_thread',
    description:
      'Resolves a review thread that an earlier review of yours opened, because the change settles it. Done when you end, with your review.',
    inputSchema: {
      thread,
      body: markdown.optional().describe('What settled it, as a reply; one sentence.'),
    },
    run: ({ thread: number, body }) => answer(number, { body: body ?? null, resolve: true }),
  });
}

function replyToReviewThread(answer: Answer) {
  return defineTool({
    name: 'reply_to_review_thread',
    description:
      'Answers in a review thread that an earlier review of yours opened, and leaves it as it is. Only for something new: an answer to people, or another finding in the same place. Done when you end, with your review.',
    inputSchema: { thread, body: markdown.describe('The reply, GitHub markdown.') },
    run: ({ thread: number, body }) => answer(number, { body, resolve: false }),
  });
}
