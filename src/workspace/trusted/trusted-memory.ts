/** What configures Claude Code in a repository, and its memory files as text: with their imports, for their directories. Pure. */
import { posix } from 'node:path';
import type { TreeFile } from './trusted-tree.ts';

/** Claude Code follows imports this deep: https://code.claude.com/docs/en/memory */
const deepestImport = 5;

/** True for what Claude Code reads by itself, at the root or below. */
export function isConfiguration(path: string): boolean {
  return path === '.mcp.json' || /(?:^|\/)(?:CLAUDE(?:\.local)?\.md|AGENTS\.md|\.claude)(?:\/|$)/.test(path);
}

/** True for `CLAUDE.md` and the like: text that is loaded without being asked for. */
export function isMemory(path: string): boolean {
  return /(?:^|\/)(?:CLAUDE(?:\.local)?\.md|AGENTS\.md|\.claude\/CLAUDE\.md|\.claude\/rules\/.+\.md)$/.test(
    path,
  );
}

/** Claude Code takes an `AGENTS.md` where a project has no memory of its own at its root. */
export function readsAgents(paths: { has(path: string): boolean }): boolean {
  return !['CLAUDE.md', 'CLAUDE.local.md', '.claude/CLAUDE.md'].some((path) => paths.has(path));
}

/** `src/api` for what counts there alone: its memory and its skills; null for what counts everywhere. */
export function belowRoot(path: string): string | null {
  if (!isMemory(path) && !isSkill(path)) return null;
  const [, directory] = /^(.+?)\/(?:\.claude\/.+|CLAUDE(?:\.local)?\.md|AGENTS\.md)$/.exec(path) ?? [];
  return directory && directory !== '.claude' && !directory.startsWith('.claude/') ? directory : null;
}

export function isSkill(path: string): boolean {
  return /(?:^|\/)\.claude\/skills\/[^/]+\/SKILL\.md$/.test(path);
}

/** Paths that a file names: what memory imports, and the files that settings and servers start. */
export function namedIn(path: string, text: string): string[] {
  if (path === '.mcp.json' || /^\.claude\/settings(?:\.local)?\.json$/.test(path)) {
    const words = text.replace(/\$\{?CLAUDE_PROJECT_DIR\}?/g, '').split(/[\s"'\\=:,;|&()<>[\]{}]+/);
    return inTree(words.filter((word) => word.includes('/')).map((word) => word.replace(/^\/+/, '')));
  }
  // What is imported may be any text; what it imports in turn is found when it is put together.
  return path.endsWith('.json') ? [] : importsIn(path, text);
}

/** `@docs/style.md`, outside of code, from the directory of the file. */
function importsIn(path: string, text: string): string[] {
  const prose = text.replace(/^[ \t]*(```|~~~)[\s\S]*?^[ \t]*\1/gm, '').replace(/`[^`\n]*`/g, '');
  const named = [...prose.matchAll(/(?:^|\s)@((?:[^\s\\]|\\ )+)/g)].map(([, name]) => name!);
  return inTree(
    named
      .filter((name) => !/^[~/]/.test(name))
      .map((name) => posix.join(posix.dirname(path), name.replaceAll('\\ ', ' ').replace(/#.*$/, ''))),
  );
}

function inTree(paths: string[]): string[] {
  return paths
    .map((path) => posix.normalize(path))
    .filter((path) => path !== '.' && !/^\.\.(?:\/|$)/.test(path));
}

/** The file with what it imports below it: Claude Code imports nothing from outside of the directory that it works in. */
export function withImports(path: string, files: ReadonlyMap<string, TreeFile>): string {
  const seen = new Set([path]);
  const parts = [textOf(path, files)];
  const add = (from: string, depth: number) => {
    for (const name of depth > deepestImport ? [] : importsIn(from, textOf(from, files))) {
      if (seen.has(name) || !files.has(name)) continue;
      seen.add(name);
      parts.push(`Contents of ${name}, which ${from} imports:\n\n${textOf(name, files)}`);
      add(name, depth + 1);
    }
  };
  add(path, 1);
  return parts.join('\n\n');
}

function textOf(path: string, files: ReadonlyMap<string, TreeFile>): string {
  return files.get(path)?.content.toString() ?? '';
}

/** A rule for some paths, said as one: Claude Code would look for these paths beside the rule, not in the checkout. */
export function withoutCondition(text: string): string {
  const [all, matter] = /^---\r?\n([\s\S]*?)\r?\n---\r?\n?/.exec(text) ?? [];
  if (!all || !/^paths:/m.test(matter!)) return text;
  return `This rule counts only for these files:\n\`\`\`yaml\n${matter}\n\`\`\`\n${text.slice(all.length)}`;
}
