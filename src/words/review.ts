/** A review of a pull request as it is collected during a run and posted at its end; JSON, so that `post` can post it. */
import * as z from 'zod/mini';

export const reviewEvents = ['COMMENT', 'APPROVE', 'REQUEST_CHANGES'] as const;
export type ReviewEvent = (typeof reviewEvents)[number];

/** LEFT counts the lines of the file before the change, RIGHT those after it. */
export type Side = 'LEFT' | 'RIGHT';

/** Lines of a file. `startLine` is null for a single one. */
export interface Place {
  path: string;
  line: number;
  startLine: number | null;
  side: Side;
}

export interface Finding extends Place {
  /** GitHub markdown, as Claude wrote it. */
  body: string;
  /** The lines as the diff shows them; null where GitHub shows no diff, so that it takes no comment on the line. */
  code: string[] | null;
}

/** What Claude does with a review thread of an earlier run. */
export interface ThreadAnswer {
  /** The comment that the thread begins with. */
  commentId: number;
  body: string | null;
  resolve: boolean;
  /** True once GitHub has it. */
  done: boolean;
}

export interface CollectedReview {
  /** Unique: the review is found again by it when an answer of GitHub is lost. */
  id: string;
  /** Of the pull request. */
  number: number;
  /** The commit that Claude saw. */
  head: string;
  findings: Finding[];
  /** As Claude submitted it; null as long as it has not. */
  conclusion: { event: ReviewEvent; body: string } | null;
  answers: ThreadAnswer[];
  /** True once GitHub has the review, or there is none; of its answers each says so for itself. */
  posted: boolean;
}

const whole = z.number().check(z.int(), z.minimum(1));

/** What may have been written by somebody else is held against this. */
export const collectedReview = z.object({
  id: z.uuid(),
  number: whole,
  head: z.string().check(z.regex(/^[0-9a-f]{40,64}$/)),
  findings: z.array(
    z.object({
      path: z.string(),
      line: whole,
      startLine: z.nullable(whole),
      side: z.enum(['LEFT', 'RIGHT']),
      body: z.string(),
      code: z.nullable(z.array(z.string())),
    }),
  ),
  conclusion: z.nullable(z.object({ event: z.enum(reviewEvents), body: z.string() })),
  answers: z.array(
    z.object({ commentId: whole, body: z.nullable(z.string()), resolve: z.boolean(), done: z.boolean() }),
  ),
  posted: z.boolean(),
}) satisfies z.ZodMiniType<CollectedReview>;
