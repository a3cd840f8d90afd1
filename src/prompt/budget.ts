/** Chooses what of a thread fits into the prompt, newest and nearest first, and counts what does not. */
import type { Thread } from '../words/thread.ts';

/** Nearest first; within a rank the newest is first. */
const ranks = ['own thread', 'opening', 'unresolved', 'recent', 'changes', 'rest'] as const;
type Rank = (typeof ranks)[number];

/** One part of the material. */
export interface Piece {
  section: 'opening' | 'conversation' | 'threads' | 'changes';
  /** As it is counted: `comments`, `review threads`. */
  what: string;
  /** ISO 8601; the order in which the prompt shows it. */
  at: string;
  rank: Rank;
  /** ISO 8601 of the last edit of what it shows. */
  editedAt?: string | null;
  /** How a reader refers to it: the number and heading of a review thread. */
  title?: { number: number; text: string };
  /** The whole text when it fits into `room` characters, a part of it when parts make sense, else null. */
  render: (room: number) => Rendered | null;
  /** As much of it as fits into `room` characters, with a note: for a piece that is asked for by itself. */
  cut?: (room: number) => string;
}

interface Rendered {
  text: string;
  /** What of the piece is missing, by its own count. */
  missing?: { what: string; count: number };
}

export interface Chosen {
  /** By section, oldest first. */
  sections: Map<Piece['section'], string[]>;
  leftOut: Thread['leftOut'];
  /** Pieces that did not fit, or of which a text is cut. */
  missing: Piece[];
}

/** A piece that is shown whole or not at all. */
export function whole(text: string): Piece['render'] {
  return (room) => (text.length <= room ? { text } : null);
}

/** The beginning of a text, with a note of how much is missing. @param room characters, the note's included */
export function beginning(text: string, room: number): string {
  if (text.length <= room) return text;
  const kept = text.slice(0, Math.max(0, room - 50));
  return `${kept}\n[cut: ${text.length - kept.length} more characters]`;
}

/** @param room characters that all pieces together may take. */
export function choose(pieces: Piece[], room: number): Chosen {
  const order = pieces.toSorted(
    (a, b) => ranks.indexOf(a.rank) - ranks.indexOf(b.rank) || compare(b.at, a.at),
  );
  const shown = new Map<Piece, string>();
  const leftOut: Thread['leftOut'] = [];
  const missing: Piece[] = [];
  const cut: Piece[] = [];
  let left = room;
  for (const piece of order) {
    const rendered = piece.render(left);
    if (!rendered) {
      missing.push(piece);
      continue;
    }
    left -= rendered.text.length;
    shown.set(piece, rendered.text);
    if (!rendered.missing) continue;
    leftOut.push({ ...rendered.missing, why: tooLong });
    cut.push(piece);
  }
  const sections: Chosen['sections'] = new Map();
  for (const piece of pieces.toSorted((a, b) => compare(a.at, b.at))) {
    const text = shown.get(piece);
    if (text !== undefined) sections.set(piece.section, [...(sections.get(piece.section) ?? []), text]);
  }
  return { sections, leftOut: [...leftOut, ...count(missing)], missing: [...missing, ...cut] };
}

const tooLong = 'over the size limit of the prompt';

/** Per kind: how many, and from when, so that a reader can tell whether they matter. */
function count(missing: Piece[]): Thread['leftOut'] {
  return [...Map.groupBy(missing, (piece) => piece.what)].map(([what, pieces]) => {
    const days = pieces.map((piece) => piece.at.slice(0, 10)).toSorted(compare);
    const span = days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`;
    return { what, count: pieces.length, why: `${tooLong}, from ${span}` };
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
