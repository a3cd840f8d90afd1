/** What shows that something is so: a test by its name, or the words of a page. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** `file: name of a test in it`, or `docs/page.md: words of the page`; several where one shows only a part. */
export type Proof = `${string}: ${string}`;

/** The test is there, or the page says it. */
export function expectProof(proof: Proof): void {
  const [, file, name] = /^(\S+): ([\s\S]+)$/.exec(proof)!;
  const text = readFileSync(file!, 'utf8');
  // The words of a page stand wherever its lines break; the name of a test stands in quotes.
  if (file!.endsWith('.md')) expect(text.replace(/\s+/g, ' ')).toContain(name);
  else
    expect(
      ["'", '"', '`'].some((quote) => text.includes(`${quote}${name}${quote}`)),
      `${name} in ${file}`,
    ).toBe(true);
}
