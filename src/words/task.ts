/** What Forgehand was asked to do, by whom, and the decision whether it does it. */
import type { Dispatch } from './dispatch.ts';
import type { Actor, CheckedCommit, Discussion, Item, Repository, Subject } from './event.ts';
import type { Reason } from './result.ts';

/** Why a run starts. */
export type Trigger =
  | { kind: 'mention'; item: Item }
  | { kind: 'assignment'; assignee: Actor }
  | { kind: 'label'; label: string }
  | { kind: 'opened' }
  /** `item`: what the event brought besides, for example the comment; other people's words, never an instruction. */
  | { kind: 'prompt'; item?: Item }
  | { kind: 'dispatch'; dispatch: Dispatch };

/** The two words that users know; behaviour hangs on the trigger and the reporters, not on this. */
export type Mode = 'tag' | 'agent';

export interface Task {
  /** `owner/repo#42`, or `owner/repo` when nothing is the subject. */
  key: string;
  repository: Repository;
  subject: Subject | null;
  /** Where the answer goes when the event is a discussion's. */
  discussion?: Discussion;
  /** The branch that what is worked on is to be merged into, where only the event says so. */
  mergesInto?: string;
  /** Who did the thing that started the run: commenter, labeler, assigner, reviewer, sender. */
  actor: Actor;
  trigger: Trigger;
  mode: Mode;
  /** The request in the asker's own words; empty when the trigger has none (label, assignment). */
  instruction: string;
  /** ISO 8601 moment of the trigger; null when the event names none. Later text is not context. */
  triggeredAt: string | null;
  /** The commit that the event is about, where that is one whose checks ended, or began. */
  checked?: CheckedCommit;
}

/** One fact that a decision rests on, for the step summary and `explain`. */
export interface Fact {
  name: string;
  value: string;
}

/** A foreseen "no" is a value, never an exception. `message` is one sentence for a person. */
export type Decision =
  | { verdict: 'run'; task: Task; facts: Fact[] }
  | { verdict: 'ignore'; reason: Reason; message: string; facts: Fact[] }
  | { verdict: 'deny'; reason: Reason; message: string; facts: Fact[] };

/** What a backend asked for; null for tasks of people and workflows. */
export function dispatchOf({ trigger }: Pick<Task, 'trigger'>): Dispatch | null {
  return trigger.kind === 'dispatch' ? trigger.dispatch : null;
}

/** True when the task has a branch of its own that the host publishes; Claude may then edit and commit. */
export function hasBranch({ mode, trigger }: Pick<Task, 'mode' | 'trigger'>): boolean {
  return mode === 'tag' || trigger.kind === 'dispatch';
}

/** `owner/repo#42` or `owner/repo`; issues, pull requests and discussions share their numbers. */
export function taskKey(repository: Repository, subject: { number: number } | null): string {
  const name = `${repository.owner}/${repository.name}`;
  return subject ? `${name}#${subject.number}` : name;
}
