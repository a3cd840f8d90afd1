/** Finds the route of a REST request, lets through who may, and turns refusals into GitHub's answers. */
import { canSee, demand, type Identity } from '../access.ts';
import type { Answer, Call, Route } from './call.ts';
import { checkAnswer } from './conformance.ts';
import { HttpProblem, notFound } from './problem.ts';
import { routes } from './routes.ts';

interface Compiled {
  route: Route;
  pattern: RegExp;
  names: string[];
}

/** Path parameters that may hold slashes. */
const multiSegment = new Set(['path', 'ref', 'branch', 'basehead']);

const compiled: Compiled[] = routes
  .map(compile)
  .sort((a, b) => literals(b.route.path) - literals(a.route.path) || a.names.length - b.names.length);

/** @param path after the API root, still percent-encoded. */
export async function answerRest(
  method: string,
  path: string,
  call: Omit<Call, 'params' | 'repository'>,
): Promise<Answer> {
  try {
    const { route, params } = match(method, path.replace(/(.)\/+$/, '$1'));
    const full: Call = { ...call, params, repository: undefined as never };
    admit(route, full);
    const answer = await route.handle(full);
    if (call.kit.validate) await checkAnswer(call.kit, route, answer);
    return answer;
  } catch (error) {
    if (error instanceof HttpProblem) return { status: error.status, body: error.body() };
    throw error;
  }
}

function match(method: string, path: string): { route: Route; params: Record<string, string> } {
  for (const { route, pattern, names } of compiled) {
    const found = route.method === method ? pattern.exec(path) : null;
    if (!found) continue;
    const params = Object.fromEntries(
      names.map((name, index) => [name, decodeURIComponent(found[index + 1]!)]),
    );
    return { route, params };
  }
  throw notFound();
}

function admit(route: Route, call: Call): void {
  const { need } = route;
  if (call.params.owner && call.params.repo) {
    const repository = call.store.findRepository(
      `${call.params.owner}/${call.params.repo.replace(/\.git$/, '')}`,
    );
    if (!repository) throw notFound();
    call.repository = repository;
    if (Array.isArray(need)) {
      demand(call.identity, repository, need, route.role ?? 'write');
      return;
    }
    if (need !== 'app' && !canSee(call.identity, repository)) throw notFound();
  }
  if (need !== 'nobody') requireKind(call.identity, need === 'app');
}

function requireKind(identity: Identity, app: boolean): void {
  if (identity.kind === 'anonymous') throw new HttpProblem(401, 'Requires authentication');
  if (app && identity.kind !== 'app') throw new HttpProblem(401, 'A JSON web token could not be decoded');
}

function compile(route: Route): Compiled {
  const names: string[] = [];
  const pattern = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return multiSegment.has(name) ? '(.+)' : '([^/]+)';
  });
  return { route, pattern: new RegExp(`^${pattern}$`), names };
}

function literals(path: string): number {
  return path.split('/').filter((part) => !part.startsWith('{')).length;
}
