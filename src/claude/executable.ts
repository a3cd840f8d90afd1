/** Finds Claude Code: the given path, the one that came with us, the one on PATH, the tool cache, or a fresh install. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, constants, cp, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { AppError } from '../words/errors.ts';
import type { Log } from '../words/log.ts';
import pinned from './pinned.json' with { type: 'json' };

const run = promisify(execFile);
/** The Claude Code that this Agent SDK belongs to and that everything here was tested with. */
export const testedVersion: string = pinned.version;
const installTimeoutMs = 300_000;
const attempts = 3;
const finalCodes =
  /\b(E404|ETARGET|E401|E403|EINTEGRITY|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|E429|E5\d\d)\b/;

export interface ExecutableSource {
  /** Input `path_to_claude_code_executable`. */
  given: string | null;
  /** Input `claude_code_version`. */
  version: string | null;
  /** Relative given paths start here. */
  directory: string;
  /** The job's environment: PATH for `claude` and `npm`, and what npm's own configuration reads. */
  job: Record<string, string | undefined>;
  /** The runner's tool cache; null where there is none. */
  toolCache: string | null;
  scratch: string;
  log: Log;
}

/**
 * The one of the Agent SDK's package for this platform, which npm has checked; null where it is not installed (the Action
 * has no node_modules) or where another version is wanted.
 */
export async function claudeOfOurs(version: string | null): Promise<string | null> {
  if (version !== null && version !== testedVersion) return null;
  try {
    const resolve = createRequire(import.meta.url).resolve;
    const path = resolve(`@anthropic-ai/claude-agent-sdk-${platform()}/${binaryName()}`);
    return (await isExecutable(path)) ? path : null;
  } catch {
    return null;
  }
}

/** Absolute path of a Claude Code executable. @throws AppError that names the input to set when there is no way. */
export async function findClaude(source: ExecutableSource): Promise<string> {
  if (source.given) return givenExecutable(source, source.given);
  const version = source.version ?? testedVersion;
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
    throw new AppError(
      'invalid_input',
      `Input \`claude_code_version\`: \`${version}\` is not a version such as ${testedVersion}.`,
    );
  }
  const onPath = await executableOnPath(source.job, binaryName());
  if (onPath && (await versionOf(onPath, source.job)) === version) return onPath;
  const cached =
    source.toolCache && join(source.toolCache, 'claude-code', version, process.arch, binaryName());
  if (cached && (await isExecutable(cached))) return cached;
  return install(source, version, cached);
}

async function givenExecutable(source: ExecutableSource, given: string): Promise<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
  if (/[\u0000-\u001f\u007f]/.test(given)) {
    throw new AppError(
      'invalid_input',
      'Input `path_to_claude_code_executable` contains control characters.',
    );
  }
  const path = isAbsolute(given) ? given : resolve(source.directory, given);
  if (await isExecutable(path)) return path;
  throw new AppError(
    'invalid_input',
    `Input \`path_to_claude_code_executable\`: \`${given}\` is not an executable file.`,
  );
}

async function install(source: ExecutableSource, version: string, cached: string | null): Promise<string> {
  const started = Date.now();
  const name = `@anthropic-ai/claude-code-${platform()}`;
  source.log.info(`Installing Claude Code ${version} (${name}).`);
  const npm = await executableOnPath(source.job, process.platform === 'win32' ? 'npm.cmd' : 'npm');
  if (!npm) throw cannotInstall(version, 'there is no `npm` on PATH');
  const directory = await mkdtemp(join(source.scratch, 'claude-'));
  await npmInstall(source, { npm, directory, name, version });
  const installed = join(directory, 'node_modules', name, binaryName());
  await verify(installed, version);
  source.log.info(`Installed Claude Code ${version} in ${Math.round((Date.now() - started) / 100) / 10} s.`);
  if (!cached) return installed;
  return keep(installed, cached).catch(() => installed);
}

async function npmInstall(
  source: ExecutableSource,
  what: { npm: string; directory: string; name: string; version: string },
): Promise<void> {
  const args = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--force',
    '--prefix',
    what.directory,
    `${what.name}@${what.version}`,
  ];
  // On Windows npm is a script, which only a shell runs; it gets the words as they are.
  const shell = process.platform === 'win32';
  const word = (text: string) => (shell ? `"${text}"` : text);
  const env = { ...source.job, GITHUB_TOKEN: undefined, GH_TOKEN: undefined } as NodeJS.ProcessEnv;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run(word(what.npm), args.map(word), {
        cwd: what.directory,
        env,
        timeout: installTimeoutMs,
        shell,
      });
      return;
    } catch (error) {
      const said = (error as { stderr?: string }).stderr || String(error);
      // Unknown versions and refusals do not get better by asking again, and what npm asked again itself has had its chance.
      if (finalCodes.test(said) || attempt === attempts)
        throw cannotInstall(what.version, reasonIn(said), error);
    }
  }
}

/** npm has checked the package against its registry; the pinned version is checked against its known checksum too. */
async function verify(path: string, version: string): Promise<void> {
  await chmod(path, 0o755).catch((error) => {
    throw cannotInstall(version, 'the package holds no executable', error);
  });
  const expected = (pinned.checksums as Record<string, string | undefined>)[platform()];
  if (version !== testedVersion || !expected) return;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (hash.digest('hex') !== expected) {
    throw cannotInstall(version, 'the installed executable does not have the expected SHA-256 checksum');
  }
}

/** Moves the executable into the tool cache in one step, so that a run beside this one never sees half of it. */
async function keep(installed: string, cached: string): Promise<string> {
  const folder = dirname(cached);
  await mkdir(dirname(folder), { recursive: true });
  const staging = await mkdtemp(`${folder}.`);
  try {
    await chmod(staging, 0o755);
    await cp(installed, join(staging, binaryName()));
    await rename(staging, folder);
  } catch (error) {
    // Another run was faster: what it has put there is as good.
    await rm(staging, { recursive: true, force: true });
    if (!(await isExecutable(cached))) throw error;
  }
  return cached;
}

function cannotInstall(version: string, why: string, cause?: unknown): AppError {
  return new AppError('claude_crashed', `Claude Code ${version} could not be installed: ${why}.`, {
    cause,
    remedy:
      "Set `path_to_claude_code_executable` to an executable on the runner, or check `claude_code_version` and npm's configuration.",
  });
}

async function executableOnPath(
  job: Record<string, string | undefined>,
  name: string,
): Promise<string | null> {
  for (const directory of (job.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return null;
}

/** With nothing but PATH, which a `claude` that is a script needs to find its interpreter. */
async function versionOf(path: string, { PATH }: ExecutableSource['job']): Promise<string | null> {
  const answer = await run(path, ['--version'], { timeout: 10_000, env: { PATH } }).catch(() => null);
  return answer?.stdout.split(' ')[0]?.trim() ?? null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  );
}

function platform(): string {
  const musl =
    process.platform === 'linux' &&
    !(process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime;
  return `${process.platform}-${process.arch}${musl ? '-musl' : ''}`;
}

function binaryName(): string {
  return process.platform === 'win32' ? 'claude.exe' : 'claude';
}

/** What npm gives as the reason: its first error lines, without their prefix and the stack below. */
function reasonIn(said: string): string {
  const errors = [...said.matchAll(/^npm (?:error|ERR!)[ \t]+(\S.*)$/gm)].map((match) => match[1]!);
  const reasons = errors.filter((line) => !/^(syscall|errno|at |A complete log)/.test(line));
  const lines = reasons.length > 0 ? reasons : said.trim().split('\n');
  return lines.slice(0, 3).join(' ').slice(0, 500);
}
