/** A local GitHub over HTTP for tests and the demo: REST, GraphQL, git, tokens, events, OIDC and faults. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Moments } from '../moments.ts';
import { authoring } from './authoring.ts';
import { credentials } from './credentials.ts';
import { deliveryLog } from './deliveries.ts';
import { eventMaker } from './events/events.ts';
import { tokenExchange } from './exchange.ts';
import { faultRegister } from './faults.ts';
import type { Dispatch, Kit } from './kit.ts';
import { oidcIssuer } from './oidc.ts';
import type { LoggedRequest } from './request-log.ts';
import { listen } from './server.ts';
import { type SiteOptions, siteAt } from './site.ts';
import { createStore } from './store.ts';

export interface LocalGitHubOptions extends SiteOptions {
  /** Checks every REST answer against GitHub's API description; true when absent. Benchmarks switch it off. */
  validate?: boolean;
  /** Milliseconds that every request waits; may be changed later. */
  latencyMs?: number;
  /** Leaves the git repositories on disk after `close`. */
  keep?: boolean;
}

export type LocalGitHub = Awaited<ReturnType<typeof startGitHub>>;

/**
 * Starts a GitHub of one's own on a free port of 127.0.0.1, with the addresses of GitHub Enterprise Server unless told.
 * It is empty; `createRepository` and its kin fill it. `close` (or `await using`) ends it and removes its files.
 */
export async function startGitHub(options: LocalGitHubOptions = {}) {
  const root = await mkdtemp(join(tmpdir(), 'local-github-'));
  const store = createStore(root);
  const deliveries = deliveryLog(store.nextId);
  const kit: Kit = {
    store,
    violations: [],
    validate: options.validate ?? true,
    deliveries,
    dispatches: [],
    dispatchListeners: [],
  };
  const oidc = oidcIssuer(() => store.site.serverUrl);
  const exchange = tokenExchange(store, oidc);
  const faults = faultRegister();
  const log: LoggedRequest[] = [];
  const settings = { latencyMs: options.latencyMs ?? 0 };
  const moments = new Moments<LoggedRequest>();
  const latency = () => settings.latencyMs;
  const server = await listen({ kit, faults, oidc, exchange, log, moments, latency });
  const { serverUrl, apiUrl, graphqlUrl } = Object.assign(store.site, siteAt(server.port, options));

  const close = async () => {
    await server.close();
    if (!options.keep) await rm(root, { recursive: true, force: true, maxRetries: 3 });
  };

  return {
    /** GITHUB_SERVER_URL */
    serverUrl,
    /** GITHUB_API_URL */
    apiUrl,
    /** GITHUB_GRAPHQL_URL */
    graphqlUrl,
    /** Replaces Anthropic's address of the token exchange. */
    exchangeUrl: `${serverUrl}/_exchange/github-app-token-exchange`,
    /** Where the bare repositories are. */
    root,

    ...authoring(store),
    ...credentials(store),
    /** Webhook payloads of the present state. */
    event: eventMaker(store),
    /** Sends a signed delivery and remembers it. */
    deliver: deliveries.deliver,
    /** Every delivery, oldest first. */
    deliveries: deliveries.list,
    redeliver: deliveries.redeliver,
    oidc,
    exchange,
    faults,
    /** Calls the watcher before and after each request takes effect; the returned function ends that. */
    onRequest: moments.watch.bind(moments),

    ...observations(kit, log),

    get latencyMs() {
      return settings.latencyMs;
    },
    set latencyMs(value: number) {
      settings.latencyMs = value;
    },

    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What the server noticed, for tests to look at. */
function observations(kit: Kit, log: LoggedRequest[]) {
  return {
    /** Every request, in the order of arrival. `kind: 'kit'` is not GitHub's API. */
    requests: log,
    clearRequests: (): void => void log.splice(0),
    /** Answers that GitHub would not give, fields that are not known: must stay empty. */
    violations: kit.violations,

    /** Dispatches that were asked for, oldest first. */
    dispatches: kit.dispatches,
    /** Calls the listener at each dispatch; the returned function ends that. */
    onDispatch(listener: (dispatch: Dispatch) => void): () => void {
      kit.dispatchListeners.push(listener);
      return () => void kit.dispatchListeners.splice(kit.dispatchListeners.indexOf(listener), 1);
    },
  };
}
