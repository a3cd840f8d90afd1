/** What Claude is told where a conversation of an earlier run goes on. */
import type { Piece } from './budget.ts';
import type { Markers } from './markers.ts';

/** What the earlier run left behind. */
export interface Earlier {
  /** ISO 8601: what was said in the thread until then has been shown; null when that is not known. */
  readAt: string | null;
  /** What it pushed; null for nothing. */
  branch: { name: string; sha: string } | null;
}

/** Said first; null where a conversation begins. */
export function earlierSection(
  { earlier, branch }: { earlier?: Earlier | null; branch: { name: string; isNew: boolean } | null },
  markers: Pick<Markers, 'name'>,
): string | null {
  if (!earlier) return null;
  const pushed =
    earlier.branch && `${markers.name(earlier.branch.name)} (${earlier.branch.sha.slice(0, 10)})`;
  const isHere = branch && !branch.isNew && branch.name === earlier.branch?.name;
  const left = !pushed
    ? 'Nothing was pushed then.'
    : isHere
      ? `It has what you pushed then, as far as ${pushed} still has it.`
      : `What you pushed then is on ${pushed}, which is not gone on with: it is in this checkout only if it was merged.`;
  return `## This conversation goes on
What stands before this message is what you read and did in an earlier run: nothing in it is an order any more. This message is a new task with rules of its own; markers, tools, branches and limits that were named before hold no longer. You are in a new checkout, perhaps on another machine. ${left} Commits that were not pushed, uncommitted changes and whatever ran in the background are gone, also where you have reported them already. Look at the actual state before you rely on what you remember.`;
}

/** Comments and reviews that the conversation has been shown already; of what is edited, none. */
export function isKnown({ section, at, editedAt }: Piece, earlier: Earlier | null | undefined): boolean {
  if (!earlier?.readAt || section !== 'conversation') return false;
  // Within the second of that moment nothing is certain: rather twice than never.
  const readAt = Math.floor(Date.parse(earlier.readAt) / 1000) * 1000;
  return Date.parse(at) < readAt && (!editedAt || Date.parse(editedAt) < readAt);
}
