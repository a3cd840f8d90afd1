/** A file's diff is found on its page, at the commit that was asked about and at no other. */
import { expect, test } from 'vitest';
import type { ChangedFile } from '../words/thread.ts';
import { readFileDiff } from './diff.ts';

const head = 'c'.repeat(40);
const paths = Array.from({ length: 950 }, (_, i) => `src/${String(i).padStart(3, '0')}.ts`);
const changed = (path: string): ChangedFile => ({ path, change: 'MODIFIED', additions: 1, deletions: 1 });

/** GitHub's list of the files, in its own order; `asked` are the pages. */
function gitHub(order: string[], at = head) {
  const asked: number[] = [];
  const rest = async <T>(_: string, { page, per_page: size }: Record<string, unknown>) => {
    asked.push(Number(page));
    const from = (Number(page) - 1) * Number(size);
    return order.slice(from, from + Number(size)).map((path) => ({
      filename: path,
      status: 'modified',
      ...(path === 'src/007.ts' ? {} : { patch: `+${path}` }),
      contents_url: `https://api.github.com/repos/octo-org/hello/contents/${path}?ref=${at}`,
    })) as T;
  };
  return { asked, rest };
}

const ask = (rest: ReturnType<typeof gitHub>['rest'], path: string, files = paths) =>
  readFileDiff(
    {
      rest,
      repository: { owner: 'octo-org', name: 'hello' },
      number: 7,
      facts: { head: { sha: head }, files: files.map(changed) },
    },
    path,
  );

test('one request where both lists have one order', async () => {
  const { rest, asked } = gitHub(paths);
  expect(await ask(rest, 'src/321.ts')).toEqual({
    path: 'src/321.ts',
    status: 'modified',
    patch: '+src/321.ts',
  });
  expect(asked).toEqual([4]);
});

test('in another order the pages around are looked at, each once', async () => {
  const { rest, asked } = gitHub(paths.toReversed());
  expect((await ask(rest, 'src/321.ts')).patch).toBe('+src/321.ts');
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.length).toBeLessThanOrEqual(10);
});

test('where there is no list of files, pages are read until the last', async () => {
  const { rest, asked } = gitHub(paths);
  expect((await ask(rest, 'src/150.ts', [])).patch).toBe('+src/150.ts');
  await expect(ask(rest, 'src/gone.ts', [])).rejects.toMatchObject({ reason: 'invalid_input' });
  expect(asked).toEqual([1, 2, ...Array.from({ length: 10 }, (_, i) => i + 1)]);
});

test('a file that GitHub shows no diff of', async () => {
  expect((await ask(gitHub(paths).rest, 'src/007.ts')).patch).toBeNull();
});

test('a file that is not changed costs no request', async () => {
  const { rest, asked } = gitHub(paths);
  await expect(ask(rest, 'README.md')).rejects.toThrow('does not change that file');
  expect(asked).toEqual([]);
});

test('commits pushed after the request are not shown as what was asked about', async () => {
  const { rest } = gitHub(paths, 'd'.repeat(40));
  await expect(ask(rest, 'src/321.ts')).rejects.toMatchObject({
    message: 'The pull request has newer commits than the request.',
    remedy: expect.stringContaining('git diff'),
  });
});
