/** Gives the prompt its facts: branch, tools, host, and the nonce that marks other people's text. */
import type { FetchedThread } from '../context/fetch.ts';
import { buildPrompt, type Prompt } from '../prompt/build.ts';
import type { Earlier } from '../prompt/earlier.ts';
import { steeredSystemText } from '../prompt/live.ts';
import { configurationSentence, type PromptFacts, systemText, type TaskBranch } from '../prompt/sections.ts';
import { hasBranch, type Task } from '../words/task.ts';
import type { ToolServer } from '../words/tool.ts';
import type { Prepared } from './checkout.ts';
import type { Prompts } from './claude-run.ts';
import type { Door } from './door.ts';
import { newMarkers, newNonce } from './markers.ts';
import { ownReviews } from './review/own-reviews.ts';
import { commitsByFile } from './signing.ts';

export interface PromptRequest {
  door: Door;
  task: Task;
  /** Null in agent mode, which reads no thread. */
  gathered: (FetchedThread & { images?: ReadonlyMap<string, string> }) | null;
  checkout: Prepared | null;
  servers: ToolServer[];
  /** Where the configuration comes from that is loaded; null for the checkout. */
  configuration: PromptFacts['configuration'];
  /** What goes on; absent for a conversation that begins. */
  earlier?: Earlier | null;
}

/**
 * What is appended to Claude Code's own system prompt: the same for every task that is not just a given prompt, which
 * stays as it is and hears here where its configuration comes from. @param steered people may say more meanwhile
 */
export function systemFor(
  task: Task,
  { configuration, steered }: Pick<PromptFacts, 'configuration'> & { steered: boolean },
): string | null {
  if (hasBranch(task)) return steered ? steeredSystemText : systemText;
  return configuration && configurationSentence({ configuration, markers: newMarkers() });
}

export function promptFor(request: PromptRequest): Prompts & Pick<Prompt, 'shelf'> {
  const { door, task, gathered, checkout, servers } = request;
  const has = (server: string) => servers.some(({ name }) => name === server);
  const prompt: Prompt = buildPrompt({
    task,
    thread: gathered?.thread ?? null,
    settings: door.config,
    facts: {
      nonce: newNonce(),
      host: new URL(door.host.serverUrl).hostname,
      workDirectory: null,
      ...(gathered?.images && { images: gathered.images }),
      ...(gathered && { ownReviews: ownReviews(gathered) }),
      branch: checkout && branchFacts(checkout, commitsByFile(door.config)),
      configuration: request.configuration,
      ...(request.earlier && { earlier: request.earlier }),
      tools: {
        comment: has('github_comment'),
        review: has('github_inline_comment'),
        ci: has('github_ci'),
        progress: has('github_progress'),
        context: has('github_context'),
        pullRequest: has('github_pull_request'),
      },
    },
  });
  // A prompt of the workflow's own author may be a slash command; what holds other people's text is sent as it is.
  const verbatim = hasBranch(task);
  const anew = request.earlier && promptFor({ ...request, earlier: null });
  return {
    text: prompt.prompt,
    request: prompt.request,
    verbatim,
    shelf: prompt.shelf,
    ...(anew && { anew }),
  };
}

function branchFacts({ plan }: Prepared, byFile: boolean): TaskBranch {
  const [target] = plan.targets;
  return {
    name: target!.branch,
    repository: target!.repository,
    base: plan.base.ref,
    isNew: plan.isNew,
    mayPush: true,
    pushTool: byFile ? 'commit_files' : 'push_changes',
  };
}
