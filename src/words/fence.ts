/** The fence as the steps see it: a way to start a program where it reaches nothing but its task. */

/** What a fenced program is started with; nothing is inherited. */
export interface FencedCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface EncloseOptions {
  /** Working directory, the same path inside and outside; the workspace unless told. */
  cwd?: string;
  /** The program's whole environment. */
  env?: Record<string, string>;
  /** False unless told: without it the program reaches neither the model nor the egress proxy. */
  network?: boolean;
  /** False unless told: the workspace cannot be written. */
  readOnlyWorkspace?: boolean;
  /** Further directories of the host, writable at the same path; made and owned by the fence's user. */
  writable?: string[];
  /** Further files and directories of the host, visible at the same path. */
  readOnly?: string[];
  /** Most bytes of any one file that the program writes. */
  maxFileBytes?: number;
}

export interface Fence {
  /** The command that runs `command` inside the fence. */
  enclose(command: string, args: string[], options?: EncloseOptions): FencedCommand;
  /** Who programs in the fence are for the kernel; null when that is who we are. Files for them belong to this user. */
  owner: { uid: number; gid: number } | null;
  /** Watches the memory of a program that was started enclosed; told in words when the fence had to end a part of it. */
  started(pid: number, onEnded: (words: string) => void): void;
  /** Gives what the host has written in the workspace since to the fence's user: before Claude goes on. */
  takeWorkspace(): Promise<void>;
}
