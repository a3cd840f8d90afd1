/** The smallest client of the local GitHub, for the kit's own tests. */
import type { LocalGitHub } from './main.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read what they expect and fail when it is not there
export type Json = any;

export interface RestAnswer {
  status: number;
  headers: Headers;
  body: Json;
}

/** Sends REST requests; a body that is no JSON is given as text. */
export function restClient(github: LocalGitHub, token?: string, scheme = 'token') {
  return async (method: string, path: string, body?: unknown): Promise<RestAnswer> => {
    const answer = await fetch(path.startsWith('http') ? path : github.apiUrl + path, {
      method,
      headers: token ? { authorization: `${scheme} ${token}` } : {},
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'manual',
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      body: /^[[{]/.test(text) ? JSON.parse(text) : text,
    };
  };
}

export interface GraphqlAnswer {
  data?: Json;
  errors?: { type?: string; message: string; path?: unknown }[];
}

export function graphqlClient(github: LocalGitHub, token: string) {
  return async (query: string, variables: Record<string, unknown> = {}): Promise<GraphqlAnswer> => {
    const headers = { authorization: `bearer ${token}` };
    const answer = await fetch(github.graphqlUrl, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables }),
    });
    return (await answer.json()) as GraphqlAnswer;
  };
}
