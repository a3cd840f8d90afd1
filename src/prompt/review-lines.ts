/** How to review a pull request, and how to review it again. */
import type { ReviewEvent } from '../words/review.ts';

/** Earlier reviews by our own login. */
export interface OwnReviews {
  /** The commit that the last one covered, and what came after it; null where it does not say. */
  reviewed: { head: string; since: 'nothing' | 'commits' | 'rewritten' } | null;
  /** Review threads that they began, by their numbers in the prompt. */
  threads: { number: number; state: 'open' | 'outdated' | 'answered' | 'resolved' }[];
}

const tool = (name: string) => `\`mcp__github_inline_comment__${name}\``;

export interface ReviewFacts {
  /** Whether `github_inline_comment` is registered. */
  canPost: boolean;
  /** `review_events` */
  events: ReviewEvent[];
  ownReviews: OwnReviews | null;
}

export function reviewLines({ canPost, events, ownReviews }: ReviewFacts): string[] {
  const lines: string[] = [];
  if (canPost) {
    const allowed = events.map((event) => `\`${event}\``).join(' or ');
    lines.push(
      `- A review is posted as one: put each finding on its line with ${tool('create_inline_comment')} (a \`suggestion\` block where a few lines fix it), then call ${tool('submit_review')} with your conclusion (event ${allowed}). Report what matters: bugs, security, missing tests. No praise, no matters of taste.`,
    );
  }
  if (ownReviews) {
    lines.push(`- ${reviewedSentence(ownReviews)}${changesSentence(ownReviews)}`);
    if (ownReviews.threads.length > 0) lines.push(threadLine(ownReviews, canPost));
  }
  return lines;
}

function reviewedSentence({ reviewed }: OwnReviews): string {
  return reviewed
    ? `You have reviewed this pull request before, last at ${reviewed.head.slice(0, 10)}.`
    : 'You have reviewed this pull request before.';
}

function changesSentence({ reviewed }: OwnReviews): string {
  switch (reviewed?.since) {
    case 'commits':
      return ` \`git diff ${reviewed.head}..HEAD\` shows what has changed since: begin there.`;
    case 'rewritten':
      return ' That commit is not among its commits any more, as its history was rewritten: go through the whole diff.';
    case 'nothing':
      return ' Nothing was pushed since.';
    default:
      return '';
  }
}

const states: Record<OwnReviews['threads'][number]['state'], string> = {
  open: 'open',
  outdated: 'open, their lines have changed',
  answered: 'answered by people',
  resolved: 'resolved',
};

function threadLine({ threads }: OwnReviews, canAnswer: boolean): string {
  const groups = Object.entries(states).flatMap(([state, words]) => {
    const numbers = threads.filter((one) => one.state === state).map(({ number }) => number);
    return numbers.length > 0 ? [`${numbers.join(', ')} (${words})`] : [];
  });
  const rest = canAnswer
    ? `Resolve with ${tool('resolve_review_thread')} what the changes settle. Weigh what people answered: resolve it, or reply with ${tool('reply_to_review_thread')} if there is something new to say. Report only what is new; without anything new, your conclusion in one or two sentences is the review.`
    : 'Report only what is new.';
  return `- Your earlier findings are the review threads ${groups.join('; ')}. Do not say any of them again, resolved or not. ${rest}`;
}
