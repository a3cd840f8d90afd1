/** Posts a collected review, exactly once and with nothing lost, whatever became of the pull request meanwhile. */
import { readPinnedDiff } from '../../context/diff.ts';
import { locate } from '../../context/diff-lines.ts';
import { type GitHubClient, statusOf } from '../../github/client.ts';
import { createComment, findComment } from '../../github/comments.ts';
import {
  createReview,
  findReview,
  type InlineComment,
  listInlineComments,
  openThreads,
  resolveThread,
} from '../../github/reviews.ts';
import { hidden } from '../../report/marker.ts';
import { asPart, findingBody, type ReviewView, replyBody, reviewBody } from '../../report/review.ts';
import { AppError, toUserMessage } from '../../words/errors.ts';
import type { Redact } from '../../words/redact.ts';
import type { Result } from '../../words/result.ts';
import type { CollectedReview, Finding, ReviewEvent } from '../../words/review.ts';
import { isOwn, ownFindings, repeated } from './own-findings.ts';

export interface PostRequest {
  client: GitHubClient;
  repository: { owner: string; name: string };
  review: CollectedReview;
  ownLogin: string;
  run: { workflow: string; job: string; id: string; attempt: string };
  fixLinks: boolean;
  redact: Redact;
  /** False when the run did not come to its end. */
  succeeded: boolean;
  /** True when an earlier process may have posted it, or parts of it. */
  again: boolean;
  save(review: CollectedReview): void;
}

export interface Posted {
  url: string | null;
  notes: string[];
}

/** What is tried after one another: GitHub takes a review as a whole or refuses it as a whole. */
interface Attempt {
  commit: string;
  event: ReviewEvent;
  placed: Finding[];
  unplaced: Finding[];
  notes: string[];
}

/** @throws AppError, RequestError when it could not be posted; called again, it goes on where it was. */
export async function postReview(request: PostRequest): Promise<Posted> {
  const notes: string[] = [];
  let { review } = request;
  const save = (change: Partial<CollectedReview>) => {
    review = { ...review, ...change };
    request.save(review);
  };
  const comments = needsComments(review) ? await listInlineComments(request.client, placeOf(request)) : [];
  let url: string | null = null;
  if (!review.posted) {
    url = await postOnce(request, comments, notes);
    save({ posted: true });
  }
  for (const [index, answer] of review.answers.entries()) {
    if (answer.done) continue;
    await answerThread(request, { index, comments, notes });
    save({ answers: review.answers.with(index, { ...answer, done: true }) });
  }
  return { url, notes };
}

function needsComments({ findings, answers, posted }: CollectedReview): boolean {
  return (!posted && findings.length > 0) || answers.some(({ done }) => !done);
}

/** Null when there is nothing to post. */
async function postOnce(
  request: PostRequest,
  comments: InlineComment[],
  notes: string[],
): Promise<string | null> {
  const { client, review, again } = request;
  const marker = hidden(viewOf(request).marker);
  const arrived = again ? await findArrived(request, marker) : null;
  if (arrived) return arrived;
  // Another run may have said the same while this one worked.
  const earlier = ownFindings(comments, request.ownLogin);
  const findings = review.findings.filter((finding) => !repeated(finding, earlier));
  const first: Attempt = {
    commit: review.head,
    event: eventOf(request),
    placed: findings.filter(({ code }) => code !== null),
    unplaced: findings.filter(({ code }) => code === null),
    notes: request.succeeded ? [] : ['The run ended before the review was finished.'],
  };
  const saysNothing = !review.conclusion?.body.trim() && first.event !== 'APPROVE';
  if (findings.length === 0 && saysNothing) return null;
  return send(request, first, notes).catch(async (error) => {
    if (!isRefused(error)) throw error;
    // A person who has a review under way cannot have another; a comment is taken where no review is.
    notes.push(`GitHub took no review (${said(error)}); what was found is in a comment.`);
    const body = bodyOf(request, unplacedAll(first));
    const { url } = await createComment(client, conversation(request), {
      body: body.body.replace(marker, hidden(commentMarker(request))),
      marker: hidden(commentMarker(request)),
    });
    return url;
  });
}

function isRefused(error: unknown): boolean {
  const forbidden = error instanceof AppError && error.reason === 'github_auth';
  return forbidden || statusOf(error) === 404 || statusOf(error) === 422;
}

async function findArrived(request: PostRequest, marker: string): Promise<string | null> {
  const review = await findReview(request.client, placeOf(request), marker);
  if (review) return review;
  const wanted = { marker: hidden(commentMarker(request)), login: null };
  return (await findComment(request.client, conversation(request), wanted))?.url ?? null;
}

/** An approval of a run that broke off would say more than Claude knew. */
function eventOf({ review, succeeded }: PostRequest): ReviewEvent {
  const event = review.conclusion?.event ?? 'COMMENT';
  return event === 'APPROVE' && !succeeded ? 'COMMENT' : event;
}

async function send(request: PostRequest, first: Attempt, notes: string[]): Promise<string> {
  let attempt = first;
  for (let tries = 1; ; tries += 1) {
    try {
      return await sendOnce(request, attempt);
    } catch (error) {
      if (statusOf(error) !== 422 || tries === 4) throw error;
      const next = await afterRefusal(request, attempt, error);
      if (!next) throw error;
      for (const note of next.notes)
        if (!notes.includes(note) && !first.notes.includes(note)) notes.push(note);
      attempt = next;
    }
  }
}

