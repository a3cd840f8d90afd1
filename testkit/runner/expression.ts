/** GitHub's expressions, as far as workflows here use them: contexts, literals, operators and a few functions. */

export type JobStatus = 'success' | 'failure' | 'cancelled';

/** What an expression may name: `github`, `secrets`, `steps` and so on; `status` is what the status functions ask. */
export interface Contexts {
  values: Record<string, unknown>;
  status: JobStatus;
}

/** A text with `${{ … }}` in it. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{\s*(.*?)\s*\}\}/gs, (_, expression: string) =>
    textOf(evaluate(expression, contexts)),
  );
}

/** An `if:`; like GitHub, one that asks for no status also wants success. */
export function conditionHolds(condition: string | undefined, contexts: Contexts): boolean {
  const text = (condition ?? 'success()').replace(/^\s*\$\{\{(.*)\}\}\s*$/s, '$1');
  const asksStatus = /\b(?:success|failure|cancelled|always)\s*\(/.test(text);
  return (asksStatus || contexts.status === 'success') && isTrue(evaluate(text, contexts));
}

/** @throws on what the mini runner does not know: a test must not go on with a guess. */
export function evaluate(expression: string, contexts: Contexts): unknown {
  return new Reader(expression, contexts).whole()();
}

const functions: Record<string, (contexts: Contexts, ...given: unknown[]) => unknown> = {
  always: () => true,
  success: ({ status }) => status === 'success',
  failure: ({ status }) => status === 'failure',
  cancelled: ({ status }) => status === 'cancelled',
  contains: (_, where, what) =>
    Array.isArray(where)
      ? where.some((one) => equal(one, what))
      : textOf(where).toLowerCase().includes(textOf(what).toLowerCase()),
  startsWith: (_, text, start) => textOf(text).toLowerCase().startsWith(textOf(start).toLowerCase()),
  join: (_, list, between = ',') =>
    Array.isArray(list) ? list.map(textOf).join(textOf(between)) : textOf(list),
  fromJSON: (_, text) => JSON.parse(textOf(text)),
};

const token = /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w-]*)|(==|!=|>=|&&|\|\||[!()[\],.*]))/y;

/** A part of an expression, to be asked for its value only where that counts: `&&` and `||` leave the rest alone. */
type Part = () => unknown;

class Reader {
  private readonly tokens: string[] = [];
  private readonly contexts: Contexts;
  private readonly text: string;

  constructor(text: string, contexts: Contexts) {
    this.text = text;
    this.contexts = contexts;
    token.lastIndex = 0;
    const source = text.trim();
    while (token.lastIndex < source.length) {
      const found = token.exec(source)?.[0];
      if (!found) throw this.unknown();
      this.tokens.push(found.trim());
    }
  }

  whole(): Part {
    const part = this.either();
    if (this.tokens.length > 0) throw this.unknown();
    return part;
  }

  private either(): Part {
    const left = this.both();
    if (!this.take('||')) return left;
    const right = this.either();
    return () => {
      const value = left();
      return isTrue(value) ? value : right();
    };
  }

  private both(): Part {
    const left = this.comparison();
    if (!this.take('&&')) return left;
    const right = this.both();
    return () => {
      const value = left();
      return isTrue(value) ? right() : value;
    };
  }

  private comparison(): Part {
    const left = this.term();
    for (const [operator, holds] of Object.entries(comparisons)) {
      if (!this.take(operator)) continue;
      const right = this.term();
      return () => holds(left(), right());
    }
    return left;
  }

  private term(): Part {
    const first = this.tokens.shift();
    if (first === undefined) throw this.unknown();
    if (first === '!') {
      const part = this.term();
      return () => !isTrue(part());
    }
    if (first === '(') return this.closed(this.either(), ')');
    if (first.startsWith("'")) return () => first.slice(1, -1).replaceAll("''", "'");
    if (/^-?\d/.test(first)) return () => Number(first);
    if (!/^\w/.test(first)) throw this.unknown();
    if (this.take('(')) return this.members(this.call(first));
    if (first === 'true' || first === 'false') return () => first === 'true';
    if (first === 'null') return () => null;
    const { values } = this.contexts;
    if (!Object.hasOwn(values, first)) throw this.unknown();
    return this.members(() => values[first]);
  }

  private call(name: string): Part {
    const given: Part[] = [];
    while (!this.take(')')) {
      if (given.length > 0 && !this.take(',')) throw this.unknown();
      given.push(this.either());
    }
    const known = functions[name];
    if (!known) throw this.unknown();
    return () => known(this.contexts, ...given.map((part) => part()));
  }

  private members(of: Part): Part {
    if (this.take('.')) {
      const name = this.tokens.shift() ?? '';
      return this.members(() => memberOf(of(), name));
    }
    if (!this.take('[')) return of;
    const name = this.closed(this.either(), ']');
    return this.members(() => memberOf(of(), name()));
  }

  private closed(part: Part, end: string): Part {
    if (!this.take(end)) throw this.unknown();
    return part;
  }

  private take(wanted: string): boolean {
    return this.tokens[0] === wanted && this.tokens.shift() !== undefined;
  }

  private unknown(): Error {
    return new Error(`The mini runner does not know the expression \`${this.text.trim()}\`.`);
  }
}

const comparisons: Record<string, (left: unknown, right: unknown) => boolean> = {
  '==': equal,
  '!=': (left, right) => !equal(left, right),
  '>=': (left, right) => numberOf(left) >= numberOf(right),
};

/** What `.*` gives: a further member is asked of each. */
class Each extends Array<unknown> {}

/** What is not there is null, as on GitHub. */
function memberOf(value: unknown, name: unknown): unknown {
  if (typeof value !== 'object' || value === null) return null;
  if (name === '*') return Each.from(Object.values(value));
  if (value instanceof Each) return Each.from(value.map((one) => memberOf(one, name)));
  return Object.entries(value).find(([key]) => key.toLowerCase() === String(name).toLowerCase())?.[1] ?? null;
}

/** Texts are compared without regard to case, other kinds as numbers. */
function equal(left: unknown, right: unknown): boolean {
  if (typeof left === 'string' && typeof right === 'string') {
    return left.toLowerCase() === right.toLowerCase();
  }
  return typeof left === typeof right ? left === right : numberOf(left) === numberOf(right);
}

function numberOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? Number.NaN : Number(value);
}

function isTrue(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0 && value !== '';
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}
