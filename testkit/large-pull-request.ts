/** A pull request of any size, for tests and benchmarks of what it costs to read one. */
import type { LocalGitHub } from './github/main.ts';

export interface Size {
  files: number;
  comments: number;
  /** Review threads, each of a comment and its answer. */
  threads: number;
}

/** What people call huge; GitHub itself lists no more files. */
export const huge: Size = { files: 3_000, comments: 2_000, threads: 300 };
/** What most are. */
export const small: Size = { files: 3, comments: 5, threads: 2 };

/** Characters of a comment. */
const commentLength = 600;

/** Makes repository and pull request. @param times ISO 8601 of what is said in it; now unless told. */
export async function makePullRequest(
  github: LocalGitHub,
  { name, size, createdAt }: { name: string; size: Size; createdAt?: string },
): Promise<number> {
  const repository = await github.createRepository({
    owner: 'octo-org',
    name,
    files: { 'README.md': '# Large\n' },
  });
  const path = (index: number) => `src/part-${index % 50}/file-${index}.ts`;
  const files = Object.fromEntries(
    Array.from({ length: size.files }, (_, index) => [path(index), `export const n = ${index};\n`]),
  );
  await repository.addCommit({ branch: 'topic', message: 'Add all of it', files });
  const pull = await github.createPullRequest(repository, {
    title: 'All of it',
    head: 'topic',
    author: 'octocat',
    ...(createdAt && { createdAt }),
  });
  const body = 'A remark of some length. '.repeat(commentLength / 25);
  const said = { body, ...(createdAt && { createdAt }) };
  for (let n = 0; n < size.comments; n += 1) github.comment(pull, { author: 'hubot', ...said });
  const comments = Array.from({ length: size.threads }, (_, index) => ({
    path: path(index),
    line: 1,
    body,
    diffHunk: '@@ -0,0 +1 @@\n+export const n = 1;',
  }));
  const review = await github.review(pull, { author: 'monalisa', ...said, comments });
  for (const comment of review.comments.slice()) github.reply(comment, { author: 'octocat', ...said });
  return pull.number;
}
