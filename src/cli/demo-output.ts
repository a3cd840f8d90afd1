/** What the demos print at their end, and how long they stay. */
import type { LocalGitHub } from '../../testkit/github/main.ts';

export function show(title: string, text: string): void {
  console.log(`\n── ${title} ${'─'.repeat(Math.max(0, 74 - title.length))}\n${text.trimEnd()}`);
}

export interface Change {
  /** `owner/name` */
  repository: string;
  branch: string;
  token: string;
}

/** What the branch changes, as GitHub's API tells it. */
export async function diffOf(github: LocalGitHub, { repository, branch, token }: Change): Promise<string> {
  const url = `${github.apiUrl}/repos/${repository}/compare/main...${encodeURIComponent(branch)}`;
  const answer = await fetch(url, { headers: { authorization: `token ${token}` } });
  const { files } = (await answer.json()) as { files: { filename: string; patch?: string }[] };
  return files.map(({ filename, patch = '' }) => `--- a/${filename}\n+++ b/${filename}\n${patch}`).join('\n');
}

/** A comment as people see it: without the markers in it. */
export function readable(body: string | undefined): string {
  return body?.replace(/\n*<!--.*?-->/gs, '').trim() ?? 'none';
}

/** The real model, when there is a key for it: its variables. Null: the scripted one. */
export function realModel(): Record<string, string> | null {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url } = process.env;
  return key ? { ANTHROPIC_API_KEY: key, ...(url ? { ANTHROPIC_BASE_URL: url } : {}) } : null;
}

/** Resolves when somebody presses Ctrl-C or ends the process. */
export function interrupted(): Promise<void> {
  return new Promise((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
}
