/** Makes text from outside fit for PostgreSQL, which takes no NUL, and in jsonb no halves of characters. */

/** NUL becomes U+FFFD, as GitHub itself shows it; half a surrogate pair too. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** For a jsonb parameter. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'string' ? cleanText(part) : part));
}
