/** The sample issue and pull request that the golden prompts are made of. */

import type { PromptFacts, PromptSettings } from '../../src/prompt/sections.ts';
import type { Item, Subject } from '../../src/words/event.ts';
import type { Task } from '../../src/words/task.ts';
import type {
  PullRequestFacts,
  Review,
  ReviewThread,
  Thread,
  ThreadComment,
} from '../../src/words/thread.ts';

const url = 'https://github.com/octo-org/hello-world/issues/7';
const monalisa = { login: 'monalisa', id: 2 };

const facts: PromptFacts = {
  nonce: '0123456789abcdef0123456789abcdef',
  host: 'github.com',
  workDirectory: null,
  branch: {
    name: 'claude/issue-7',
    base: 'main',
    isNew: true,
    mayPush: true,
    pushTool: 'push_changes',
    repository: 'octo-org/hello-world',
  },
  configuration: null,
  tools: { comment: true, review: false, ci: false, progress: false },
};

const settings: PromptSettings = {
  prompt: '',
  contextBudgetChars: 400_000,
  createPullRequest: 'link',
  protectedPaths: ['.github/workflows/**', '.github/actions/**', '.gitmodules'],
  allowProtectedPaths: false,
  reviewEvents: ['COMMENT'],
};

const task = (subject: Subject, more: Partial<Task>): Task => ({
  key: `octo-org/hello-world#${subject.number}`,
  repository: { owner: 'octo-org', name: 'hello-world' },
  subject,
  actor: monalisa,
  trigger: { kind: 'opened' },
  mode: 'tag',
  instruction: '',
  triggeredAt: '2026-03-01T12:00:00Z',
  ...more,
});

const subject = (kind: Subject['kind'], number: number): Subject => ({
  kind,
  number,
  title: '',
  body: '',
  author: { login: 'octocat' },
  state: 'open',
  labels: [],
  htmlUrl: url,
});

export const defaults = {
  facts,
  settings,
  issueTask: (more: Partial<Task>) => task(subject('issue', 7), more),
  pullRequestTask: (more: Partial<Task>) => task(subject('pull_request', 9), more),
};

/** The mention; also usable as the comment that it is. */
export function item(more: Partial<Item> = {}): Item & ThreadComment {
  return {
    kind: 'issue_comment',
    id: 50,
    author: monalisa,
    authorAssociation: 'OWNER',
    body: 'I can reproduce it. @claude please fix this',
    createdAt: '2026-03-01T12:00:00Z',
    editedAt: null,
    htmlUrl: `${url}#issuecomment-50`,
    url: `${url}#issuecomment-50`,
    ...more,
  } as Item & ThreadComment;
}

/** Comments are a minute apart, in the order of their ids. */
export function comment(id: number, more: Partial<ThreadComment> = {}): ThreadComment {
  return {
    id,
    author: { login: 'hubot' },
    authorAssociation: 'CONTRIBUTOR',
    body: 'Same here, with an empty name.',
    createdAt: `2026-03-01T10:${String(id % 60).padStart(2, '0')}:00Z`,
    editedAt: null,
    url: `${url}#issuecomment-${id}`,
    ...more,
  };
}

export function thread(more: Partial<Thread>): Thread {
  return {
    kind: 'issue',
    number: more.kind === 'pull_request' ? 9 : 7,
    nodeId: 'I_7',
    title: 'The login form crashes',
    body: 'When I press *Log in*:\n\n```\nTypeError: name is undefined\n```',
    author: { login: 'octocat' },
    authorAssociation: 'NONE',
    state: 'open',
    labels: ['bug'],
    assignees: [],
    milestone: null,
    createdAt: '2026-03-01T09:00:00Z',
    url,
    comments: [],
    pullRequest: null,
    leftOut: [],
    defaultBranch: { name: 'main', sha: 'a'.repeat(40) },
    ...more,
  };
}

export function pullRequest(more: Partial<PullRequestFacts> = {}): PullRequestFacts {
  return {
    base: { ref: 'main', sha: 'b'.repeat(40) },
    head: { ref: 'login-form', sha: 'c'.repeat(40), repository: 'octo-org/hello-world' },
    fork: false,
    maintainerCanModify: true,
    draft: false,
    merged: false,
    additions: 21,
    deletions: 3,
    commits: [
      {
        sha: 'c'.repeat(40),
        headline: 'Check the name before use',
        author: 'octocat',
        committedAt: '2026-03-01T11:00:00Z',
      },
    ],
    commitCount: 1,
    files: [
      { path: 'src/login.ts', change: 'MODIFIED', additions: 11, deletions: 3 },
      { path: 'src/login.test.ts', change: 'ADDED', additions: 10, deletions: 0 },
    ],
    reviews: [],
    reviewThreads: [],
    linkedIssues: [{ number: 7, title: 'The login form crashes' }],
    checks: {
      state: 'FAILURE',
      list: [
        { name: 'lint', result: 'success', title: '' },
        { name: 'build (22)', result: 'failure', title: '2 errors' },
      ],
    },
    ...more,
  };
}

export function review(id: number, more: Partial<Review> = {}): Review {
  return { ...comment(id, { author: monalisa, body: '' }), state: 'COMMENTED', ...more };
}

export function reviewThread(comments: ThreadComment[], reviewId: number, resolved = false): ReviewThread {
  return {
    path: 'src/login.ts',
    line: 12,
    startLine: null,
    diffHunk:
      '@@ -10,3 +10,4 @@ function login() {\n   const name = field.value;\n+  if (name.length > 42) return;',
    resolved,
    outdated: false,
    comments: comments.map((one) => ({ ...one, reviewId })),
  };
}
