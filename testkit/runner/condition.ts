/** Evaluates the `post-if` of an action: status functions with `!`, `&&`, `||` and parentheses. */

export type JobStatus = 'success' | 'failure' | 'cancelled';

/** @throws on anything that is not a combination of status functions, `true` and `false`. */
export function conditionHolds(condition: string, status: JobStatus): boolean {
  const tokens = condition.match(/\w+\s*\(\s*\)|true|false|&&|\|\||[!()]|\S/g) ?? [];
  const unknown = () => new Error(`The mini runner does not know the condition \`${condition}\`.`);
  const term = (): boolean => {
    const token = tokens.shift()?.replaceAll(/\s/g, '');
    if (token === '!') return !term();
    if (token === '(') {
      const inner = either();
      if (tokens.shift() !== ')') throw unknown();
      return inner;
    }
    if (token === 'true' || token === 'always()') return true;
    if (token === 'false') return false;
    const asked = /^(success|failure|cancelled)\(\)$/.exec(token ?? '')?.[1];
    if (!asked) throw unknown();
    return asked === status;
  };
  // Both sides are always read, so that the tokens of the right one are consumed.
  const both = (): boolean => {
    let value = term();
    while (tokens[0] === '&&' && tokens.shift()) value = term() && value;
    return value;
  };
  const either = (): boolean => {
    let value = both();
    while (tokens[0] === '||' && tokens.shift()) value = both() || value;
    return value;
  };
  const value = either();
  if (tokens.length > 0) throw unknown();
  return value;
}
