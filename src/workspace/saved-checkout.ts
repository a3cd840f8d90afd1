/** Keeps what `.git` said about credentials, remotes and hooks, and puts it back by file copies when the run is over. */
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { AppError } from '../words/errors.ts';
import { cleanConfig, includedFiles, readConfigFile } from './clean-config.ts';
import { absent, isRealDirectory, readPlain } from './plain-files.ts';

/** Plain data: main hands it to post, which restores from it after main was killed. */
export interface SavedCheckout {
  /** The checkout, absolute. */
  directory: string;
  /** The directory under scratch that holds the copies. */
  store: string;
  /** Configuration files, relative to the checkout; `copy` is null when there was none. */
  files: { path: string; copy: string | null; mode: number }[];
  /** Directories (`hooks`, `info`), relative to the checkout; `copy` is null when there was none. */
  directories: { path: string; copy: string | null }[];
  /** actions/checkout v6 credential files, absolute; they were moved into the store. */
  credentials: { path: string; copy: string; mode: number }[];
}

const configBytes = 2 ** 22;
/** A directory as it is: links stay links (`hooks` is one in some projects). */
const exactly = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true };

/** Copies into `scratch` (created 0700) what later steps of the job need; changes nothing in the checkout. */
export async function saveCheckout(directory: string, scratch: string): Promise<SavedCheckout> {
  const store = join(scratch, `checkout-${randomUUID()}`);
  await mkdir(store, { recursive: true, mode: 0o700 });
  const saved: SavedCheckout = { directory, store, files: [], directories: [], credentials: [] };
  for (const gitDirectory of ['.git', ...(await moduleDirectories(directory))]) {
    await Promise.all([
      ...['config', 'config.worktree'].map((name) => saveFile(saved, `${gitDirectory}/${name}`)),
      ...['hooks', 'info'].map((name) => saveDirectory(saved, `${gitDirectory}/${name}`)),
    ]);
  }
  await saveCredentials(saved);
  return saved;
}

/** Replaces every saved configuration by its harmless part, removes hooks, and moves credential files away. */
export async function cleanCheckout(saved: SavedCheckout): Promise<void> {
  for (const { path, copy, mode } of saved.files) {
    if (copy)
      await replaceFile(
        join(saved.directory, path),
        cleanConfig(await readConfigFile(join(saved.store, copy))),
        mode,
      );
  }
  for (const { path } of saved.directories) {
    if (basename(path) === 'hooks') await removeAllButSamples(join(saved.directory, path));
  }
  for (const { path } of saved.credentials) await rm(path, { force: true });
}

/**
 * Puts everything back and removes what would make later Git commands of the job obey Claude (hooks, `commondir`).
 * May be called twice. Never writes through a link: what cannot be put back safely is left and said.
 * @returns one sentence for each thing that could not be put back; empty when all went well.
 */
export async function restoreCheckout(saved: SavedCheckout): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async (path: string, put: () => Promise<void>) => {
    await put().catch((error: Error) => problems.push(`\`${path}\` was not put back: ${error.message}`));
  };
  for (const { path, copy, mode } of saved.credentials) {
    await attempt(path, async () => {
      if (!(await isRealDirectory(dirname(path)))) throw new Error('its directory is gone.');
      await replaceFile(path, await readCopy(saved, copy), mode);
    });
  }
  await attempt('.git', async () => {
    if (!(await isRealDirectory(saved.directory, '.git'))) return;
    // A git that ended in the middle leaves these, and no later step could commit.
    for (const lock of ['index.lock', 'HEAD.lock'])
      await rm(join(saved.directory, '.git', lock), { recursive: true, force: true });
  });
  for (const { path, copy, mode } of saved.files) {
    await attempt(path, async () => {
      if (!(await isRealDirectory(saved.directory, dirname(path)))) throw new Error('its directory is gone.');
      // A lock that Claude left would make the job's own `git config` fail.
      await rm(join(saved.directory, `${path}.lock`), { recursive: true, force: true });
      if (copy) await replaceFile(join(saved.directory, path), await readCopy(saved, copy), mode);
      else await rm(join(saved.directory, path), { recursive: true, force: true });
      // `commondir` would make git read the configuration of another directory (workspace.test.ts, "commondir").
      await rm(join(saved.directory, dirname(path), 'commondir'), { recursive: true, force: true });
    });
  }
  for (const { path, copy } of saved.directories)
    await attempt(path, () => putDirectoryBack(saved, path, copy));
  return problems;
}

