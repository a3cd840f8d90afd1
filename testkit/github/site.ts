/** The addresses of a local GitHub: those of a GitHub Enterprise Server, or in the shape of github.com. */

export interface Site {
  /** GITHUB_SERVER_URL: where people and Git go. */
  serverUrl: string;
  /** GITHUB_API_URL */
  apiUrl: string;
  /** GITHUB_GRAPHQL_URL */
  graphqlUrl: string;
}

export interface SiteOptions {
  /**
   * `enterprise` has everything below one name, the API at `/api/v3` and `/api/graphql`; `github.com` has its API at the
   * root of another name. `enterprise` when absent.
   */
  shape?: 'enterprise' | 'github.com';
  /** Name of the server, which must lead to 127.0.0.1; that itself when absent. */
  hostname?: string;
}

export function siteAt(port: number, { shape = 'enterprise', hostname = '127.0.0.1' }: SiteOptions): Site {
  const serverUrl = `http://${hostname}:${port}`;
  if (shape === 'enterprise')
    return { serverUrl, apiUrl: `${serverUrl}/api/v3`, graphqlUrl: `${serverUrl}/api/graphql` };
  const apiUrl = `http://${hostname === 'localhost' ? '127.0.0.1' : 'localhost'}:${port}`;
  return { serverUrl, apiUrl, graphqlUrl: `${apiUrl}/graphql` };
}

/**
 * The same address in the shape of a GitHub Enterprise Server, which everything behind it speaks; null for one that this
 * site does not have: who asks for it has made it up rather than been told.
 */
export function enterprisePath(site: Site, host: string | undefined, path: string): string | null {
  const [server, api] = [new URL(site.serverUrl), new URL(site.apiUrl)];
  const isApi = (at: string) => /^\/api\/(?:v3|graphql)(?:[/?]|$)/.test(at);
  if (server.host === api.host) return host === server.host ? path : null;
  if (host === api.host) return /^\/graphql(?:\?|$)/.test(path) ? `/api${path}` : `/api/v3${path}`;
  return host === server.host && !isApi(path) ? path : null;
}
