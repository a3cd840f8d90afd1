/** What a server prints when it is up: where everything is, for the person who has just started it. */
import type { ServerContext } from './context.ts';

/** @param webhook where the secret of the webhooks is */
export function welcome(
  { role, configuration, store, operatorToken, sandbox, version }: ServerContext,
  { url, webhook }: { url: string | null; webhook: string },
): string[] {
  const { server } = configuration;
  const base = server.publicUrl ?? url;
  const lines: [string, string][] = [];
  if (base) {
    lines.push(['webhook URL', `${base}/webhook`]);
    lines.push(['webhook secret', webhook]);
    lines.push(['health', `${base}/health`]);
    lines.push(['operator', operatorLink(base, operatorToken.reveal())]);
  }
  lines.push([
    'database',
    store.embedded ? `${server.dataDir}/postgres` : (placeOf(server.databaseUrl) ?? ''),
  ]);
  lines.push(['data', server.dataDir]);
  if (role !== 'web') lines.push(['workspaces', server.workspacesRoot]);
  lines.push(['sandbox', sandbox]);
  lines.push(['starts on', server.trigger.join(', ')]);
  return [
    `Forgehand ${version} is up${role === 'all' ? '' : ` as ${role}`}.`,
    ...lines.map(([name, value]) => `  ${name.padEnd(15)} ${value}`),
    ...(hasNoProgress(configuration) && base
      ? ['  progress        not taken from workflows: PROGRESS_REPOSITORIES_ALLOWED is not set']
      : []),
    '',
  ];
}

/** Exchanges the token for a cookie, so that it does not stay in the address. */
export function operatorLink(base: string, token: string): string {
  return `${base}/operator?token=${encodeURIComponent(token)}`;
}

/** `host/database`: an address without its user and password. */
export function placeOf(databaseUrl: string | null): string | null {
  if (databaseUrl === null) return null;
  try {
    const { host, pathname, searchParams } = new URL(databaseUrl);
    return `${host || searchParams.get('host') || 'local socket'}${pathname}`;
  } catch {
    return 'the one of DATABASE_URL';
  }
}

/** An App's installations name their repositories; a token's owner has to. */
function hasNoProgress({ server, engine }: ServerContext['configuration']): boolean {
  return engine.githubToken !== null && server.progressRepositoriesAllowed.length === 0;
}
