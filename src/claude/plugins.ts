/** Plugins of a run: installed by Claude Code itself into a directory of the run, from what the workflow names. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AppError } from '../words/errors.ts';
import { runMark } from '../words/mark.ts';
import { type Environment, fixedEnvironment } from './environment.ts';
import { type GivenPlace, givenPath } from './given.ts';

const run = promisify(execFile);
/** A marketplace is a Git repository that may be large; what is installed from it is copied, or fetched likewise. */
const longestMs = 120_000;
const attempts = 3;

export interface PluginRequest extends GivenPlace {
  executable: string;
  /** Input `plugin_marketplaces`: https Git URLs, and paths that start at the checkout. */
  marketplaces: string[];
  /** Input `plugins`: `name` or `name@marketplace`. */
  plugins: string[];
  /** Filled with Claude Code's configuration of this run alone; Claude sees it later, and cannot write there. */
  configuration: string;
  /** Claude's environment; its credentials stay out of this. */
  environment: Environment;
  signal: AbortSignal;
}

/**
 * Directories of the installed plugins. Claude gets these rather than the configuration: the machine's own is left as it is.
 * @throws AppError `invalid_input` that names the marketplace or plugin and says what Claude Code said.
 */
export async function installPlugins(request: PluginRequest): Promise<string[]> {
  const { marketplaces, plugins } = request;
  if (plugins.length === 0) return [];
  for (const given of marketplaces) {
    const what = `Input \`plugin_marketplaces\`: \`${given}\``;
    const isUrl = given.startsWith('https://');
    const source = isUrl ? given : await givenPath(request, 'Input `plugin_marketplaces`', given);
    await pluginCommand(request, what, ['marketplace', 'add', source]);
  }
  for (const plugin of plugins)
    await pluginCommand(request, `Input \`plugins\`: \`${plugin}\``, ['install', plugin]);
  const list = await pluginCommand(request, 'Input `plugins`', ['list', '--json']);
  // Those that others of them need are among them.
  return (JSON.parse(list) as { installPath: string }[]).map(({ installPath }) => installPath);
}

async function pluginCommand(request: PluginRequest, what: string, args: string[]): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { stdout } = await run(request.executable, ['plugin', ...args], {
        // Not the checkout: what it says about plugins counts for the session, not here.
        cwd: request.configuration,
        env: environmentFor(request),
        timeout: longestMs,
        killSignal: 'SIGKILL',
        signal: request.signal,
      });
      return stdout;
    } catch (error) {
      request.signal.throwIfAborted();
      const { killed, stderr } = error as { killed?: boolean; stderr?: string };
      const said = killed ? `it took longer than ${longestMs / 1000} s` : lastWords(stderr) || String(error);
      if (attempt < attempts && isPassing(said)) continue;
      throw new AppError('invalid_input', `${what} cannot be installed: ${said}`, {
        cause: error,
        remedy:
          'Check the name, and that the runner reaches the marketplace; what needs a login is cloned by an earlier step, and its path is given.',
      });
    }
  }
}

/** What Git needs, and no credential: installing asks no model, and a marketplace may bring programs. */
function environmentFor({ environment, configuration }: PluginRequest): Environment {
  const needed =
    /^(?:PATH|HOME|USER|LANG|LC_.*|TMPDIR|.*_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|SYSTEMROOT|COMSPEC|PATHEXT|.*APPDATA|USERPROFILE)$/i;
  const kept = Object.entries(environment).filter(([name]) => needed.test(name) || name === runMark);
  return { ...Object.fromEntries(kept), ...fixedEnvironment, CLAUDE_CONFIG_DIR: configuration };
}

/** Git's words for what may be better in a moment. */
function isPassing(said: string): boolean {
  return /could not resolve host|connection (?:reset|timed out)|returned error: 5\d\d|early EOF/i.test(said);
}

function lastWords(stderr = ''): string {
  return stderr
    .replace(/^[✘\s]+/, '')
    .trim()
    .slice(0, 1_000);
}
