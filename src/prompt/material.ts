/** One issue or pull request as pieces of text between markers. */
import type { Item } from '../words/event.ts';
import type { Review, ReviewThread, Thread, ThreadComment } from '../words/thread.ts';
import { beginning, type Piece, whole } from './budget.ts';
import type { Attributes, Markers } from './markers.ts';

/** Comments and reviews that come before the list of changes when room is scarce. */
const recentCount = 30;
/** A description is not cut shorter than this: less says nothing. */
const shortestCut = 500;

/** Characters that are kept for the markers around a text that is cut. */
const markerRoom = 1_500;

export interface MaterialInput {
  thread: Thread;
  markers: Markers;
  /** What is shown as the request, and so not again; null when the request is ours. */
  request: Item | null;
  /** The item that the event is about, whoever wrote it. */
  item: Item | null;
}

/** All that the thread has besides the request. */
export function piecesOf(input: MaterialInput): Piece[] {
  const { thread, request } = input;
  const openingIsRequest = request?.kind === 'issue' || request?.kind === 'pull_request';
  return [
    ...(openingIsRequest ? [] : [openingPiece(input)]),
    ...conversation(input),
    ...(thread.pullRequest?.reviewThreads ?? []).flatMap((reviewThread, index) =>
      threadPiece(input, reviewThread, index),
    ),
    ...changes(input),
  ];
}

/** Title, description and what GitHub shows beside them, as the markers' attributes and text. */
export function opening({ thread, markers }: Pick<MaterialInput, 'thread' | 'markers'>): {
  attributes: Attributes;
  text: string;
} {
  const facts = thread.pullRequest;
  const attributes = {
    kind: thread.kind === 'issue' ? 'issue' : 'pull request',
    author: thread.author.login,
    association: thread.authorAssociation,
    at: thread.createdAt,
    labels: thread.labels.join(', '),
    assignees: thread.assignees.join(', '),
    milestone: thread.milestone,
    closes: facts?.linkedIssues.map((issue) => `#${issue.number} ${issue.title}`).join('; '),
    checks: facts?.checks?.state,
  };
  const body = markers.text(thread.body) || '(no description)';
  return { attributes, text: `Title: ${markers.line(thread.title)}\n\n${body}` };
}

function openingPiece(input: MaterialInput): Piece {
  const { attributes, text } = opening(input);
  const enclosed = (shown: string) => input.markers.enclose('untrusted', attributes, shown);
  return {
    section: 'opening',
    what: 'title and description',
    at: input.thread.createdAt,
    rank: 'opening',
    render: (room) => {
      if (enclosed(text).length <= room) return { text: enclosed(text) };
      const kept = room - enclosed('').length - 100;
      if (kept < shortestCut) return null;
      const count = text.length - kept;
      const missing = { what: 'characters of the description', count };
      return { text: enclosed(`${text.slice(0, kept)}\n[cut: ${count} more characters]`), missing };
    },
  };
}

/** Comments and reviews in one list, as they were said. */
function conversation({ thread, markers, request }: MaterialInput): Piece[] {
  const isRequest = (kind: Item['kind'], id: number) => request?.kind === kind && request.id === id;
  const comments = thread.comments.filter(({ id }) => !isRequest('issue_comment', id));
  // A review without words is only the envelope of its inline comments, unless it says yes or no.
  const reviews = (thread.pullRequest?.reviews ?? []).filter(
    (review) => !isRequest('review', review.id) && (review.body.trim() || review.state !== 'COMMENTED'),
  );
  const said = [
    ...comments.map((comment) => ({
      what: 'comments',
      item: comment,
      attributes: about('comment', comment),
    })),
    ...reviews.map((review) => ({ what: 'reviews', item: review, attributes: aboutReview(review) })),
  ].toSorted((a, b) => Date.parse(b.item.createdAt) - Date.parse(a.item.createdAt));
  return said.map(({ what, item, attributes }, index) => {
    const text = markers.text(item.body) || '(no text)';
    return {
      section: 'conversation',
      what,
      at: item.createdAt,
      editedAt: item.editedAt,
      rank: index < recentCount ? 'recent' : 'rest',
      render: whole(markers.enclose('untrusted', attributes, text)),
      cut: (room) => markers.enclose('untrusted', attributes, beginning(text, room - markerRoom)),
    };
  });
}

/** How a marker describes a comment. */
export function about(kind: string, comment: ThreadComment): Attributes {
  return {
    kind,
    author: comment.author.login,
    association: comment.authorAssociation,
    at: comment.createdAt,
    edited: comment.editedAt,
  };
}

function aboutReview(review: Review): Attributes {
  return { ...about('review', review), state: review.state };
}

