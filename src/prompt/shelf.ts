/** What the prompt had no room for, in answers of bounded size: the same pieces, between the same markers. Pure. */
import { AppError } from '../words/errors.ts';
import type { Thread } from '../words/thread.ts';
import { beginning, choose, type Piece } from './budget.ts';
import type { Markers } from './markers.ts';
import { fileLines, piecesOf } from './material.ts';
import { threadSection } from './thread-section.ts';

/** Characters of one answer: Claude Code takes 25,000 tokens from a tool. */
export const answerRoom = 40_000;

/** One thread as the prompt saw it. */
export interface Shelf {
  thread: Thread;
  markers: Markers;
  pieces: Piece[];
  /** Those that are not in the prompt. */
  missing: Piece[];
}

/** One file of a pull request's diff; `patch` is null where GitHub shows none (binary, too large). */
export interface FileDiff {
  path: string;
  status: string;
  patch: string | null;
}

/**
 * Comments and reviews that the prompt does not show, the newest page first; within a page the oldest is first. A
 * description that it cuts is the oldest of them.
 * @param before the number that an earlier answer named; null for the newest.
 */
export function commentsAnswer({ missing }: Pick<Shelf, 'missing'>, before: number | null): string {
  const all = missing
    .filter(({ section }) => section === 'conversation' || section === 'opening')
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const end = Math.min(all.length, Math.max(0, (before ?? all.length + 1) - 1));
  if (end === 0)
    return all.length === 0 ? 'The prompt shows every comment and review.' : 'There are no older ones.';
  const texts: string[] = [];
  for (let left = answerRoom; end > texts.length; ) {
    const piece = all[end - texts.length - 1]!;
    const rendered = piece.render(left);
    const isWhole = rendered && !rendered.missing;
    // Only what has a page of its own is cut.
    const text = isWhole || texts.length === 0 ? (rendered?.text ?? piece.cut?.(left)) : null;
    if (!text) break;
    texts.unshift(text);
    left -= text.length + 1;
  }
  const from = end - texts.length + 1;
  const older = from > 1 ? ` Call it again with \`before\` ${from} for older ones.` : '';
  return `${texts.join('\n')}\n\nThese are ${from} to ${end} of ${all.length} that the prompt does not show.${older}`;
}

/** One review thread; the list of those that the prompt does not show when `number` is null. */
export function threadAnswer({ thread, pieces, missing }: Shelf, number: number | null): string {
  if (number === null) {
    const lines = missing.flatMap(({ title }) => (title ? [`- ${title.text}`] : []));
    if (lines.length === 0) return 'The prompt shows every review thread.';
    return beginning(['Review threads that the prompt does not show:', ...lines].join('\n'), answerRoom);
  }
  const count = thread.pullRequest?.reviewThreads.length ?? 0;
  if (number > count) {
    throw new AppError('invalid_input', `There is no review thread ${number}.`, {
      remedy: count > 0 ? `They have the numbers 1 to ${count}.` : 'The pull request has none.',
    });
  }
  const piece = pieces.find(({ title }) => title?.number === number);
  if (!piece) return 'The request itself is all of it.';
  return piece.render(answerRoom)?.text ?? piece.cut!(answerRoom);
}

const filesOfPage = 300;

/** @param page from 1. */
export function filesAnswer({ thread, markers }: Pick<Shelf, 'thread' | 'markers'>, page: number): string {
  const all = fileLines({ thread, markers });
  if (all.length === 0) return 'There is no list of the changed files; `git diff --stat` makes one.';
  const from = (page - 1) * filesOfPage;
  const lines = all.slice(from, from + filesOfPage);
  if (lines.length === 0) {
    const pages = Math.ceil(all.length / filesOfPage);
    throw new AppError('invalid_input', `There is no page ${page}.`, {
      remedy: `There are ${all.length} changed files, on ${pages} ${pages === 1 ? 'page' : 'pages'}.`,
    });
  }
  const text = beginning(lines.join('\n'), answerRoom);
  const list = markers.enclose('untrusted', { kind: 'changed files' }, text);
  return `${list}\n\nThese are ${from + 1} to ${from + lines.length} of ${all.length}.`;
}

export function diffAnswer({ markers }: Pick<Shelf, 'markers'>, { path, status, patch }: FileDiff): string {
  if (patch === null) return `GitHub shows no diff of this file (binary, or too large); \`git diff\` does.`;
  const shown = beginning(patch, answerRoom);
  const more = shown.length < patch.length ? '\n\nIt is cut: `git diff` shows all of it.' : '';
  return `${markers.enclose('untrusted', { kind: 'diff', path, status }, markers.code(shown))}${more}`;
}

/** Another thread, whole as far as it fits. */
export function otherThreadAnswer({ markers }: Pick<Shelf, 'markers'>, thread: Thread): string {
  const chosen = choose(piecesOf({ thread, markers, request: null, item: null }), answerRoom);
  return threadSection({ thread, images: null }, chosen, [...thread.leftOut, ...chosen.leftOut]);
}
