/** Files of a repository that the host itself reads, out of the mirror and at one commit: nothing is checked out. */
import { AppError } from '../words/errors.ts';
import { git } from './git.ts';
import type { Reading } from './mirror.ts';

/** The repository's own preparation of a workspace; whoever runs it does so inside the fence. */
export interface SetupScript {
  content: Buffer;
  executable: boolean;
}

interface Entry {
  mode: string;
  type: string;
  sha: string;
  name: string;
}

const setupPath = '.forgehand/setup';
const setupBytes = 2 ** 20;
const templateBytes = 2 ** 18;

/**
 * `.forgehand/setup` of a commit, null when it has none (a link is none).
 * @throws AppError `invalid_input` when it is larger than is reasonable.
 */
export async function readSetupScript(
  mirror: string,
  sha: string,
  reading: Reading = {},
): Promise<SetupScript | null> {
  const [entry] = await list(mirror, [sha, '--', setupPath], reading);
  if (!entry || !isFile(entry)) return null;
  const content = await read(mirror, entry, { ...reading, maxBytes: setupBytes });
  if (content) return { content, executable: entry.mode === '100755' };
  throw new AppError('invalid_input', `\`${setupPath}\` is larger than ${setupBytes / 2 ** 20} MiB.`, {
    remedy: 'Keep the script small and let it fetch what it needs.',
  });
}

/** The repository's pull request template, where GitHub looks for one and in its order; null when there is none. */
export async function readTemplate(
  mirror: string,
  sha: string,
  reading: Reading = {},
): Promise<string | null> {
  const root = await list(mirror, [sha], reading);
  const inDirectory = async (name: string) => {
    const entry = root.find((one) => one.type === 'tree' && one.name.toLowerCase() === name);
    return entry ? list(mirror, [entry.sha], reading) : [];
  };
  for (const entries of [() => inDirectory('.github'), () => root, () => inDirectory('docs')]) {
    const found = await templateIn(mirror, await entries(), reading);
    const text = found && (await read(mirror, found, { ...reading, maxBytes: templateBytes }))?.toString();
    if (text?.trim()) return text.replace(/\r\n/g, '\n').trim();
  }
  return null;
}

/** A directory of several templates has a default only where its names say so. */
async function templateIn(mirror: string, entries: Entry[], reading: Reading): Promise<Entry | undefined> {
  const single = entries.find(
    (one) => isFile(one) && /^pull_request_template(?:\.(?:md|txt))?$/i.test(one.name),
  );
  if (single) return single;
  const several = entries.find((one) => one.type === 'tree' && /^pull_request_template$/i.test(one.name));
  const files = several ? (await list(mirror, [several.sha], reading)).filter(isFile) : [];
  const texts = files.filter(({ name }) => /\.(?:md|txt)$/i.test(name));
  const preset = texts.find(({ name }) => /^(?:default|pull_request_template)\.\w+$/i.test(name));
  return preset ?? (texts.length === 1 ? texts[0] : undefined);
}

async function list(mirror: string, args: string[], reading: Reading): Promise<Entry[]> {
  const { stdout } = await git(['ls-tree', '-z', '--full-tree', ...args], { ...reading, gitDir: mirror });
  return stdout
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [head = '', name = ''] = line.split(/\t(.*)/s);
      const [mode = '', type = '', sha = ''] = head.split(' ');
      return { mode, type, sha, name };
    });
}

function isFile({ mode }: Entry): boolean {
  return mode === '100644' || mode === '100755';
}

/** Null when it is larger than `maxBytes`. */
async function read(
  mirror: string,
  { sha }: Entry,
  { maxBytes, ...reading }: Reading & { maxBytes: number },
): Promise<Buffer | null> {
  const size = Number((await git(['cat-file', '-s', sha], { ...reading, gitDir: mirror })).stdout);
  return size > maxBytes
    ? null
    : (await git(['cat-file', 'blob', sha], { ...reading, gitDir: mirror })).bytes;
}
