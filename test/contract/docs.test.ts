/** What the pages say of names and places is true: links lead somewhere, variables, commands and scripts exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serverSettings } from '../../src/server/settings.ts';
import { variableOf } from '../../src/server/variables.ts';
import { settings } from '../../src/words/settings.ts';

const pages = globSync(['*.md', 'docs/**/*.md']);
const textOf = (page: string) => readFileSync(page, 'utf8');
const withoutCode = (text: string) => text.replace(/```[\s\S]*?```/g, '');

describe.each(pages)('%s', (page) => {
  test('its links lead to files, and to headings that are there', () => {
    const broken = [...withoutCode(textOf(page)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^(https?:|mailto:)/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split('#') as [string, string?];
        const target = path ? join(dirname(page), path) : page;
        if (!existsSync(target)) return true;
        return anchor !== undefined && !anchors(textOf(target)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });
});

test('variables that the server’s pages name are variables', () => {
  const known = new Set([...Object.keys(settings), ...Object.keys(serverSettings)].map(variableOf));
  const others = ['NOTIFY', 'POSTGRES_PASSWORD', 'FROM', 'USER', 'SIGTERM'];
  for (const page of ['README.md', 'docs/server.md', 'docs/operations.md']) {
    const named = [...textOf(page).matchAll(/`\$?([A-Z][A-Z_]{3,})\b/g)].map(([, name]) => name!);
    const unknown = named.filter((name) => !known.has(name.replace(/_FILE$/, '')) && !known.has(name));
    expect(
      unknown.filter((name) => !others.includes(name)),
      page,
    ).toEqual([]);
  }
});

test('npm scripts that the pages name are there', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const named = pages.flatMap((page) =>
    [...textOf(page).matchAll(/npm (?:run ([a-z:]+)|(start|test))\b/g)].map(
      ([, run, short]) => run ?? short!,
    ),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !scripts[name])).toEqual([]);
});

test('each decision has a number of its own, in order', () => {
  const records = globSync('docs/adr/*.md').sort();
  const numbers = records.map((path) => Number(/(\d{4})-/.exec(path)?.[1]));
  expect(numbers).toEqual(records.map((_, index) => index + 1));
  for (const [index, path] of records.entries())
    expect(textOf(path)).toMatch(new RegExp(`^# ${index + 1}\\. `));
});

/** As GitHub makes them. */
function anchors(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}
