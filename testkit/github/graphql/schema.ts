/** GitHub's public GraphQL schema, built once per process when the first query comes. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { buildSchema, type GraphQLSchema } from 'graphql';

let built: GraphQLSchema | null = null;

/** About 0.1 s the first time (1.2 MB of schema); it is GitHub's own, so it is not validated again. */
export function githubSchema(): GraphQLSchema {
  if (!built) {
    // the package exports only its entry, which would parse another 5 MB of JSON: read the file beside it
    const manifest = findPackageJSON('@octokit/graphql-schema', import.meta.url);
    if (!manifest) throw new Error('The local GitHub needs the package @octokit/graphql-schema.');
    const text = readFileSync(join(dirname(manifest), 'schema.graphql'), 'utf8');
    built = buildSchema(text, { assumeValid: true, assumeValidSDL: true, noLocation: true });
  }
  return built;
}
