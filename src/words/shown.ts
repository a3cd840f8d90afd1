/** How a message shows a name that somebody else chose: a path, a branch. */

/** As inline code of markdown: on one line, and without marks that would end it and begin a link or a command. */
export function shown(name: string): string {
  const line = name.replace(/[\p{Cc}\p{Cf}`]/gu, '?').slice(0, 300);
  return `\`${line.toWellFormed()}\``;
}
