/** GraphQL refusals in GitHub's shape: an error with a `type` beside its message. */
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { HttpProblem } from '../rest/problem.ts';

export function problem(type: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { type } });
}

const types: Record<number, string> = {
  401: 'FORBIDDEN',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  422: 'UNPROCESSABLE',
};

/** Runs a REST-side check or action and turns its refusal into a GraphQL error. */
export function translated<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    const [first] = error.errors ?? [];
    const message = typeof first === 'string' ? first : first?.message;
    throw problem(types[error.status] ?? 'UNPROCESSABLE', message ?? error.message);
  }
}

/** GitHub lifts `type` out of the extensions. */
export function formatError(error: GraphQLError): GraphQLFormattedError & { type?: string } {
  const { type, ...extensions } = error.extensions;
  const { message, locations, path } = error.toJSON();
  return {
    ...(typeof type === 'string' ? { type } : {}),
    ...(path ? { path } : {}),
    ...(Object.keys(extensions).length > 0 ? { extensions } : {}),
    ...(locations ? { locations } : {}),
    message,
  };
}