async function putDirectoryBack(saved: SavedCheckout, path: string, copy: string | null): Promise<void> {
  if (!(await isRealDirectory(saved.directory, dirname(path)))) throw new Error('its directory is gone.');
  const target = join(saved.directory, path);
  await removeAllButSamples(target);
  if (copy) await cp(join(saved.store, copy), target, exactly);
}

/** Git's own samples never run and are many: they are left where they are, neither copied nor put back. */
const isSample = (path: string) => /[/\\]hooks[/\\][^/\\]+\.sample$/.test(path);

async function removeAllButSamples(directory: string): Promise<void> {
  const real = await isRealDirectory(directory).catch(() => false);
  const names = real ? await readdir(directory) : [];
  const samples = names.filter((name) => isSample(join(directory, name)));
  if (samples.length === 0) return rm(directory, { recursive: true, force: true });
  const others = names.filter((name) => !samples.includes(name));
  await Promise.all(others.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

async function saveFile(saved: SavedCheckout, path: string): Promise<void> {
  const bytes = await readPlain(saved.directory, path, configBytes);
  const mode = bytes ? (await lstat(join(saved.directory, path))).mode & 0o777 : 0o644;
  saved.files.push({ path, copy: bytes && (await keepCopy(saved, bytes)), mode });
}

async function saveDirectory(saved: SavedCheckout, path: string): Promise<void> {
  const found = await lstat(join(saved.directory, path)).catch(absent);
  const copy = found ? randomUUID() : null;
  if (copy) {
    const filter = (source: string) => !isSample(source);
    await cp(join(saved.directory, path), join(saved.store, copy), { ...exactly, filter });
  }
  saved.directories.push({ path, copy });
}

/** actions/checkout v6 keeps the token in `$RUNNER_TEMP/git-credentials-<uuid>.config`, which `.git/config` includes. */
async function saveCredentials(saved: SavedCheckout): Promise<void> {
  const named = new Set<string>();
  for (const { path, copy } of saved.files) {
    const entries = copy
      ? await readConfigFile(join(saved.store, copy)).catch((error) => throwUnreadable(path, error))
      : [];
    for (const path of includedFiles(entries)) named.add(path);
  }
  for (const path of named) {
    if (!isAbsolute(path) || !/^git-credentials-[0-9a-f-]+\.config$/.test(basename(path))) continue;
    const bytes = await readPlain(dirname(path), basename(path), configBytes);
    if (!bytes) continue;
    const mode = (await lstat(path)).mode & 0o777;
    saved.credentials.push({ path, copy: await keepCopy(saved, bytes), mode });
  }
}

/** Git names the copy that it was given; a person knows the file by its own name. */
function throwUnreadable(path: string, error: Error): never {
  const line = /line \d+/.exec(error.message)?.[0];
  throw new AppError(
    'invalid_input',
    `Git cannot read \`${path}\` of the checkout${line ? ` (${line})` : ''}.`,
    {
      cause: error,
      remedy: 'Check the repository out anew with `actions/checkout`.',
    },
  );
}

/** Git directories of submodules, which sit (nested, under any name) below `.git/modules`. */
async function moduleDirectories(directory: string, below = '.git/modules'): Promise<string[]> {
  if (!(await isRealDirectory(directory, below))) return [];
  const found: string[] = [];
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const path = `${below}/${entry.name}`;
    const isRepository = (await lstat(join(directory, path, 'HEAD')).catch(absent))?.isFile();
    if (isRepository) found.push(path, ...(await moduleDirectories(directory, `${path}/modules`)));
    else found.push(...(await moduleDirectories(directory, path)));
  }
  return found;
}

async function keepCopy(saved: SavedCheckout, bytes: Buffer): Promise<string> {
  const copy = randomUUID();
  await writeFile(join(saved.store, copy), bytes, { mode: 0o600, flag: 'wx' });
  return copy;
}

async function readCopy(saved: SavedCheckout, copy: string): Promise<Buffer> {
  const bytes = await readPlain(saved.store, copy, configBytes);
  if (!bytes) throw new Error('its copy is gone.');
  return bytes;
}

/** Writes a new file and moves it over the old name, so that a link standing there is replaced, not followed. */
async function replaceFile(path: string, content: string | Buffer, mode: number): Promise<void> {
  const fresh = join(dirname(path), `.${basename(path)}-${randomUUID()}`);
  await writeFile(fresh, content, { flag: 'wx', mode });
  await chmod(fresh, mode);
  if ((await lstat(path).catch(absent))?.isDirectory()) await rm(path, { recursive: true, force: true });
  await rename(fresh, path);
}
