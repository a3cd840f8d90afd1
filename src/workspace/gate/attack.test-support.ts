/** What an attack on the publishing of work is, and what attacks plant things with. */
import { chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellGit } from '../local-remote.test-support.ts';
import { target } from './gate.test-support.ts';

/** What an attack can reach. */
export interface Ground {
  /** The checkout. */
  directory: string;
  /** A script that leaves a mark when anything runs it. */
  script: string;
  /** A file that must not come into being. */
  mark: string;
  /** The attacker's server. */
  evil: string;
  /** The URL that is pushed to. */
  url: string;
  /** Another clone of the project on the same machine, with a commit that is nobody's business. */
  sibling: string;
  privateSha: string;
  /** Claude's legitimate commit, on the task's branch. */
  sha: string;
}

export interface Attack {
  name: string;
  /** `published`: the legitimate work arrives all the same; `refused`: nothing does, and it is said. */
  ends: 'published' | 'refused';
  /** True when the uncommitted work cannot be published because of it. */
  leaves?: boolean;
  /** How it ends through a fence, where that is another way: git reads more there than the host does. */
  fenced?: 'refused';
  plant: (ground: Ground) => void;
}

const hookNames = [
  ...[
    'applypatch-msg',
    'pre-commit',
    'pre-merge-commit',
    'prepare-commit-msg',
    'commit-msg',
    'post-commit',
    'pre-rebase',
  ],
  ...[
    'post-checkout',
    'post-merge',
    'pre-push',
    'reference-transaction',
    'pre-auto-gc',
    'post-rewrite',
    'post-index-change',
  ],
  ...[
    'pre-receive',
    'update',
    'post-receive',
    'post-update',
    'fsmonitor-watchman',
    'proc-receive',
    'push-to-checkout',
  ],
];

export function filterConfig(script: string): string[] {
  return ['x', 'lfs'].flatMap((name) =>
    ['clean', 'smudge', 'process'].flatMap((kind) => [`filter.${name}.${kind}`, script]),
  );
}

export function set(repository: string, ...entries: string[]): void {
  for (let at = 0; at < entries.length; at += 2) {
    shellGit('/', 'config', '--file', join(repository, '.git/config'), entries[at]!, entries[at + 1]!);
  }
}

export function plantHooks(directory: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of hookNames) copyFileSync(script, join(directory, name));
}

/** Puts other bytes where an object is; git writes objects read-only. */
export function overwrite(path: string, bytes: Buffer): void {
  rmSync(path);
  writeFileSync(path, bytes);
}

export function looseObject(directory: string, id: string): string {
  return join(directory, '.git/objects', id.slice(0, 2), id.slice(2));
}

export function blobOf({ directory, sha }: Ground): string {
  return looseObject(directory, shellGit(directory, 'rev-parse', `${sha}:a.txt`));
}

export const taskRef = `.git/refs/heads/${target.branch}`;

/** A script that leaves its mark and behaves like a program that has nothing to say. */
export function markingScript(path: string, mark: string): void {
  writeFileSync(path, `#!/bin/sh\necho "$0 $@" >> ${mark}\nexit 1\n`);
  chmodSync(path, 0o755);
}