/** One review thread: where it is, the lines it is about, and what was said, without what the request already shows. */
function threadPiece(input: MaterialInput, thread: ReviewThread, index: number): Piece[] {
  const { markers, request, item } = input;
  const rest = thread.comments.filter((comment) => !isRequested(request, comment));
  const last = thread.comments.at(-1);
  if (rest.length === 0 || !last) return [];
  const state = [thread.resolved ? 'resolved' : 'unresolved', ...(thread.outdated ? ['outdated'] : [])];
  const heading = `Review thread ${index + 1}: ${state.join(', ')}`;
  const said = (comment: ThreadComment, room: number) =>
    markers.enclose(
      'untrusted',
      about('review comment', comment),
      beginning(markers.text(comment.body) || '(no text)', room),
    );
  const parts = [
    `#### ${heading}`,
    hunk(markers, thread),
    ...rest.map((comment) => said(comment, Number.POSITIVE_INFINITY)),
  ];
  const own = item?.kind === 'review_comment' && thread.comments.some(({ id }) => id === item.id);
  return [
    {
      section: 'threads',
      what: 'review threads',
      at: last.createdAt,
      rank: own ? 'own thread' : thread.resolved ? 'rest' : 'unresolved',
      title: { number: index + 1, text: `${heading}, ${markers.name(thread.path)}` },
      render: whole(parts.join('\n')),
      cut: (room) => {
        const short = { ...thread, diffHunk: beginning(thread.diffHunk, room / 8) };
        const top = [`#### ${heading}`, hunk(markers, short)];
        const texts = rest.map((comment) => said(comment, room / 8));
        return [...top, ...newest(texts, room - top.join('\n').length)].join('\n');
      },
    },
  ];
}

/** The last of the texts that fit, below a line that counts the others. */
function newest(texts: string[], room: number): string[] {
  let left = room - 100;
  let from = texts.length;
  while (from > 0 && texts[from - 1]!.length < left) {
    from -= 1;
    left -= texts[from]!.length + 1;
  }
  return from > 0 ? [`[${from} earlier comments are not shown]`, ...texts.slice(from)] : texts;
}

/** True for the triggering review comment, and for the asker's own inline comments of the triggering review. */
export function isRequested(request: Item | null, comment: ReviewThread['comments'][number]): boolean {
  if (request?.kind === 'review_comment') return request.id === comment.id;
  return (
    request?.kind === 'review' &&
    request.id === comment.reviewId &&
    request.author.login === comment.author.login
  );
}

/** The lines of the diff that a review thread is about. */
export function hunk(
  markers: Markers,
  thread: Pick<ReviewThread, 'path' | 'line' | 'startLine' | 'diffHunk'>,
): string {
  const { path } = thread;
  return markers.enclose(
    'untrusted',
    { kind: 'diff hunk', path, ...linesOf(thread) },
    markers.code(thread.diffHunk),
  );
}

/** `line=12`, or `lines="10-12"`. */
export function linesOf({
  line,
  startLine,
}: {
  line?: number | null;
  startLine?: number | null;
}): Attributes {
  return line && startLine && startLine !== line ? { lines: `${startLine}-${line}` } : { line };
}

/** Commits, changed files and checks, as lists that can be cut. */
function changes({ thread, markers }: MaterialInput): Piece[] {
  const facts = thread.pullRequest;
  if (!facts) return [];
  const late = facts.commits.filter((commit) => commit.late).length;
  const commits = facts.commits.map(
    ({ sha, author, headline }) => `${sha.slice(0, 10)} ${markers.line(author)}: ${markers.line(headline)}`,
  );
  const files = fileLines({ thread, markers });
  return [
    ...list(markers, {
      what: 'commits',
      lines: commits,
      at: '0',
      more: { newer_than_the_request: late || null },
    }),
    ...list(markers, { what: 'changed files', lines: files, at: '1' }),
    ...list(markers, { what: 'checks', lines: checkLines({ thread, markers }), at: '2' }),
  ];
}

/** Those that want attention first: what passed is the first to be cut. */
function checkLines({ thread, markers }: Pick<MaterialInput, 'thread' | 'markers'>): string[] {
  const passed = ['success', 'neutral', 'skipped'];
  const list = thread.pullRequest?.checks?.list ?? [];
  return list
    .toSorted((a, b) => Number(passed.includes(a.result)) - Number(passed.includes(b.result)))
    .map(({ name, result, title }) =>
      [`${markers.line(result)} ${markers.name(name)}`, markers.line(title)].filter(Boolean).join(': '),
    );
}

export function fileLines({ thread, markers }: Pick<MaterialInput, 'thread' | 'markers'>): string[] {
  return (thread.pullRequest?.files ?? []).map(
    ({ change, path, additions, deletions }) =>
      `${change.toLowerCase()} ${markers.name(path)} +${additions} -${deletions}`,
  );
}

interface List {
  what: string;
  lines: string[];
  at: string;
  more?: Attributes;
}

function list(markers: Markers, { what, lines, at, more }: List): Piece[] {
  if (lines.length === 0) return [];
  const enclosed = (shown: string[]) =>
    markers.enclose('untrusted', { kind: what, count: lines.length, ...more }, shown.join('\n'));
  const render: Piece['render'] = (room) => {
    let kept = 0;
    for (let size = enclosed([]).length; kept < lines.length; kept += 1) {
      size += lines[kept]!.length + 1;
      if (size > room) break;
    }
    const count = lines.length - kept;
    if (count === 0) return { text: enclosed(lines) };
    const missing = { what, count };
    return kept === 0 ? { text: '', missing } : { text: enclosed(lines.slice(0, kept)), missing };
  };
  return [{ section: 'changes', what, at, rank: 'changes', render }];
}
