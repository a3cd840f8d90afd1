/** Tables of a markdown text: the page does not show cells beyond the number of the header's. */

/** Where the rows begin, and how many cells of each are shown. */
export interface Table {
  rows: number;
  cells: number;
}

const delimiters = /[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t\r]*(?:\n|$)/y;
const beforeHeader = /^[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*/;

/** The table whose header is the line at `header` and whose next line is at `next`; null when that is none. */
export function tableAt(text: string, header: number, next: number): Table | null {
  delimiters.lastIndex = next;
  const row = delimiters.exec(text)?.[0];
  // A row of dashes alone underlines a heading.
  if (!row || !/[|:]/.test(row)) return null;
  const cells = separators(row).length;
  const head = text.slice(header, next).replace(beforeHeader, '');
  return separators(head).length === cells ? { rows: next + row.length, cells } : null;
}

/** Rows without the cells that are not shown. */
export function shownRows(rows: string, cells: number): string {
  return rows.replace(/[^\n]+/g, (row) => {
    const end = separators(row)[cells - 1] ?? row.length;
    return row.slice(end + 1).trim() === '' ? row : row.slice(0, end + 1) + (row.endsWith('\r') ? '\r' : '');
  });
}

/** Where each cell ends; the last one with the line where nothing closes it. */
function separators(line: string): number[] {
  const row = line.trimEnd();
  const ends: number[] = [];
  for (const found of row.matchAll(/\\.|\|/g)) if (found[0] === '|') ends.push(found.index);
  if (ends[0] === row.length - row.trimStart().length) ends.shift();
  if (ends.at(-1) !== row.length - 1) ends.push(row.length);
  return ends;
}
