/** Gives the prompt its facts: branch, tools, host, and the nonce that marks other people's text. */
import { randomBytes } from 'node:crypto';
import type { SessionPrompt } from '../claude/session.ts';
import type { FetchedThread } from '../context/fetch.ts';
import { buildPrompt, type Prompt } from '../prompt/build.ts';
import { systemText, type TaskBranch } from '../prompt/sections.ts';
import { hasBranch, type Task } from '../words/task.ts';
import type { ToolServer } from '../words/tool.ts';
import type { Prepared } from './checkout.ts';
import type { Door } from './door.ts';

export interface PromptRequest {
  door: Door;
  task: Task;
  /** Null in agent mode, which reads no thread. */
  gathered: FetchedThread | null;
  checkout: Prepared | null;
  servers: ToolServer[];
  trustCheckout: boolean;
}

/** What is appended to Claude Code's own system prompt: the same for every task that is not just a given prompt. */
export function systemFor(task: Task): string | null {
  return hasBranch(task) ? systemText : null;
}

export function promptFor(request: PromptRequest): SessionPrompt {
  const { door, task, gathered, checkout, servers } = request;
  const has = (server: string) => servers.some(({ name }) => name === server);
  const prompt: Prompt = buildPrompt({
    task,
    thread: gathered?.thread ?? null,
    settings: door.config,
    facts: {
      nonce: randomBytes(16).toString('hex'),
      host: new URL(door.host.serverUrl).hostname,
      workDirectory: null,
      self: gathered?.viewer.login || null,
      branch: checkout && branchFacts(checkout),
      configuration: request.trustCheckout ? null : { from: null, differing: [] },
      tools: { comment: has('github_comment'), review: false, ci: false, progress: has('github_progress') },
    },
  });
  // A prompt of the workflow's own author may be a slash command; what holds other people's text is sent as it is.
  const verbatim = hasBranch(task);
  return { text: prompt.prompt, request: prompt.request, verbatim };
}

function branchFacts({ plan }: Prepared): TaskBranch {
  const [target] = plan.targets;
  return {
    name: target!.branch,
    repository: target!.repository,
    base: plan.base.ref,
    isNew: plan.isNew,
    mayPush: true,
    pushTool: 'push_changes',
  };
}
