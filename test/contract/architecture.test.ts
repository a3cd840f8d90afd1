import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Rooms from the outside in: a file may import from its own room and from any room further down, except its neighbours. */
const floors = [
  ['cli'],
  ['action', 'server', 'client', 'library'],
  ['engine'],
  ['trigger', 'context', 'prompt', 'workspace', 'claude', 'mcp', 'report'],
  ['github'],
  ['words'],
];
const floorOf = (room: string) => floors.findIndex((rooms) => rooms.includes(room));

/** Files that must give the same answer for the same question: no network, no file system, no clock, no chance. */
const pure = [
  /^src\/trigger\//,
  /^src\/prompt\//,
  /^src\/report\/render\.ts$/,
  /^src\/report\/step-summary\.ts$/,
  /^src\/context\/filter\.ts$/,
  /^src\/workspace\/branch\.ts$/,
  /^src\/claude\/arguments\.ts$/,
];

const files = globSync('src/**/*.ts').filter((file) => !/\.(test|fixture|test-support)\.ts$/.test(file));
const sources = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const allSources = new Map(
  globSync(['src/**/*.ts', 'testkit/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts']).map((file) => [
    file,
    readFileSync(file, 'utf8'),
  ]),
);

/** Static and dynamic imports, and `import('…')` types, as written. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:^|[^\w.])(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    (match) => match[1]!,
  );
}

function localImports(file: string, source: string): string[] {
  return (
    importsOf(source)
      // Ours end in .ts or .json; others are text in strings.
      .filter((name) => /^\..*\.(ts|json)$/.test(name))
      .map((name) => normalize(join(dirname(file), name)))
  );
}

const roomOf = (file: string) => /^src\/([^/]+)\//.exec(file)?.[1] ?? '';

describe('rooms', () => {
  test('there are sources to look at', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((file) => floorOf(roomOf(file)) < 0)).toEqual([]);
  });

  test('imports lead downwards, and steps know nothing of one another', () => {
    const breaches: string[] = [];
    for (const [file, source] of sources) {
      const room = roomOf(file);
      for (const target of localImports(file, source)) {
        if (target.startsWith('testkit/') && file.startsWith('src/cli/demo')) continue;
        const to = roomOf(target);
        if (to === room) continue;
        if (!to || floorOf(to) <= floorOf(room)) breaches.push(`${file} imports ${target}`);
      }
    }
    expect(breaches).toEqual([]);
  });

  test('no import cycle', () => {
    const graph = new Map(
      [...allSources].map(([file, source]) => [
        file,
        localImports(file, source).filter((target) => allSources.has(target)),
      ]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

describe('who may touch what', () => {
  const breaches = (pattern: RegExp, allowed: (file: string) => boolean) =>
    [...sources]
      .filter(([file, source]) => !allowed(file) && pattern.test(withoutComments(source)))
      .map(([file]) => file);
  const inRoom =
    (...rooms: string[]) =>
    (file: string) =>
      rooms.includes(roomOf(file));

  test.each<[string, RegExp, (file: string) => boolean]>([
    ['only doors read the environment', /process\.env\b/, inRoom('action', 'cli', 'server', 'library')],
    ['only doors exit', /process\.exit\b|process\.exitCode\b/, inRoom('action', 'cli', 'server')],
    ['only doors print', /\bconsole\.|process\.std(out|err)\.write/, inRoom('action', 'cli', 'server')],
    ['only server/store speaks SQL', /from 'pg(-boss)?'/, (file) => file.startsWith('src/server/store/')],
    ['only github/ holds Octokit', /from '@octokit\//, inRoom('github')],
    ['only claude/ imports the Agent SDK', /@anthropic-ai\/claude-agent-sdk/, inRoom('claude')],
    [
      'only workspace/git.ts runs git',
      /spawn\(\s*'git'|execFile\(\s*'git'/,
      (file) => file === 'src/workspace/git.ts',
    ],
  ])('%s', (_, pattern, allowed) => {
    expect(breaches(pattern, allowed)).toEqual([]);
  });

  test('pure files import nothing that could make two answers to one question', () => {
    const impure = /from 'node:(?!util)|\bfetch\(|Date\.now\(|new Date\(\)|Math\.random\(|randomUUID/;
    expect(
      [...sources]
        .filter(
          ([file, source]) => pure.some((path) => path.test(file)) && impure.test(withoutComments(source)),
        )
        .map(([file]) => file),
    ).toEqual([]);
  });
});

describe('sizes and first lines', () => {
  test('no file has more than 300 lines', () => {
    expect(
      [...allSources]
        .filter(([file, source]) => !file.endsWith('.test.ts') && source.split('\n').length > 301)
        .map(([file]) => file),
    ).toEqual([]);
  });

  test('the first line of a file says what it is for', () => {
    expect([...sources].filter(([, source]) => !/^\/\*\* .{20,}/.test(source)).map(([file]) => file)).toEqual(
      [],
    );
  });

  test('no barrels: no file only re-exports', () => {
    expect(
      [...sources].filter(([, source]) => /^export \* from/m.test(source)).map(([file]) => file),
    ).toEqual([]);
  });
});

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
