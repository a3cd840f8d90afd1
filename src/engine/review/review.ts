/** The review that one run collects: what Claude calls its tools with, held against the diff and what was said before. */
import { randomUUID } from 'node:crypto';
import { isAbsolute, posix, relative } from 'node:path';
import { type FileDiff, readPinnedDiff } from '../../context/diff.ts';
import { locate } from '../../context/diff-lines.ts';
import type { FetchedThread } from '../../context/fetch.ts';
import { fetchViewer } from '../../github/permissions.ts';
import { type InlineComment, listInlineComments } from '../../github/reviews.ts';
import type { InlineComment as Asked, ReviewActions } from '../../mcp/review.ts';
import { placeName } from '../../report/review.ts';
import { AppError } from '../../words/errors.ts';
import type { Result } from '../../words/result.ts';
import type { CollectedReview, Finding, ReviewEvent } from '../../words/review.ts';
import type { Task } from '../../words/task.ts';
import type { PullRequestFacts, ReviewThread } from '../../words/thread.ts';
import type { Connection } from '../connect.ts';
import type { Door } from '../door.ts';
import { collected, isOwn, ownFindings, repeated } from './own-findings.ts';
import { postReview, withReview } from './review-post.ts';

export interface ReviewRequest {
  door: Door;
  task: Task;
  connection: Connection;
  /** The pull request as the prompt shows it; null where it shows none, or none yet. */
  gathered(): Pick<FetchedThread, 'thread' | 'viewer'> | null;
}

/** What is known of the pull request when the first finding comes. */
interface Known {
  facts: Pick<PullRequestFacts, 'files' | 'base' | 'head'>;
  ownLogin: string;
  earlier: InlineComment[];
}

/** Null for a task that is about no pull request. */
export function reviewOf(request: ReviewRequest): Review | null {
  const { subject } = request.task;
  return subject?.kind === 'pull_request' ? new Review(request, subject.number) : null;
}

export class Review implements ReviewActions {
  readonly answer?: ReviewActions['answer'];
  private readonly request: ReviewRequest;
  private collected: CollectedReview;
  private known: Promise<Known> | null = null;
  private readonly answers = new Map<string, Promise<unknown>>();

  constructor(request: ReviewRequest, number: number) {
    this.request = request;
    this.collected = {
      ...{ id: randomUUID(), number, head: '', findings: [] },
      ...{ conclusion: null, answers: [], posted: false },
    };
    if (request.task.mode === 'tag') this.answer = (thread, answer) => this.answerIn(thread, answer);
  }

  /** Posts all of it as one review. Never throws: a review that could not be posted is part of how the run ended. */
  async post(result: Result): Promise<Result> {
    if (!this.known) return result;
    const { door, task, connection } = this.request;
    try {
      const { ownLogin } = await this.know();
      const posted = await postReview({
        ...{ client: connection.client, repository: task.repository, review: this.collected, ownLogin },
        ...{ run: door.run, fixLinks: door.config.includeFixLinks, redact: door.redact },
        ...{ succeeded: result.conclusion === 'success', again: false },
        save: (review) => this.save(review),
      });
      return withReview(result, posted);
    } catch (error) {
      // Here nothing is lost, whatever GitHub does.
      if (!this.collected.posted) door.log.warning(`What could not be posted:\n${asText(this.collected)}`);
      return withReview(result, { error });
    }
  }

  async comment(asked: Asked): Promise<string> {
    if (asked.confirmed === false) return 'The tool works. Nothing was collected, as `confirmed` is false.';
    const { facts, earlier } = await this.know();
    const place = placeOf(asked, this.request.door.directory);
    if (asked.commit_id && !facts.head.sha.startsWith(asked.commit_id.toLowerCase()))
      throw refusal(`The review is of ${facts.head.sha}, not of \`commit_id\`.`, 'Leave `commit_id` out.');
    if (place.side === 'LEFT' && /^ {0,3}(`{3,}|~{3,})suggestion\b/m.test(asked.body))
      throw refusal('GitHub applies no suggestion to deleted lines.', 'Put it on a line of side RIGHT.');
    const finding = { ...place, body: asked.body, code: await this.codeAt(place) };
    this.demandNews(finding, earlier);
    this.save({ findings: [...this.collected.findings, finding] });
    const count = this.collected.findings.length;
    const where = finding.code
      ? ''
      : ' GitHub shows no diff of this file, so the finding will stand in the body of the review.';
    return `Collected (${count} so far); it is posted when you end.${where}`;
  }

  async submit({ event, body }: { event: ReviewEvent; body: string }): Promise<string> {
    const { task, door } = this.request;
    const allowed = door.config.reviewEvents;
    if (!allowed.includes(event)) {
      const list = allowed.map((one) => `\`${one}\``).join(', ');
      throw refusal(
        `The input \`review_events\` of this workflow allows ${list}, not \`${event}\`.`,
        `Submit it with an event that is allowed, and say in \`body\` what you would have chosen.`,
      );
    }
    const { ownLogin } = await this.know();
    const isAuthor = ownLogin.toLowerCase() === task.subject?.author.login.toLowerCase();
    if (event !== 'COMMENT' && isAuthor)
      throw refusal(
        'GitHub lets nobody approve their own pull request, or ask for changes of it.',
        'Submit it as `COMMENT`.',
      );
    if (event === 'REQUEST_CHANGES' && !body.trim())
      throw refusal('`REQUEST_CHANGES` needs a `body`.', 'Say in it what has to change.');
    this.save({ conclusion: { event, body } });
    return `The review is posted as ${event} when you end, with ${plural(this.collected.findings.length, 'inline comment')} so far.`;
  }