/** What GitHub may take instead; null when there is nothing left to change. */
async function afterRefusal(request: PostRequest, attempt: Attempt, error: unknown): Promise<Attempt | null> {
  if (attempt.event !== 'COMMENT' && /approve|request changes|own pull request/i.test(said(error))) {
    const note = `GitHub did not take ${attempt.event} (${said(error)}), so this is a COMMENT.`;
    return { ...attempt, event: 'COMMENT', notes: [...attempt.notes, note] };
  }
  if (attempt.placed.length === 0) return null;
  const note =
    'GitHub did not take all comments on lines, as the pull request has changed; those stand in the review.';
  const notes = attempt.notes.includes(note) ? attempt.notes : [...attempt.notes, note];
  const moved = await atNewHead(request, attempt);
  return moved ? { ...moved, notes } : { ...unplacedAll(attempt), notes };
}

/** At the head as it is now, with the comments whose lines are there as they were; null when that is no other attempt. */
async function atNewHead(request: PostRequest, attempt: Attempt): Promise<Attempt | null> {
  const { client, repository } = request;
  const { owner, repo, number } = placeOf(request);
  const ends = await client.rest<{ head: { sha: string }; base: { sha: string } }>(
    'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    { owner, repo, pull_number: number },
  );
  const address = {
    ...{ rest: client.rest, repository, number, base: ends.base.sha },
    facts: { files: [], head: ends.head },
  };
  const isThere = async (finding: Finding) => {
    const diff = await readPinnedDiff(address, finding.path);
    const located = diff?.patch ? locate(diff.patch, finding) : null;
    return located && 'code' in located && located.code.join('\n') === finding.code?.join('\n');
  };
  const placed: Finding[] = [];
  const lost: Finding[] = [];
  for (const finding of attempt.placed) ((await isThere(finding)) ? placed : lost).push(finding);
  if (placed.length === 0 || (lost.length === 0 && ends.head.sha === attempt.commit)) return null;
  return { ...attempt, commit: ends.head.sha, placed, unplaced: [...attempt.unplaced, ...lost] };
}

function unplacedAll(attempt: Attempt): Attempt {
  return { ...attempt, placed: [], unplaced: [...attempt.placed, ...attempt.unplaced] };
}

async function sendOnce(request: PostRequest, attempt: Attempt): Promise<string> {
  const { client } = request;
  const view = viewOf(request);
  const { body, continued } = bodyOf(request, attempt);
  const comments = attempt.placed.map((finding) => ({ ...finding, body: findingBody(finding, view) }));
  const { commit, event } = attempt;
  const review = { commit, event, body, comments };
  const url = await createReview(client, placeOf(request), { review, marker: hidden(view.marker) });
  for (const [index, part] of continued.entries())
    await createComment(client, conversation(request), {
      body: part,
      marker: hidden(asPart(view, index + 2).marker),
    });
  return url;
}

function bodyOf(request: PostRequest, { unplaced, notes }: Attempt) {
  return reviewBody(request.review, { unplaced, notes }, viewOf(request));
}

/** Parts of a body are few; the answers count on from here. */
const firstAnswer = 1_000;

/** Replies, and resolves what nobody else has. Only threads of ours: `post` may have been told of others. */
async function answerThread(
  request: PostRequest,
  { index, comments, notes }: { index: number; comments: InlineComment[]; notes: string[] },
): Promise<void> {
  const { client, review, ownLogin, again } = request;
  const answer = review.answers[index]!;
  const begun = comments.find(({ id }) => id === answer.commentId);
  if (!begun || begun.replyTo !== null || !isOwn(begun, ownLogin)) return;
  if (answer.body) {
    const view = asPart(viewOf(request), firstAnswer + index);
    const place = { ...conversation(request), replyTo: answer.commentId };
    const text = { body: replyBody(answer.body, view), marker: hidden(view.marker) };
    const arrived = again && comments.some(({ body }) => body.includes(text.marker));
    if (!arrived) await createComment(client, place, text);
  }
  if (!answer.resolve) return;
  try {
    const threadId = (await openThreads(client, placeOf(request))).get(answer.commentId);
    if (threadId) await resolveThread(client, threadId);
  } catch (error) {
    const why = toUserMessage(error).message;
    const note = `A review thread that is settled could not be resolved: ${why} GitHub asks for \`contents: write\` for that.`;
    if (!notes.includes(note)) notes.push(note);
  }
}

function viewOf({ repository, review, run, fixLinks, redact }: PostRequest): ReviewView {
  const { workflow, job, id, attempt } = run;
  return {
    repository: `${repository.owner}/${repository.name}`,
    number: review.number,
    ...{ fixLinks, redact },
    marker: { workflow, job, run: id, attempt, head: review.head, review: review.id },
  };
}

/** Of the comment in place of a review: no tracking comment, which a later run would write over. */
function commentMarker(request: PostRequest) {
  return asPart(viewOf(request), firstAnswer - 1).marker;
}

function placeOf({ repository, review }: PostRequest) {
  return { owner: repository.owner, repo: repository.name, number: review.number };
}

function conversation(request: PostRequest) {
  return { ...placeOf(request), replyTo: null };
}

function said(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}

/** The result with what became of the review: one that could not be posted is work that is lost. */
export function withReview(result: Result, posted: Posted | { error: unknown }): Result {
  if ('error' in posted) {
    const { reason, message, remedy } = toUserMessage(posted.error);
    const what = `The review could not be posted: ${message}`;
    if (result.conclusion !== 'success') return { ...result, notes: [...result.notes, what] };
    return { ...result, conclusion: 'failure', reason, summary: what, remedy, lastWords: result.summary };
  }
  const notes = [...result.notes, ...posted.notes];
  return { ...result, notes, ...(posted.url && { reviewUrl: posted.url }) };
}
