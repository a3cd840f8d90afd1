/** Every document is valid against GitHub's public schema and within GitHub's limits. */
import { schema as github } from '@octokit/graphql-schema';
import {
  buildSchema,
  type DocumentNode,
  NoDeprecatedCustomRule,
  parse,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import { expect, test } from 'vitest';
import { queries } from './queries.ts';
import { htmlQuery } from './signed.ts';

const schema = buildSchema(github.idl, { assumeValidSDL: true }); // GitHub publishes one type with a field twice.

const documents: [string, string][] = [
  ...Object.entries(queries.first),
  ...Object.entries(queries.next),
  ['replies', queries.replies],
  ['html', htmlQuery],
];

test.each(documents)('%s is valid and uses nothing deprecated', (_, query) => {
  expect(validate(schema, parse(query), [...specifiedRules, NoDeprecatedCustomRule])).toEqual([]);
});

test.each(documents)('%s asks for legal pages and few nodes', (_, query) => {
  const { largest, nodes } = cost(parse(query));
  expect(largest).toBeLessThanOrEqual(100);
  expect(nodes).toBeLessThan(10_000);
});

/** GitHub's own count: the product of the page sizes along each path, summed up. */
function cost(document: DocumentNode): { largest: number; nodes: number } {
  const open: number[] = [];
  let [largest, nodes] = [0, 0];
  visit(document, {
    Field: {
      enter(field) {
        const first = field.arguments?.find((argument) =>
          ['first', 'last'].includes(argument.name.value),
        )?.value;
        const size = first?.kind === 'IntValue' ? Number(first.value) : 1;
        open.push((open.at(-1) ?? 1) * size);
        if (first) nodes += open.at(-1) ?? 0;
        largest = Math.max(largest, size);
      },
      leave: () => void open.pop(),
    },
  });
  return { largest, nodes };
}
