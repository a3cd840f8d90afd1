/** Checks the local GitHub's own answers against GitHub's public API description. */
import { Ajv, type ValidateFunction } from 'ajv';
import type { Kit } from '../kit.ts';
import type { Answer, Route } from './call.ts';

type Json = Record<string, unknown>;

interface Description {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content?: Record<string, { schema: Json }> }> }>
  >;
  components: { schemas: Json };
}

let loaded: Promise<{ description: Description; ajv: Ajv }> | null = null;
const validators = new Map<string, ValidateFunction | null>();

/** Records in `kit.violations` what GitHub's description does not allow. Routes outside the slice pass. */
export async function checkAnswer(kit: Kit, route: Route, answer: Answer): Promise<void> {
  if (answer.status >= 300) return;
  const where = `${route.method} ${route.path} ${answer.status}`;
  const { description, ajv } = await load();
  const described = description.paths[route.path]?.[route.method.toLowerCase()];
  if (!described) return;
  const response = described.responses[answer.status];
  if (!response) {
    kit.violations.push({ where, problem: 'GitHub never answers with this status' });
    return;
  }
  const validate = validatorOf(ajv, where, response.content?.['application/json']?.schema);
  // what is sent is JSON text, so that is what is checked
  if (!validate || typeof answer.body === 'string' || validate(JSON.parse(JSON.stringify(answer.body))))
    return;
  const problem = ajv.errorsText(validate.errors, { separator: '; ' });
  if (!kit.violations.some((known) => known.where === where && known.problem === problem)) {
    kit.violations.push({ where, problem });
  }
}

/** Every `METHOD /path` of the slice. */
export async function describedRoutes(): Promise<string[]> {
  const { description } = await load();
  const methods = ['get', 'post', 'put', 'patch', 'delete'];
  return Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((method) => methods.includes(method))
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
}

function validatorOf(ajv: Ajv, where: string, schema: Json | undefined): ValidateFunction | null {
  const known = validators.get(where);
  if (known !== undefined) return known;
  const validate = schema ? ajv.compile(schema) : null;
  validators.set(where, validate);
  return validate;
}

function load() {
  loaded ??= import('../../data/github-openapi-slice.json', { with: { type: 'json' } }).then((module) => {
    const description = toJsonSchema(module.default, '') as unknown as Description;
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, discriminator: false });
    for (const [name, schema] of Object.entries(description.components.schemas)) {
      ajv.addSchema(schema as Json, `#/components/schemas/${name}`);
    }
    return { description, ajv };
  });
  return loaded;
}

/** OpenAPI 3.0 says `nullable`, JSON Schema says it with types. `name` is the key that `value` stands under. */
function toJsonSchema(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => toJsonSchema(entry, ''));
  if (typeof value !== 'object' || value === null) return value;
  const schema = Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, toJsonSchema(entry, key)]),
  ) as Json;
  if (name === 'properties') return schema;
  const { nullable, discriminator: _, example: __, ...rest } = schema;
  // several alternatives of one answer overlap (a private user is a public one too)
  if (Array.isArray(rest.oneOf)) {
    rest.anyOf = rest.oneOf;
    delete rest.oneOf;
  }
  // a slip in the description: an account is a user or an enterprise, never both
  if (Array.isArray(rest.allOf) && rest.allOf.some((entry: Json) => entry.title === 'Enterprise')) {
    rest.anyOf = rest.allOf;
    delete rest.allOf;
  }
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest;
}
