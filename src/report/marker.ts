/** The hidden line of a tracking comment: whose it is, and what other runs and `post` need to know of it. */

export const markerStart = '<!-- forgehand ';

export interface Marker {
  workflow: string;
  job: string;
  run: string;
  attempt: string;
  session?: string;
  /** The head commit that a review covered. */
  head?: string;
  /** Of a review and of what belongs to it: unique. */
  review?: string;
  /** From 2 on: a comment that only continues the one before it. */
  part?: number;
  /** The run is at work or waits for another: the comment is refreshed as long as that is so. */
  working?: true;
  /** Node ids of requests that this run has taken in besides its own. Of a run that ended: those that it has done. */
  taken?: string[];
  /** The commit that this run pushed last. */
  pushed?: string;
}

/**
 * The hidden line that says whose comment this is. JSON cannot close an HTML comment here: `-` and `>` are escaped.
 * A continuation begins differently, and what belongs to a review, so that `stickyKey` and `runKey` never find them.
 */
export function hidden(marker: Marker): string {
  const { part, review, workflow, job, run, attempt, session, head, working, taken, pushed } = marker;
  const first = { ...(part && { part }), ...(review && { review }) };
  const all = { ...first, workflow, job, run, attempt, session, head, working, taken, pushed };
  const json = JSON.stringify(all);
  return `${markerStart}${json.replace(/[->]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)} -->`;
}

/** The part of the hidden line that all runs of one workflow's job share. */
export function stickyKey(marker: Marker): string {
  return runKey(marker).split('"run":')[0]!;
}

/** The part of the hidden line that is the same as long as a run lives. */
export function runKey({ workflow, job, run, attempt }: Marker): string {
  return hidden({ workflow, job, run, attempt }).replace(/\} -->$/, '');
}

/** `hidden`'s opposite: the last one counts, as ours ends the comment. Null when there is none that can be read. */
export function readMarker(body: string): Marker | null {
  const json = [...body.matchAll(/<!-- forgehand (\{[^\n]*?\}) -->/g)].at(-1)?.[1];
  try {
    const marker = JSON.parse(json ?? 'null') as Marker | null;
    const known = [marker?.workflow, marker?.job, marker?.run, marker?.attempt];
    return known.every((value) => typeof value === 'string') ? marker : null;
  } catch {
    return null;
  }
}
