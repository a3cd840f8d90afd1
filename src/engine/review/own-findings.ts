/** What earlier reviews of ours said, and whether a new finding says it again. */
import type { InlineComment } from '../../github/reviews.ts';
import { readMarker } from '../../report/marker.ts';
import { withoutCode } from '../../report/review.ts';
import type { Finding, Place } from '../../words/review.ts';

/** Markers are read only from what our own login wrote: anybody can copy one. */
export function isOwn(item: { login: string; body: string }, ownLogin: string): boolean {
  return ownLogin !== '' && bare(item.login) === bare(ownLogin) && readMarker(item.body) !== null;
}

/** REST and GraphQL do not agree on the `[bot]` of an App's login. */
function bare(login: string): string {
  return login.toLowerCase().replace(/\[bot\]$/, '');
}

/** The comments that began a thread of ours. */
export function ownFindings(comments: InlineComment[], ownLogin: string): InlineComment[] {
  return comments.filter((comment) => comment.replyTo === null && isOwn(comment, ownLogin));
}

/**
 * The earlier finding that a new one repeats: one of the same file that says the same, wherever, or that is on the same
 * lines, which GitHub has followed through later commits. A line that has changed since is none any more.
 */
export function repeated(finding: Finding, earlier: InlineComment[]): InlineComment | null {
  const text = plain(finding.body);
  return (
    earlier.find(
      (one) => one.path === finding.path && (plain(one.body) === text || isSamePlace(one, finding)),
    ) ?? null
  );
}

/** The finding of this run that is the same: two lines may well have the same mistake. */
export function collected(finding: Finding, findings: Finding[]): Finding | null {
  const text = plain(finding.body);
  return findings.find((one) => isSameRange(one, finding) && plain(one.body) === text) ?? null;
}

function isSameRange(one: Place, other: Place): boolean {
  const { path, side, line, startLine } = other;
  return one.path === path && one.side === side && one.line === line && one.startLine === startLine;
}

function isSamePlace(earlier: InlineComment, finding: Finding): boolean {
  if (earlier.line === null || earlier.side !== finding.side) return false;
  const [from, to] = [earlier.startLine ?? earlier.line, earlier.line];
  return from <= finding.line && (finding.startLine ?? finding.line) <= to;
}

/** What is said, without what says nothing: the host's own lines, numbers of lines, markup, case, white space, code. */
function plain(body: string): string {
  const own = body.replace(/<!--.*?-->/gs, '').replace(/\[Fix this →\]\([^)]*\)/g, '');
  return bareWords(withoutCode(own)) || bareWords(own);
}

function bareWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/\blines? \d+(?:\s*(?:-|–|to)\s*\d+)?/g, 'line')
    .replace(/[\s*_`>#.,:;!–—-]+/g, ' ')
    .trim();
}
