/** Task and context become the prompt: what is asked, how to work, and the thread as far as it fits. */
import type { Item } from '../words/event.ts';
import { dispatchOf, type Task } from '../words/task.ts';
import type { Thread } from '../words/thread.ts';
import { type Chosen, choose } from './budget.ts';
import { dispatchPrompt } from './dispatch.ts';
import { createMarkers } from './markers.ts';
import { piecesOf } from './material.ts';
import { sanitise } from './sanitise.ts';
import {
  endSection,
  limitSection,
  type PromptFacts,
  type PromptSettings,
  placeSection,
  progressLines,
  reportSection,
  type SectionInput,
  systemText,
  trustSection,
  workSection,
} from './sections.ts';
import { isGiven, requestIn, taskSection } from './task.ts';

export interface PromptInput {
  task: Task;
  /** As `context/` filtered it; null in agent mode. */
  thread: Thread | null;
  settings: PromptSettings;
  facts: PromptFacts;
}

export interface Prompt {
  /** To be appended to Claude Code's own system prompt. */
  system: string | null;
  /** The first message. It never begins with other people's words. */
  prompt: string;
  /**
   * The asker's own words, to be sent as a message block of its own, so that a permitted person's slash command works;
   * null when the request is ours or the workflow's.
   */
  request: string | null;
  /** Everything that the prompt does not show, by kind and cause; the prompt says the same. */
  leftOut: Thread['leftOut'];
}

/** Pure: the same input gives the same prompt, byte for byte. In agent mode it is the given prompt and nothing else. */
export function buildPrompt({ task, thread, settings, facts }: PromptInput): Prompt {
  if (!thread && dispatchOf(task))
    return {
      system: systemText,
      prompt: dispatchPrompt({ task, settings, facts }),
      request: null,
      leftOut: [],
    };
  if (task.mode === 'agent' || !thread) {
    const given = settings.prompt.trim() ? settings.prompt : task.instruction;
    const prompt = [given, ...progressLines(facts)].join('\n\n');
    return { system: null, prompt, request: null, leftOut: [] };
  }
  const markers = createMarkers(facts.nonce);
  const request = requestIn(task);
  const asked = isGiven(task) ? 'workflow' : request ? 'person' : 'ours';
  const own = ownMessage(task, settings, request);
  const input: SectionInput = { task, thread, settings, facts, markers, asked, repeated: own !== null };
  const item = 'item' in task.trigger ? (task.trigger.item ?? null) : null;
  const first = taskSection(input, request);
  const pieces = piecesOf({ thread, markers, request, item });
  const chosen = choose(pieces, settings.contextBudgetChars - first.length);
  const leftOut = [...thread.leftOut, ...chosen.leftOut];
  const sections = [
    first,
    trustSection(input),
    placeSection(input),
    workSection(input),
    reportSection(input),
    endSection(input),
    limitSection(input),
    materialSection(thread, chosen, leftOut),
  ];
  return {
    system: systemText,
    prompt: sections.filter((section) => section !== null).join('\n\n'),
    request: own,
    leftOut,
  };
}

/** A slash command works only at the start of a message. */
function ownMessage(task: Task, settings: PromptSettings, request: Item | null): string | null {
  if (isGiven(task)) {
    const prompt = (dispatchOf(task)?.description ?? settings.prompt).trim();
    return prompt.startsWith('/') ? prompt : null;
  }
  return request ? sanitise(task.instruction).trim() || null : null;
}

function materialSection(thread: Thread, { sections }: Chosen, leftOut: Thread['leftOut']): string {
  const titles = {
    opening: null,
    changes: 'Changes',
    conversation: 'Conversation',
    threads: 'Review threads',
  };
  const noun = thread.kind === 'issue' ? 'Issue' : 'Pull request';
  const facts = thread.pullRequest;
  const state = [thread.state, ...(facts?.merged ? ['merged'] : []), ...(facts?.draft ? ['draft'] : [])].join(
    ', ',
  );
  const size = facts
    ? `, ${facts.commitCount} ${facts.commitCount === 1 ? 'commit' : 'commits'}, +${facts.additions} -${facts.deletions}`
    : '';
  const parts = [`## ${noun} #${thread.number} (${state}${size})`];
  for (const [section, title] of Object.entries(titles)) {
    const texts = sections.get(section as keyof typeof titles)?.filter(Boolean) ?? [];
    if (texts.length > 0) parts.push([...(title ? [`### ${title}`] : []), ...texts].join('\n'));
  }
  if (leftOut.length > 0) {
    const lines = leftOut.map(({ what, count, why }) => `- ${count > 0 ? `${count} ` : ''}${what}: ${why}`);
    parts.push(['### Not shown', ...lines].join('\n'));
  }
  return parts.join('\n\n');
}
