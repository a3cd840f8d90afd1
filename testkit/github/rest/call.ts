/** One REST request on its way to a handler, and the answers that handlers give. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Identity, loginOf, type Need } from '../access.ts';
import type { Kit } from '../kit.ts';
import type { Repository, Role, User } from '../model.ts';
import type { Store } from '../store.ts';
import { HttpProblem, notFound } from './problem.ts';

export interface Call {
  kit: Kit;
  store: Store;
  /** Decoded path parameters, by the names in the route's path. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** The JSON body; `{}` when there was none. */
  body: Record<string, unknown>;
  headers: IncomingHttpHeaders;
  identity: Identity;
  /** Only in routes under `/repos/{owner}/{repo}`; reading it elsewhere is a mistake of the route. */
  repository: Repository;
  /** Address without the query, for Link headers. */
  url: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** JSON; text when it is a string, as it is when it is bytes, and `headers` name a content type. */
  body?: unknown;
}

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As in GitHub's API description, so that answers can be checked against it. */
  path: string;
  /** Permissions of which a token needs one; `app` takes an App's JWT; `any` whoever has a valid token. */
  need: Need[] | 'app' | 'any' | 'nobody';
  /** What a person must be on the repository to do it; `write` when absent. */
  role?: Role;
  handle(call: Call): Answer | Promise<Answer>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });
export const noContent = (): Answer => ({ status: 204 });

const largestPage = 100;

/** One page of `items` as the query asks, with GitHub's Link header, unless the asker has it. Only that page is rendered. */
export function paginate<T>(
  call: Call,
  items: T[],
  render: (item: T) => unknown,
  wrap: (page: unknown[], total: number) => unknown = (page) => page,
): Answer {
  const perPage = Math.min(largestPage, positive(call.query.get('per_page')) ?? 30);
  const page = positive(call.query.get('page')) ?? 1;
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const rendered = items.slice((page - 1) * perPage, page * perPage).map(render);
  const link = (rel: string, number: number) => {
    const query = new URLSearchParams(call.query);
    query.set('page', String(number));
    return `<${call.url}?${query}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link('prev', Math.min(page - 1, last))] : []),
    ...(page < last ? [link('next', page + 1), link('last', last)] : []),
    ...(page > 1 ? [link('first', 1)] : []),
  ];
  const body = wrap(rendered, items.length);
  const etag = `W/"${createHash('sha256').update(JSON.stringify(body)).digest('hex')}"`;
  const headers = { etag, ...(links.length > 0 ? { link: links.join(', ') } : {}) };
  if (call.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, body, headers };
}

/** Who the request acts as. @throws HttpProblem 401 */
export function actor(call: Call): User {
  const login = loginOf(call.identity);
  if (!login) throw new HttpProblem(401, 'Requires authentication');
  return call.store.user(login);
}

/** A path parameter that must be a number. @throws HttpProblem 404 */
export function numberOf(call: Call, name: string): number {
  const value = Number(call.params[name]);
  if (!Number.isSafeInteger(value)) throw notFound();
  return value;
}

/** A text field of the body; undefined when absent. @throws HttpProblem 422 when it is no text */
export function textOf(call: Call, name: string): string | undefined {
  const value = call.body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string')
    throw new HttpProblem(
      422,
      `Invalid request.\n\nFor '${name}', ${JSON.stringify(value)} is not a string.`,
    );
  return value;
}

/** A text field that GitHub requires. @throws HttpProblem 422 */
export function requiredText(call: Call, name: string): string {
  const value = textOf(call, name);
  if (value === undefined) throw new HttpProblem(422, `Invalid request.\n\n"${name}" wasn't supplied.`);
  return value;
}

/** A list of texts in the body; label objects count by their name. */
export function textsOf(call: Call, name: string): string[] | undefined {
  const value = call.body[name];
  if (!Array.isArray(value)) return undefined;
  return value.map((entry) => (typeof entry === 'object' && entry ? String(entry.name) : String(entry)));
}

/** Keeps what was updated at or after `since`, when the query names it. */
export function since<T extends { updatedAt: string }>(call: Call, items: T[]): T[] {
  const moment = call.query.get('since');
  return moment ? items.filter((item) => Date.parse(item.updatedAt) >= Date.parse(moment)) : items;
}

function positive(text: string | null): number | null {
  const value = Number(text);
  return text && Number.isInteger(value) && value > 0 ? value : null;
}
