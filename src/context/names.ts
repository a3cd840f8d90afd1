/** Lists of logins as people write them in settings: case does not matter, `*` stands for anything. */

/** True for logins that any of `patterns` matches: `octocat`, `@octocat`, `dependabot` and `dependabot[bot]`, `*[bot]`. */
export function nameMatcher(patterns: string[]): (login: string) => boolean {
  const wanted = patterns
    .map((pattern) => pattern.trim().replace(/^@/, '').toLowerCase())
    .flatMap((name) => (name.includes('*') ? [name] : [name, `${name}[bot]`]))
    .map((pattern) => pattern.split('*'));
  return (login) => wanted.some((parts) => matches(parts, login.toLowerCase()));
}

/** Finds each part after the one before it: no backtracking, so no pattern is slow. */
function matches(parts: string[], login: string): boolean {
  const [start = '', ...rest] = parts;
  const end = rest.pop();
  if (end === undefined) return login === start;
  if (!login.startsWith(start)) return false;
  let at = start.length;
  for (const part of rest) {
    const found = login.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return login.length - end.length >= at && login.endsWith(end);
}
