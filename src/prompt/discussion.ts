/** A discussion as the tool shows it: between the markers of all other people's text, in pages of bounded size. Pure. */
import { AppError } from '../words/errors.ts';
import type { DiscussionReply, DiscussionThread } from '../words/thread.ts';
import { beginning } from './budget.ts';
import type { Markers } from './markers.ts';
import { about } from './material.ts';
import { answerRoom } from './shelf.ts';

/** Longest text of one comment: several have to fit on a page. Characters. */
const longestText = 30_000;

/** @param page from 1; the first begins with the discussion itself. @throws AppError `invalid_input` */
export function discussionAnswer(thread: DiscussionThread, markers: Markers, page: number): string {
  const pages = paged([opening(thread, markers), ...comments(thread, markers)]);
  const shown = pages[page - 1];
  if (!shown)
    throw new AppError('invalid_input', `There is no page ${page}.`, {
      remedy: `The discussion has ${pages.length === 1 ? 'one page' : `${pages.length} pages`}.`,
    });
  const left = thread.leftOut.map(({ what, count, why }) => `${count} ${what} (${why})`);
  const notes = [
    ...(pages.length > 1 ? [`This is page ${page} of ${pages.length}.`] : []),
    ...(left.length > 0 ? [`Not shown: ${left.join(', ')}.`] : []),
  ];
  return [shown.join('\n'), ...notes].join('\n\n');
}

function opening({ number, title, body, author, createdAt }: DiscussionThread, markers: Markers): string {
  const attributes = { kind: 'discussion', number, author: author.login, at: createdAt };
  const text = `${markers.line(title)}\n\n${markers.text(body)}`.trim();
  return markers.enclose('untrusted', attributes, beginning(text, longestText));
}

/** Each with a number of its own, by which a reply names what it answers. */
function comments(thread: DiscussionThread, markers: Markers): string[] {
  const numbers = new Map(thread.comments.map(({ id }, index) => [id, index + 1]));
  return thread.comments.map((comment: DiscussionReply) => {
    const attributes = {
      ...about('comment', comment),
      comment: numbers.get(comment.id),
      reply_to: comment.replyTo === null ? null : (numbers.get(comment.replyTo) ?? 'a comment not shown'),
      state: comment.isAnswer ? 'chosen as the answer' : null,
    };
    const text = markers.text(comment.body) || '(no text)';
    return markers.enclose('untrusted', attributes, beginning(text, longestText));
  });
}

function paged(texts: string[]): string[][] {
  const pages: string[][] = [[]];
  let room = answerRoom;
  for (const text of texts) {
    if (text.length > room && pages.at(-1)!.length > 0) {
      pages.push([]);
      room = answerRoom;
    }
    pages.at(-1)!.push(text);
    room -= text.length + 1;
  }
  return pages;
}
