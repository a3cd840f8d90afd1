/** GitHub's limits on queries, checked before anything runs: page sizes and the number of possible nodes. */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

const largestPage = 100;
const mostNodes = 500_000;

/** Everything GitHub would refuse; empty when it would run the query. Call with a valid document only. */
export function checkLimits(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Record<string, unknown>,
): GraphQLError[] {
  const walk = new Walk(document, variables);
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const root = schema.getRootType(definition.operation);
    if (root) walk.selections(schema, definition.selectionSet, root, [definition.operation], 1);
  }
  if (walk.errors.length === 0 && walk.nodes > mostNodes) {
    const asked = walk.nodes.toLocaleString('en-US');
    const message = `This query requests up to ${asked} possible nodes which exceeds the maximum limit of 500,000.`;
    return [new GraphQLError(message, { extensions: { type: 'MAX_NODE_LIMIT_EXCEEDED' } })];
  }
  return walk.errors;
}

class Walk {
  readonly errors: GraphQLError[] = [];
  nodes = 0;
  readonly #fragments: Map<string, FragmentDefinitionNode>;
  readonly #variables: Record<string, unknown>;

  constructor(document: DocumentNode, variables: Record<string, unknown>) {
    const fragments = document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((one) => [one.name.value, one]));
    this.#variables = variables;
  }

  selections(
    schema: GraphQLSchema,
    set: SelectionSetNode,
    type: GraphQLOutputType,
    path: string[],
    times: number,
  ): void {
    const parent = getNamedType(type);
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const field =
          isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
        if (!field || !node.selectionSet) continue;
        const here = [...path, node.alias?.value ?? node.name.value];
        const paged =
          getNamedType(field.type).name.endsWith('Connection') &&
          field.args.some((arg) => arg.name === 'first');
        const size = paged ? this.#pageSize(node, here) : 1;
        if (paged) this.nodes += times * size;
        this.selections(schema, node.selectionSet, field.type, here, times * Math.max(1, size));
        continue;
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(node.name.value) : node;
      const condition = fragment?.typeCondition && schema.getType(fragment.typeCondition.name.value);
      const narrowed = (condition as GraphQLOutputType | undefined) ?? type;
      if (fragment) this.selections(schema, fragment.selectionSet, narrowed, path, times);
    }
  }

  #pageSize(node: FieldNode, path: string[]): number {
    const [first, last] = [this.#argument(node, 'first'), this.#argument(node, 'last')];
    const name = node.name.value;
    if (first === null && last === null) {
      if (this.#readsNodes(node.selectionSet!)) {
        const message = `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`;
        this.#refuse(node, path, 'MISSING_PAGINATION_BOUNDARIES', message);
      }
      return 0;
    }
    const [word, size] = first === null ? ['last', last!] : ['first', first];
    if (size > largestPage) {
      const message = `Requesting ${size} records on the \`${name}\` connection exceeds the \`${word}\` limit of ${largestPage} records.`;
      this.#refuse(node, path, 'EXCESSIVE_PAGINATION', message);
    } else if (size < 1) {
      this.#refuse(
        node,
        path,
        'INVALID_PAGINATION',
        `\`${word}\` on the \`${name}\` connection must be between 1 and ${largestPage}.`,
      );
    }
    return size;
  }

  #argument(node: FieldNode, name: string): number | null {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    if (value?.kind === Kind.INT) return Number(value.value);
    if (value?.kind !== Kind.VARIABLE) return null;
    const given = this.#variables[value.name.value];
    return typeof given === 'number' ? given : null;
  }

  /** Only counting (`totalCount`) needs no page size. */
  #readsNodes(set: SelectionSetNode): boolean {
    return set.selections.some((node) => {
      if (node.kind === Kind.FIELD) return node.name.value === 'nodes' || node.name.value === 'edges';
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(node.name.value) : node;
      return fragment ? this.#readsNodes(fragment.selectionSet) : false;
    });
  }

  #refuse(node: FieldNode, path: string[], type: string, message: string): void {
    this.errors.push(new GraphQLError(message, { nodes: node, path, extensions: { type } }));
  }
}
