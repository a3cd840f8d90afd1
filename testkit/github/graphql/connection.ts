/** Cursor pagination over lists, as every connection of GitHub's schema has it. */
import { problem } from './problem.ts';

export interface PageArguments {
  first?: number | null;
  last?: number | null;
  after?: string | null;
  before?: string | null;
}

type Items<T> = T[] | Promise<T[]>;

/**
 * A resolver for a connection field. Only the nodes of the page are made into views.
 * @param list all items in the connection's order; may depend on the field's arguments.
 */
export function connection<T, A extends PageArguments = PageArguments>(
  list: (args: A) => Items<T>,
  view: (item: T) => unknown,
  more: Record<string, unknown> = {},
) {
  return async (args: A) => {
    const items = await list(args);
    const [start, end] = bounds(items.length, args);
    const page = items.slice(start, end);
    return {
      totalCount: items.length,
      nodes: () => page.map(view),
      edges: () => page.map((item, index) => ({ cursor: cursorAt(start + index), node: view(item) })),
      pageInfo: {
        hasNextPage: end < items.length,
        hasPreviousPage: start > 0,
        startCursor: page.length > 0 ? cursorAt(start) : null,
        endCursor: page.length > 0 ? cursorAt(end - 1) : null,
      },
      ...more,
    };
  };
}

/** First and one past the last index of the page. */
function bounds(length: number, args: PageArguments): [number, number] {
  const after = args.after ? indexOf(args.after, 'after') + 1 : 0;
  const before = args.before ? Math.min(length, indexOf(args.before, 'before')) : length;
  const start = Math.min(after, length);
  if (args.first !== undefined && args.first !== null) return [start, Math.min(before, start + args.first)];
  if (args.last !== undefined && args.last !== null) return [Math.max(start, before - args.last), before];
  return [start, start];
}

function cursorAt(index: number): string {
  return Buffer.from(`cursor:v2:${index}`).toString('base64');
}

function indexOf(cursor: string, argument: string): number {
  const match = /^cursor:v2:(\d+)$/.exec(Buffer.from(cursor, 'base64').toString());
  if (!match)
    throw problem(
      'INVALID_CURSOR_ARGUMENTS',
      `\`${cursor}\` does not appear to be a valid cursor for \`${argument}\`.`,
    );
  return Number(match[1]);
}
