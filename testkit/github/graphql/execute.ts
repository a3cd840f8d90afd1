/** Answers GraphQL requests: parse, validate, check GitHub's limits, run over the state. */
import {
  defaultFieldResolver,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  parse,
  validate,
} from 'graphql';
import type { Identity } from '../access.ts';
import type { Kit } from '../kit.ts';
import type { Answer } from '../rest/call.ts';
import { HttpProblem } from '../rest/problem.ts';
import { checkLimits } from './limits.ts';
import { mutationRoot } from './mutation/mutations.ts';
import { showRecord } from './node.ts';
import { formatError } from './problem.ts';
import { queryRoot } from './query.ts';
import { githubSchema } from './schema.ts';
import type { Request } from './view/view.ts';

interface Body {
  query?: unknown;
  variables?: Record<string, unknown> | null;
  operationName?: string | null;
}

/** @param json the request's body; errors of the query answer with status 200, as GitHub's do. */
export async function answerGraphql(kit: Kit, identity: Identity, json: unknown): Promise<Answer> {
  if (identity.kind !== 'token') {
    return {
      status: 401,
      body: new HttpProblem(401, 'This endpoint requires you to be authenticated.').body(),
    };
  }
  const { query, variables, operationName } = (json ?? {}) as Body;
  if (typeof query !== 'string') {
    return {
      status: 400,
      body: new HttpProblem(400, 'A query attribute must be specified and must be a string.').body(),
    };
  }
  const schema = githubSchema();
  const request: Request = { kit, store: kit.store, identity, show: (record) => showRecord(request, record) };
  try {
    const document = parse(query);
    const invalid = validate(schema, document);
    const errors = invalid.length > 0 ? invalid : checkLimits(schema, document, variables ?? {});
    if (errors.length > 0) return ok({ errors: errors.map(formatError) });
    const result = await execute({
      schema,
      document,
      rootValue: { ...queryRoot(request), ...mutationRoot(request) },
      variableValues: variables ?? {},
      operationName: operationName ?? undefined,
      fieldResolver: resolverFor(kit),
    });
    return ok({
      ...(result.data === undefined ? {} : { data: result.data }),
      ...(result.errors ? { errors: result.errors.map(formatError) } : {}),
    });
  } catch (error) {
    if (error instanceof GraphQLError) return ok({ errors: [formatError(error)] });
    throw error;
  }
}

const ok = (body: unknown): Answer => ({ status: 200, body });

/** A field that the views lack must not silently read as null: it is an error that names it, and a violation. */
function resolverFor(kit: Kit): GraphQLFieldResolver<unknown, unknown> {
  return (source, args, context, info) => {
    if (typeof source === 'object' && source !== null && info.fieldName in source) {
      return defaultFieldResolver(source, args, context, info);
    }
    const field = `${info.parentType.name}.${info.fieldName}`;
    kit.violations.push({ where: `GraphQL ${field}`, problem: 'the local GitHub does not know this field' });
    throw new GraphQLError(`The local GitHub does not know ${field}.`);
  };
}
