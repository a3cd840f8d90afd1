/** Finds secrets in what would be published: known values and the shapes of credentials, in text and in bytes. */
import { secretShapes } from '../../words/redact.ts';
import type { GateContext } from './gate-state.ts';

/** Objects are read in portions of this many bytes. */
const portionBytes = 2 ** 26;
const shortestSecret = 8;
const ofThisRun = 'secret of this run';

export interface SecretFinding {
  /** What it looks like: `GitHub token`, `secret of this run`. */
  name: string;
  /** The match itself, only to compare it; it must never be shown. */
  match: string;
}

/**
 * @param known secret values of this run. The form in which actions/checkout keeps its token is looked for as well.
 */
export function findSecrets(bytes: Buffer, known: string[]): SecretFinding[] {
  const text = bytes.toString('latin1');
  // UTF-16 text is the same characters with zeros between them.
  const views = text.includes('\0') ? [text, text.replaceAll('\0', '')] : [text];
  const values = known
    .filter((value) => value.length >= shortestSecret)
    .flatMap((value) => [
      Buffer.from(value).toString('latin1'),
      Buffer.from(`x-access-token:${value}`).toString('base64'),
    ]);
  return views.flatMap((view) => [
    ...values.filter((value) => view.includes(value)).map((match) => ({ name: ofThisRun, match })),
    ...secretShapes.flatMap(({ name, pattern }) =>
      [...view.matchAll(pattern)].map(([match]) => ({ name, match })),
    ),
  ]);
}

/**
 * Names of the secrets that were not there before. Shapes that a changed file already had, such as the example key of a
 * fixture, are not new; a secret of this run always is.
 */
export function newSecrets(found: SecretFinding[], before: SecretFinding[]): string[] {
  const old = new Set(before.map(({ match }) => match));
  return [
    ...new Set(
      found.filter(({ name, match }) => name === ofThisRun || !old.has(match)).map(({ name }) => name),
    ),
  ];
}

/** Secrets by object id, of those objects that hold any. Missing objects (partial clones) hold none. */
export async function secretsOf(
  context: GateContext,
  ids: Iterable<string>,
): Promise<Map<string, SecretFinding[]>> {
  const found = new Map<string, SecretFinding[]>();
  const known = context.secrets();
  for await (const [id, bytes] of readObjects(context, [...new Set(ids)])) {
    const secrets = findSecrets(bytes, known);
    if (secrets.length) found.set(id, secrets);
  }
  return found;
}

/** Sizes in bytes by object id. */
export async function objectSizes({ run }: GateContext, ids: Iterable<string>): Promise<Map<string, number>> {
  const listed = await run(['cat-file', '--batch-check=%(objectname) %(objectsize)', '--buffer'], {
    stdin: lines(ids),
  });
  const sizes = new Map<string, number>();
  for (const line of listed.stdout.split('\n')) {
    const [id, size] = line.split(' ');
    if (id && size && /^\d+$/.test(size)) sizes.set(id, Number(size));
  }
  return sizes;
}

/** Bytes by object id, in portions; what is missing is left out. */
export async function* readObjects(context: GateContext, ids: string[]): AsyncGenerator<[string, Buffer]> {
  const sizes = await objectSizes(context, ids);
  let portion: string[] = [];
  let bytes = 0;
  for (const [id, size] of sizes) {
    if (bytes + size > portionBytes && portion.length) {
      yield* readPortion(context, portion);
      portion = [];
      bytes = 0;
    }
    portion.push(id);
    bytes += size;
  }
  if (portion.length) yield* readPortion(context, portion);
}

/** `cat-file --batch` prints `<id> <type> <size>`, a new line, the bytes, a new line. */
async function* readPortion({ run }: GateContext, ids: string[]): AsyncGenerator<[string, Buffer]> {
  const { bytes } = await run(['cat-file', '--batch', '--buffer'], {
    stdin: lines(ids),
    maxOutputBytes: 2 ** 31,
  });
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at);
    const [id, , size] = bytes.subarray(at, end).toString().split(' ');
    const start = end + 1;
    yield [id!, bytes.subarray(start, start + Number(size))];
    at = start + Number(size) + 1;
  }
}

function lines(ids: Iterable<string>): string {
  return [...ids].map((id) => `${id}\n`).join('');
}
