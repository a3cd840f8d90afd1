/** What the engine asks of the door through which a task came: settings, places, credentials, and a memory. */
import type { GitHubHost } from '../github/client.ts';
import type { OidcSource } from '../github/oidc.ts';
import type { Config, ConfigProblem } from '../words/config.ts';
import type { Log } from '../words/log.ts';
import type { Redact } from '../words/redact.ts';

/** What Claude Code needs of a door, whatever it works for. */
export interface ClaudeDoor {
  config: Config;
  oidc: OidcSource | null;
  /** The environment that the job was given. */
  job: Record<string, string | undefined>;
  /** The checkout, or whatever directory Claude is to work in. */
  directory: string;
  /** A private directory of this run (0700); the door removes it. */
  scratch: string;
  toolCache: string | null;
  /** The job's temporary directory: what outlives this run goes there. */
  temp: string;
  /** Unique to this run; every process that Claude starts carries it. */
  mark: string;
  log: Log;
  /** Known from now on as a secret: masked in logs, redacted in what is published. */
  addSecret(value: string): void;
  /** Told of each message of Claude Code as it comes. */
  seen(message: unknown): void;
  /** Aborted with an AppError as its reason when the run is cancelled. */
  signal: AbortSignal;
  /** Keeps a value where the end of the run finds it even when this process is killed; the last one of a name counts. */
  remember<Name extends keyof Memory>(name: Name, value: Memory[Name]): void;
  /** Shows a warning where the person who set things up looks. */
  warn(message: string): void;
  /** The same for what is worth knowing and not wrong. */
  note(message: string): void;
}

/** The door of a GitHub event. */
export interface Door extends ClaudeDoor {
  /** Values that do not fit; they fail a task, but not an event that is not for Claude. */
  problems: ConfigProblem[];
  host: GitHubHost;
  run: { workflow: string; job: string; id: string; attempt: string };
  jobUrl: string | null;
  redact: Redact;
  /** All known secrets, those of refreshed tokens included. */
  secrets(): Iterable<string>;
  /** Where a conversation outlives the run; absent where there is no such place. */
  keep?: Keep | null;
}

/** Keeps bytes by key for later runs of the repository. Whoever can write to it may read and replace them. */
export interface Keep {
  /** A key is written once. @throws Error that says why it was not kept. */
  save(key: string, bytes: Buffer, signal: AbortSignal): Promise<void>;
  /** The newest whose key begins so. @throws Error that says why there is no answer. */
  restore(prefix: string, signal: AbortSignal): Promise<{ key: string; bytes: Buffer } | null>;
}

/** What is remembered for the end of the run, by name; JSON. */
export interface Memory {
  /** Value of `mark`, and the private directory of the run. */
  run: { mark: string; scratch: string };
  /** Installation tokens minted here, to be revoked. */
  tokens: string[];
  claude: { pid: number };
  /** True once a container may have been started. */
  container: boolean;
  checkout: import('../workspace/saved-checkout.ts').SavedCheckout;
  /** Who owned what in the checkout before the fence's user got it. */
  owners: import('../claude/fence-owner.ts').Owners;
  comment: {
    /** Null as long as it is not known whether GitHub has made it. */
    ref: import('../github/comments.ts').CommentRef | null;
    place: import('../github/comments.ts').CommentPlace;
    state: import('../report/render.ts').CommentState;
    /** True once GitHub has the terminal state. */
    ended: boolean;
  };
  publishing: import('./publish.ts').Publishing;
  /** What was collected, and how much of it is posted. */
  review: import('../words/review.ts').CollectedReview;
  /** What the backend has been sent. */
  progress: import('../report/progress-api.ts').Sent;
  /** `shown`: those that may be there. */
  reaction: { nodeId: string; shown: import('../github/reactions.ts').Reaction[] };
  /** How the run ended, once that is known. */
  result: import('../words/result.ts').Result;
  /** True once a signal asked main to stop. */
  cancelled: boolean;
  /** True once main has ended in order: nothing is left to finish. */
  ended: boolean;
}