  private async answerIn(number: number, given: { body: string | null; resolve: boolean }): Promise<string> {
    const { ownLogin } = await this.know();
    const thread = this.threads[number - 1];
    if (!thread)
      throw refusal(
        `There is no review thread ${number}.`,
        `They have the numbers 1 to ${this.threads.length}.`,
      );
    const [first] = thread.comments;
    if (!first || !isOwn({ login: first.author.login, body: first.body }, ownLogin))
      throw refusal(`Review thread ${number} is not yours.`, 'Leave it to whoever began it.');
    if (thread.resolved && given.resolve) return `Review thread ${number} is resolved already.`;
    const others = this.collected.answers.filter(({ commentId }) => commentId !== first.id);
    this.save({ answers: [...others, { commentId: first.id, ...given, done: false }] });
    return `Review thread ${number} ${given.resolve ? 'is resolved' : 'gets your reply'} when you end.`;
  }

  private demandNews(finding: Finding, earlier: InlineComment[]): void {
    const same = repeated(finding, earlier);
    if (same) {
      const index = this.threads.findIndex(({ comments }) => comments[0]?.id === same.id);
      const name = index < 0 ? `the thread at ${same.url}` : `review thread ${index + 1}`;
      throw refusal(
        `An earlier review of yours says this already, or something else in this place: ${name}.`,
        index < 0
          ? 'Do not say it again. Something new goes into the body of `submit_review`.'
          : 'Do not say it again. Something new in this place goes there with `reply_to_review_thread`.',
      );
    }
    const twice = collected(finding, this.collected.findings);
    if (twice)
      throw refusal(`You have said this already: ${placeName(twice)}.`, 'Go on with the next finding.');
  }

  /** The lines of the diff; null where GitHub shows none. */
  private async codeAt(place: Omit<Finding, 'body' | 'code'>): Promise<string[] | null> {
    const { facts } = await this.know();
    const { connection, task } = this.request;
    const diff: FileDiff | null = await readPinnedDiff(
      {
        rest: (route, parameters) => this.once(route, parameters, connection),
        repository: task.repository,
        number: this.collected.number,
        ...{ facts, base: facts.base.sha },
      },
      place.path,
    );
    if (!diff)
      throw refusal(
        `The pull request does not change \`${place.path}\`.`,
        'Give the path as `git diff --stat` has it, of a renamed file the new one. What concerns other files goes into the body of `submit_review`.',
      );
    if (diff.patch === null) return null;
    const located = locate(diff.patch, place);
    if ('problem' in located) throw refusal(located.problem, located.remedy);
    return located.code;
  }

  /** A page of the list of files serves many findings. */
  private once<T>(route: string, parameters: Record<string, unknown>, { client }: Connection): Promise<T> {
    const key = JSON.stringify([route, parameters]);
    const known = this.answers.get(key) ?? client.rest<T>(route, parameters);
    this.answers.set(key, known);
    known.catch(() => this.answers.delete(key));
    return known as Promise<T>;
  }

  private get threads(): ReviewThread[] {
    return this.request.gathered()?.thread.pullRequest?.reviewThreads ?? [];
  }

  private know(): Promise<Known> {
    this.known ??= this.read();
    this.known.catch(() => {
      this.known = null;
    });
    return this.known;
  }

  private async read(): Promise<Known> {
    const { task, connection } = this.request;
    const { client } = connection;
    const { owner, name } = task.repository;
    const { number } = this.collected;
    const gathered = this.request.gathered();
    const read = gathered?.thread.pullRequest;
    const viewer = gathered?.viewer ?? (await fetchViewer(client));
    const [facts, comments] = await Promise.all([
      read ?? this.readFacts(),
      listInlineComments(client, { owner, repo: name, number }),
    ]);
    this.collected = { ...this.collected, head: facts.head.sha };
    const ownLogin = viewer?.login ?? '';
    return { facts, ownLogin, earlier: ownFindings(comments, ownLogin) };
  }

  /** Where no thread was read: at the commit that the event names, as that is what was checked out. */
  private async readFacts(): Promise<Known['facts']> {
    const { task, connection } = this.request;
    const { owner, name } = task.repository;
    type RawEnds = { head: { ref: string; sha: string }; base: { ref: string; sha: string } };
    const { head, base } = await connection.client.rest<RawEnds>(
      'GET /repos/{owner}/{repo}/pulls/{pull_number}',
      { owner, repo: name, pull_number: this.collected.number },
    );
    const sha = task.subject?.head?.sha ?? head.sha;
    return { files: [], base, head: { ref: head.ref, sha, repository: null } };
  }

  private save(change: Partial<CollectedReview>): void {
    this.collected = { ...this.collected, ...change };
    this.request.door.remember('review', this.collected);
  }
}

function placeOf(asked: Asked, directory: string): Omit<Finding, 'body' | 'code'> {
  const { startLine, side = 'RIGHT' } = asked;
  const line = asked.line ?? startLine;
  if (line === undefined) throw refusal('No `line` was given.', 'Give the line that the finding is about.');
  if (startLine !== undefined && startLine > line)
    throw refusal(
      '`startLine` comes after `line`.',
      'Give the first line as `startLine`, the last as `line`.',
    );
  const path = posix.normalize(isAbsolute(asked.path) ? relative(directory, asked.path) : asked.path);
  return { path, line, startLine: startLine === line ? null : (startLine ?? null), side };
}

function asText({ findings, conclusion }: CollectedReview): string {
  const said = findings.map((finding) => `${placeName(finding)}:\n${finding.body}`);
  return [...said, conclusion?.body].filter(Boolean).join('\n\n');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function refusal(message: string, remedy: string): AppError {
  return new AppError('invalid_input', message, { remedy });
}
