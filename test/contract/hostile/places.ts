/** Every place where other people's text can stand, filled with one text and sent through filter and prompt. */
import type { FetchedThread } from '../../../src/context/fetch.ts';
import { filterThread } from '../../../src/context/filter.ts';
import { buildPrompt, type Prompt } from '../../../src/prompt/build.ts';
import {
  commentsAnswer,
  diffAnswer,
  filesAnswer,
  otherThreadAnswer,
  threadAnswer,
} from '../../../src/prompt/shelf.ts';
import type { Item } from '../../../src/words/event.ts';
import type { Task } from '../../../src/words/task.ts';
import type { Thread } from '../../../src/words/thread.ts';
import { comment, defaults, item, pullRequest, review, reviewThread, thread } from '../prompt-samples.ts';

const { facts, settings, pullRequestTask } = defaults;
export const { nonce } = facts;

/** The ways in which a run starts; each shows other people's text in other sentences. */
export const starts = [
  'mention',
  'own words',
  'added mention',
  'label',
  'assignment',
  'opened',
  'prompt',
] as const;
type Start = (typeof starts)[number];

/** Texts in which GitHub reads markdown. */
export const inTexts = (text: string, start: Start = 'mention') => build({ text, name: 'octocat', start });
/** Texts, names and single lines. */
export const everywhere = (text: string, start: Start = 'mention') => build({ text, name: text, start });

/** What the tools of `mcp__github_context` answer where the prompt had no room for anything. */
export function answers(text: string, name = text): string {
  const { shelf } = build({ text, name, start: 'mention', room: 1 });
  return [
    commentsAnswer(shelf!, null),
    threadAnswer(shelf!, null),
    threadAnswer(shelf!, 1),
    filesAnswer(shelf!, 1),
    diffAnswer(shelf!, { path: name, status: name, patch: name }),
    otherThreadAnswer(shelf!, { ...filled(text, name), kind: 'issue', pullRequest: null }),
  ].join('\n\n');
}

interface Filling {
  text: string;
  name: string;
  start: Start;
  room?: number;
}

function build({ text, name, start, room = settings.contextBudgetChars }: Filling): Prompt {
  const task = taskOf(start, text, name);
  const read: FetchedThread = {
    thread: filled(text, name),
    viewer: { login: 'claude[bot]' },
    minimised: new Set(),
  };
  const seen = filterThread({ ...read, task, include: [], exclude: [], trackingCommentId: null });
  return buildPrompt({
    task,
    thread: seen,
    settings: { ...settings, prompt: 'Look for duplicates.', contextBudgetChars: room },
    facts: {
      ...facts,
      branch: { ...facts.branch!, name, base: name, repository: name, isNew: false },
      configuration: { from: name, differing: [name] },
      tools: { comment: true, review: true, ci: true, progress: true },
    },
  });
}

function taskOf(start: Start, text: string, name: string): Task {
  const own: Item = item({ body: start === 'own words' ? `@claude\n\n${text}` : '@claude please fix this' });
  const strangers: Item = item({ author: { login: name }, body: text });
  const trigger: Record<Start, Task['trigger']> = {
    mention: { kind: 'mention', item: own },
    'own words': { kind: 'mention', item: own },
    'added mention': { kind: 'mention', item: strangers },
    label: { kind: 'label', label: name },
    assignment: { kind: 'assignment', assignee: { login: name } },
    opened: { kind: 'opened' },
    prompt: { kind: 'prompt', item: strangers },
  };
  const task = pullRequestTask({ trigger: trigger[start], actor: { login: 'monalisa' } });
  return {
    ...task,
    subject: { ...task.subject!, title: name, body: text },
    instruction: start === 'own words' ? text : 'please fix this',
  };
}

function filled(text: string, name: string): Thread {
  const author = { login: name };
  const said = (id: number) => comment(id, { author, body: text, authorAssociation: name });
  return thread({
    kind: 'pull_request',
    title: name,
    body: text,
    author,
    authorAssociation: name,
    labels: [name],
    assignees: [name],
    milestone: name,
    comments: [said(11)],
    pullRequest: pullRequest({
      fork: true,
      head: { ref: name, sha: 'c'.repeat(40), repository: name },
      base: { ref: name, sha: 'b'.repeat(40) },
      commits: [{ sha: 'c'.repeat(40), headline: name, author: name, committedAt: '2026-03-01T11:00:00Z' }],
      files: [{ path: name, change: 'ADDED', additions: 1, deletions: 0 }],
      linkedIssues: [{ number: 1, title: name }],
      checks: { state: name, list: [{ name, result: name, title: name }] },
      reviews: [review(60, { author, body: text })],
      reviewThreads: [{ ...reviewThread([said(61)], 60), path: name, diffHunk: name }],
    }),
  });
}

/** The prompt without what stands between markers, quotes and code marks: our own words alone. */
export function ours(prompt: string): string {
  const between = new RegExp(`<((?:untrusted|request)-${nonce}) [^\\n]*>\\n[\\s\\S]*?\\n</\\1>`, 'g');
  return prompt
    .replace(between, '<…>')
    .replace(/"(?:[^"\\\n]|\\.)*"|`[^`\n]*`|@[A-Za-z0-9-]+(?:\[bot\])?/g, '…');
}

/** What stands between the markers of the first item of one kind that is material. */
export function block(prompt: string, kind: string): string {
  const found = new RegExp(`<(untrusted-${nonce}) kind="${kind}"[^\\n]*>\\n([\\s\\S]*?)\\n</\\1>`).exec(
    prompt,
  );
  if (!found) throw new Error(`there is no ${kind} in the prompt`);
  return found[2]!;
}
