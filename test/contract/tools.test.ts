/** What Claude is told of each tool, one JSON file each: people list the names in workflows, and a change is a change. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ciServer } from '../../src/mcp/ci.ts';
import { commentServer } from '../../src/mcp/comment.ts';
import { contextServer } from '../../src/mcp/context.ts';
import { discussionServer } from '../../src/mcp/discussion.ts';
import { type FileCommit, fileCommitsServer, filesServer } from '../../src/mcp/files.ts';
import { progressServer } from '../../src/mcp/progress.ts';
import { pullRequestServer } from '../../src/mcp/pull-request.ts';
import { type ReviewActions, reviewServer } from '../../src/mcp/review.ts';
import { AppError } from '../../src/words/errors.ts';
import type { Progress } from '../../src/words/result.ts';
import type { Tool, ToolServer } from '../../src/words/tool.ts';

const answered = async (...given: unknown[]) => given.join();
const answers = {
  comments: answered,
  thread: answered,
  files: answered,
  fileDiff: answered,
  linkedIssue: answered,
};

const servers: ToolServer[] = [
  ciServer({ status: answered, run: answered, log: answered }),
  commentServer(async () => {}),
  contextServer(answers, 'pull_request'),
  discussionServer(async () => 'Read.'),
  filesServer(async () => 'Pushed.'),
  fileCommitsServer(async () => 'Committed.'),
  progressServer(async () => {}),
  pullRequestServer(async () => 'Updated.'),
  reviewServer({ comment: answered, submit: answered, answer: answered }),
];
const tools = servers.flatMap((server) => server.tools.map((tool) => ({ server: server.name, tool })));

test.each(tools.map(({ server, tool }) => [`mcp__${server}__${tool.name}`, tool] as const))(
  '%s',
  async (name, { description, inputSchema }) => {
    const schema = z.toJSONSchema(z.object(inputSchema));
    const shown = { name, description, inputSchema: schema };
    await expect(`${JSON.stringify(shown, null, 2)}\n`).toMatchFileSnapshot(`tools/${name}.json`);
  },
);

test('names are unique, and what Claude Code and GitHub workflows can spell', () => {
  const names = tools.map(({ server, tool }) => `mcp__${server}__${tool.name}`);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,64}$/);
});

const only = (server: ToolServer): Tool => {
  expect(server.tools).toHaveLength(1);
  return server.tools[0]!;
};

describe('update_claude_comment', () => {
  test("hands on Claude's text as it is", async () => {
    const reported: Progress[] = [];
    const tool = only(commentServer(async (progress) => void reported.push(progress)));
    const body = '- [x] one\n\n```suggestion\n<b>"&"</b>\n```\n';
    expect(await tool.call({ body })).toEqual({ text: 'The comment shows the new text.', isError: false });
    expect(reported).toEqual([{ status: 'in_progress', message: body }]);
  });
});

describe('push_changes', () => {
  test('answers what happened', async () => {
    const tool = only(filesServer(async () => 'Pushed 2 commits to claude/issue-7.'));
    expect(await tool.call({})).toEqual({ text: 'Pushed 2 commits to claude/issue-7.', isError: false });
  });
});

describe('commit_files and delete_files', () => {
  const asked = async (name: string, input: Record<string, unknown>) => {
    const requests: FileCommit[] = [];
    const { tools } = fileCommitsServer(async (request) => {
      requests.push(request);
      return 'Published 1 commit.';
    });
    return { ...(await tools.find((tool) => tool.name === name)!.call(input)), requests };
  };
  const message = 'Say why';

  test.each<[string, Record<string, unknown>, FileCommit['files']]>([
    ['commit_files', { files: ['a', 'b/'], message }, { paths: ['a', 'b/'], remove: false }],
    ['delete_files', { paths: ['a'], message }, { paths: ['a'], remove: true }],
    ['delete_files', { files: ['a'], message }, { paths: ['a'], remove: true }],
    ['delete_files', { paths: ['a'], files: ['b'], message }, { paths: ['a', 'b'], remove: true }],
  ])('%s %j', async (name, input, files) => {
    expect(await asked(name, input)).toEqual({
      ...{ text: 'Published 1 commit.', isError: false },
      requests: [{ message, files }],
    });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['commit_files', { message }, 'files'],
    ['commit_files', { files: [], message }, 'files'],
    ['commit_files', { files: [''], message }, 'files'],
    ['commit_files', { files: ['a'], message: ' ' }, 'message'],
    ['delete_files', { message }, 'paths'],
    ['delete_files', { paths: ['a'] }, 'message'],
  ])('%s does not take %j', async (name, input, says) => {
    const answer = await asked(name, input);
    expect(answer).toMatchObject({ isError: true, requests: [] });
    expect(answer.text).toContain(says);
  });
});

describe('github_context', () => {
  const call = (name: string, input: Record<string, unknown>) =>
    contextServer(answers, 'pull_request')
      .tools.find((tool) => tool.name === name)!
      .call(input);

  test.each<[string, Record<string, unknown>, string]>([
    ['get_comments', {}, ''],
    ['get_comments', { before: 12 }, '12'],
    ['get_thread', {}, ''],
    ['get_thread', { number: 3 }, '3'],
    ['get_file_diff', {}, '1'],
    ['get_file_diff', { page: 2 }, '2'],
    ['get_file_diff', { path: 'src/a.ts' }, 'src/a.ts'],
    ['get_linked_issue', { number: 7 }, '7'],
  ])('%s %j', async (name, input, text) => {
    expect(await call(name, input)).toEqual({ text, isError: false });
  });

  test.each<[string, Record<string, unknown>]>([
    ['get_comments', { before: 0 }],
    ['get_thread', { number: '3' }],
    ['get_file_diff', { path: '' }],
    ['get_linked_issue', {}],
    ['get_comments', { page: 2 }],
  ])('%s does not take %j, and names what it does not', async (name, input) => {
    const { text, isError } = await call(name, input);
    expect(isError).toBe(true);
    expect(text).toContain(`Invalid arguments for ${name}`);
    expect(text).toContain(Object.keys(input)[0] ?? 'number');
  });

  test('an issue has comments and nothing else', () => {
    expect(contextServer(answers, 'issue').tools.map(({ name }) => name)).toEqual(['get_comments']);
  });
});

describe('update_pull_request', () => {
  test('hands on title and description as they are', async () => {
    const given: unknown[] = [];
    const update = async (text: unknown) => {
      given.push(text);
      return 'The pull request shows the new text.';
    };
    const tool = only(pullRequestServer(update));
    const text = { title: 'Greet in German', body: '## What\n\n<b>"&"</b>' };
    expect(await tool.call(text)).toEqual({ text: 'The pull request shows the new text.', isError: false });
    await tool.call({ body: 'Only the description' });
    expect(given).toEqual([text, { body: 'Only the description' }]);
    expect((await tool.call({ title: 'No description' })).isError).toBe(true);
  });
});

describe('github_inline_comment', () => {
  const asked = async (name: string, input: Record<string, unknown>) => {
    const given: unknown[] = [];
    const take = async (...what: unknown[]) => {
      given.push(...what);
      return 'Collected.';
    };
    const actions: ReviewActions = { comment: take, submit: take, answer: take };
    const tool = reviewServer(actions).tools.find((one) => one.name === name)!;
    return { ...(await tool.call(input)), given };
  };

  test.each<[string, Record<string, unknown>, unknown[]]>([
    [
      'create_inline_comment',
      {
        path: 'a.ts',
        body: '```suggestion\n<b>"&"</b> \n```\n',
        line: 3,
        startLine: 2,
        side: 'LEFT',
        confirmed: true,
      },
      [
        {
          path: 'a.ts',
          body: '```suggestion\n<b>"&"</b> \n```\n',
          line: 3,
          startLine: 2,
          side: 'LEFT',
          confirmed: true,
        },
      ],
    ],
    ['submit_review', { event: 'APPROVE', body: 'Fine.' }, [{ event: 'APPROVE', body: 'Fine.' }]],
    ['submit_review', { body: 'Fine.' }, [{ event: 'COMMENT', body: 'Fine.' }]],
    ['resolve_review_thread', { thread: 3 }, [3, { body: null, resolve: true }]],
    ['resolve_review_thread', { thread: 3, body: 'Done.' }, [3, { body: 'Done.', resolve: true }]],
    ['reply_to_review_thread', { thread: 3, body: 'But.' }, [3, { body: 'But.', resolve: false }]],
  ])('%s hands on %j as it is', async (name, input, given) => {
    expect(await asked(name, input)).toEqual({ text: 'Collected.', isError: false, given });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['create_inline_comment', { path: 'a.ts', line: 3 }, 'body'],
    ['create_inline_comment', { path: 'a.ts', body: 'x', line: 0 }, 'line'],
    ['create_inline_comment', { path: 'a.ts', body: 'x', line: 1, side: 'BOTH' }, 'side'],
    ['submit_review', { event: 'MERGE', body: 'x' }, 'event'],
    ['reply_to_review_thread', { thread: 3 }, 'body'],
  ])('%s does not take %j', async (name, input, says) => {
    const answer = await asked(name, input);
    expect(answer).toMatchObject({ isError: true, given: [] });
    expect(answer.text).toContain(says);
  });

  test('without review threads to answer in there are no tools for them', () => {
    const { tools } = reviewServer({ comment: answered, submit: answered });
    expect(tools.map(({ name }) => name)).toEqual(['create_inline_comment', 'submit_review']);
  });
});

describe('a call that fails is an answer, never an exception: what happened, and what to do', () => {
  test.each<[string, unknown, string]>([
    [
      'a refusal that Claude can repair',
      new AppError('gate_refused', 'The push would change `.github/workflows/ci.yml`.', {
        remedy: 'Undo that change and push again.',
      }),
      'The push would change `.github/workflows/ci.yml`.\nUndo that change and push again.',
    ],
    [
      'a reason with its usual remedy',
      new AppError('github_unavailable', 'GitHub answered 503.'),
      'GitHub answered 503.\nRun again when GitHub answers; see https://www.githubstatus.com.',
    ],
    [
      'a bug',
      new TypeError('x is not a function'),
      'TypeError: x is not a function\nPlease report it with the job log.',
    ],
    ['anything thrown', 'oops', 'oops\nPlease report it with the job log.'],
  ])('%s', async (_, thrown, text) => {
    const fail = () => Promise.reject(thrown);
    expect(await only(filesServer(fail)).call({})).toEqual({ text, isError: true });
    expect(await only(commentServer(fail)).call({ body: 'x' })).toEqual({ text, isError: true });
  });

  test.each([{}, { body: '' }, { body: 7 }])('input that does not fit: %j', async (input) => {
    const reported: Progress[] = [];
    const tool = only(commentServer(async (progress) => void reported.push(progress)));
    const answer = await tool.call(input);
    expect(answer.isError).toBe(true);
    expect(answer.text).toContain('body');
    expect(reported).toEqual([]);
  });
});
