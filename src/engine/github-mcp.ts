/** GitHub's own MCP server beside one run: started when the workflow allows its tools, and never left behind. */
import { parseClaudeArguments } from '../claude/arguments.ts';
import { givenServers, mergeSettings, readGiven } from '../claude/given.ts';
import { githubImage, removeContainers, serverCommand } from '../mcp/github-container.ts';
import { type WantedTools, wantedTools } from '../mcp/github-wanted.ts';
import { foreignAnswer } from '../prompt/foreign.ts';
import type { Markers } from '../prompt/markers.ts';
import { AppError } from '../words/errors.ts';
import type { ForwardedServer } from '../words/tool.ts';
import type { Checkout } from './claude-run.ts';
import type { Connection } from './connect.ts';
import type { Door } from './door.ts';
import { newMarkers } from './markers.ts';

/** Most seconds that a run waits for it: its image may have to be fetched. */
const patienceSeconds = 60;
const seconds = 1_000;

export class GitHubMcp {
  private readonly ended = new AbortController();
  private readonly door: Door;
  private readonly connection: Connection;
  private readonly markers: () => Markers;
  private starting: Promise<ForwardedServer | null> = Promise.resolve(null);
  private close: (() => Promise<void>) | null = null;
  private isStarted = false;

  /** @param markers those of the prompt; null where it has none. */
  constructor(door: Door, connection: Connection, markers: () => Markers | null) {
    this.door = door;
    this.connection = connection;
    const own = newMarkers();
    this.markers = () => markers() ?? own;
  }

  /** Begins to start it, if it is asked for. */
  start(checkout: Promise<Checkout>): void {
    this.starting = checkout
      .then((taken) => wantedBy(this.door, taken))
      .then((wanted) => (wanted ? this.open(wanted) : null))
      .catch(() => null); // what cannot be read is told by who starts Claude
  }

  /** Null where nobody has asked for it, or it could not be started, which is a warning. */
  offered(): Promise<ForwardedServer | null> {
    return this.starting;
  }

  /** Never throws. */
  async end(): Promise<void> {
    this.ended.abort(new AppError('cancelled', 'the run has ended.'));
    await this.starting;
    await this.close?.().catch(() => {});
    if (!this.isStarted) return;
    const { mark, job, warn } = this.door;
    await removeContainers({ mark, job }).catch((error: Error) =>
      warn(`The container of GitHub's MCP server could not be removed: ${error.message}`),
    );
  }

  private async open(wanted: WantedTools): Promise<ForwardedServer | null> {
    const { door, connection } = this;
    const { mark, job, host } = door;
    door.log.info(`Waits for GitHub's MCP server, up to ${patienceSeconds} seconds: ${githubImage}`);
    this.isStarted = true;
    door.remember('container', true);
    try {
      // Few runs need what talks to it.
      const [{ openGitHubServer }, { connectTo }] = await Promise.all([
        import('../mcp/github.ts'),
        import('../mcp/github-connection.ts'),
      ]);
      const { offered, missing, close } = await openGitHubServer({
        wanted,
        token: connection.credential.token,
        start: (token) => {
          const command = serverCommand({
            ...{ mark, job, token, serverUrl: host.serverUrl },
            everyToolset: !wanted.all,
          });
          return this.withinLimit((signal) => connectTo(command, signal));
        },
        redact: door.redact,
        show: (tool, parts) => door.redact(foreignAnswer(this.markers(), tool, parts)),
      });
      this.close = close;
      if (missing.length > 0)
        door.warn(`GitHub's MCP server has no ${missing.map((name) => `\`${name}\``).join(', ')}.`);
      door.log.info(`Claude is offered ${offered.tools.length} tools of GitHub's MCP server.`);
      return offered;
    } catch (error) {
      if (!this.ended.signal.aborted && !door.signal.aborted)
        door.warn(notStarted(door.redact((error as Error).message)));
      return null;
    }
  }

  private async withinLimit<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const limit = new AbortController();
    const late = new AppError('timed_out', `it was not ready within ${patienceSeconds} seconds`);
    const timer = setTimeout(() => limit.abort(late), patienceSeconds * seconds);
    try {
      return await work(AbortSignal.any([limit.signal, this.ended.signal, this.door.signal]));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What the workflow's own rules allow; a server of its own that is called `github` takes the place of this one. */
async function wantedBy({ config }: Door, checkout: Checkout): Promise<WantedTools | null> {
  const args = parseClaudeArguments(config.claudeArgs);
  const place = { directory: checkout.directory, trustCheckout: checkout.isTrusted };
  const { permissions } = mergeSettings(
    await readGiven(place, 'Input `settings`', config.settings),
    await readGiven(place, 'Input `claude_args`: `--settings`', args.extra.settings ?? ''),
  ) as { permissions?: { allow?: unknown } };
  const allow = Array.isArray(permissions?.allow) ? permissions.allow.map(String) : [];
  const wanted = wantedTools([...args.allowedTools, ...allow]);
  return wanted && ('github' in (await givenServers(place, args.mcpConfigs)) ? null : wanted);
}

function notStarted(why: string): string {
  return `GitHub's MCP server was not started: ${why}. Claude works without \`mcp__github__…\`; what is on the issue or pull request it can read with \`github_context\`. That server runs in Docker: use a runner that has it, or give a server called \`github\` in \`--mcp-config\`.`;
}
