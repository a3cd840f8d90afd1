/** Task and context become the prompt: what is asked, how to work, and the thread as far as it fits. */
import type { Item } from '../words/event.ts';
import { dispatchOf, type Task } from '../words/task.ts';
import type { LeftOut, Thread } from '../words/thread.ts';
import { choose, type Piece } from './budget.ts';
import { dispatchPrompt } from './dispatch.ts';
import { earlierSection, isKnown } from './earlier.ts';
import { createMarkers, withFiles } from './markers.ts';
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
import type { Shelf } from './shelf.ts';
import { isGiven, requestIn, taskSection } from './task.ts';
import { threadSection } from './thread-section.ts';

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
  /** What Claude can ask for besides; null without a thread. */
  shelf: Shelf | null;
}

/** Pure: the same input gives the same prompt, byte for byte. In agent mode it is the given prompt and nothing else. */
export function buildPrompt({ task, thread, settings, facts }: PromptInput): Prompt {
  if (!thread && dispatchOf(task))
    return {
      system: systemText,
      prompt: dispatchPrompt({ task, settings, facts }),
      request: null,
      leftOut: [],
      shelf: null,
    };
  if (task.mode === 'agent' || !thread) {
    const given = settings.prompt.trim() ? settings.prompt : task.instruction;
    const prompt = [given, ...progressLines(facts)].join('\n\n');
    return { system: null, prompt, request: null, leftOut: [], shelf: null };
  }
  const markers = createMarkers(facts.nonce, facts.images);
  const request = requestIn(task);
  const asked = isGiven(task) ? 'workflow' : request ? 'person' : 'ours';
  const said = ownMessage(task, settings, request);
  const own = said && withFiles(said, facts.images);
  const input: SectionInput = { task, thread, settings, facts, markers, asked, repeated: own !== null };
  const item = 'item' in task.trigger ? (task.trigger.item ?? null) : null;
  const first = taskSection(input, request);
  const pieces = piecesOf({ thread, markers, request, item });
  const [known = [], fresh = []] = partition(pieces, (piece) => isKnown(piece, facts.earlier));
  const chosen = choose(fresh, settings.contextBudgetChars - first.length);
  const leftOut = [
    ...thread.leftOut,
    ...knownOf(known, facts),
    ...(facts.tools.context ? chosen.leftOut.map(withTool) : chosen.leftOut),
  ];
  const sections = [
    earlierSection(facts, markers),
    first,
    trustSection(input),
    placeSection(input),
    workSection(input),
    reportSection(input),
    endSection(input),
    limitSection(input),
    threadSection({ thread, images: imagesNote(facts) }, chosen, leftOut),
  ];
  return {
    system: systemText,
    prompt: sections.filter((section) => section !== null).join('\n\n'),
    request: own,
    leftOut,
    shelf: { thread, markers, pieces, missing: [...known, ...chosen.missing] },
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

function partition<T>(all: T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

/** After a long conversation Claude may have forgotten them. */
function knownOf(known: Piece[], facts: PromptFacts): LeftOut[] {
  const why = 'older than the last time that you read this thread';
  const counted = [...Map.groupBy(known, ({ what }) => what)].map(([what, { length }]) => ({
    ...{ what, count: length, why },
  }));
  return facts.tools.context ? counted.map(withTool) : counted;
}

/** Names the tool that has what the size limit keeps out. */
function withTool(entry: LeftOut): LeftOut {
  const tools: Record<string, string> = {
    'review threads': 'get_thread',
    'changed files': 'get_file_diff',
  };
  const said = ['comments', 'reviews', 'title and description', 'characters of the description'];
  const tool = said.includes(entry.what) ? 'get_comments' : tools[entry.what];
  return tool ? { ...entry, by: `\`mcp__github_context__${tool}\` has them` } : entry;
}

function imagesNote(facts: PromptFacts): string | null {
  return (facts.images?.size ?? 0) > 0
    ? 'Images in these texts were downloaded: look at each path in place of an address with `Read`.'
    : null;
}
