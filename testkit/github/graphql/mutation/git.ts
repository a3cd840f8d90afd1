/** GraphQL mutations: commits and refs. */
import { demandWorkflows } from '../../access.ts';
import { GitError } from '../../git/command.ts';
import { StaleBranch, writeCommit } from '../../git/commit.ts';
import { resolveObject } from '../../git/history.ts';
import { branchTip, deleteRef, readRef, updateRef } from '../../git/refs.ts';
import type { Repository } from '../../model.ts';
import { followBranches } from '../../state/pulls.ts';
import { recordOf } from '../node.ts';
import { mayWrite, repositoryNamed } from '../permission.ts';
import { problem, translated } from '../problem.ts';
import { commitAt, parseRefNodeId, refView } from '../view/commit.ts';
import type { Request } from '../view/view.ts';
import { mutation, viewerOf } from './mutation.ts';

interface CommitInput {
  branch: { id?: string | null; repositoryNameWithOwner?: string | null; branchName?: string | null };
  expectedHeadOid: string;
  message: { headline: string; body?: string | null };
  fileChanges?: {
    additions?: { path: string; contents: string }[] | null;
    deletions?: { path: string }[] | null;
  } | null;
}

export function gitMutations(request: Request): Record<string, unknown> {
  return {
    createCommitOnBranch: mutation((input: CommitInput) => commitOnBranch(request, input)),
    createRef: mutation(async (input: { repositoryId: string; name: string; oid: string }) => {
      const repository = recordOf(request, input.repositoryId, ['repository']);
      mayWrite(request, repository, ['contents:write']);
      if (readRef(repository.directory, input.name)) {
        throw problem('UNPROCESSABLE', `A ref named "${input.name}" already exists in the repository.`);
      }
      await point(request, repository, input.name, input.oid);
      return { ref: refView(request, repository, input.name) };
    }),
    updateRef: mutation(async (input: { refId: string; oid: string }) => {
      const { repository, ref } = refOf(request, input.refId);
      await point(request, repository, ref, input.oid);
      return { ref: refView(request, repository, ref) };
    }),
    deleteRef: mutation(async (input: { refId: string }) => {
      const { repository, ref } = refOf(request, input.refId);
      await deleteRef(repository.directory, ref);
      return {};
    }),
  };
}

/** As on GitHub: the commit is the viewer's, committed and signed by GitHub. */
async function commitOnBranch(request: Request, input: CommitInput) {
  const { repository, branch } = branchOf(request, input.branch);
  mayWrite(request, repository, ['contents:write']);
  const tip = branchTip(repository.directory, branch);
  if (!tip) throw problem('NOT_FOUND', `No branch named "${branch}" exists in this repository.`);
  if (tip !== input.expectedHeadOid) throw stale(input.expectedHeadOid);
  if (repository.protectedBranches.has(branch))
    throw problem('UNPROCESSABLE', 'Repository rule violations found\n\nCannot update this protected ref.');
  const additions = input.fileChanges?.additions ?? [];
  const deletions = (input.fileChanges?.deletions ?? []).map((file) => file.path);
  await demandDeletable(repository, tip, deletions);
  translated(() => demandWorkflows(request.identity, [...additions.map((file) => file.path), ...deletions]));
  const user = viewerOf(request);
  const { headline, body } = input.message;
  const sha = await writeCommit(repository.directory, {
    branch,
    expectedTip: tip,
    message: body ? `${headline}\n\n${body}` : headline,
    files: Object.fromEntries(additions.map((file) => [file.path, Buffer.from(file.contents, 'base64')])),
    deletions,
    author: { name: user.login, email: `${user.id}+${user.login}@users.noreply.github.com` },
    committer: { name: 'GitHub', email: 'noreply@github.com' },
  }).catch((error: unknown) => {
    throw error instanceof StaleBranch ? stale(tip) : error;
  });
  request.store.signedCommits.add(sha);
  await followBranches(request.store, repository);
  return {
    commit: commitAt(request, repository, sha),
    ref: refView(request, repository, `refs/heads/${branch}`),
  };
}

function branchOf(
  request: Request,
  branch: CommitInput['branch'],
): { repository: Repository; branch: string } {
  if (branch.id) {
    const { repository, ref } = refOf(request, branch.id);
    return { repository, branch: ref.replace(/^refs\/heads\//, '') };
  }
  const name = (branch.branchName ?? '').replace(/^refs\/heads\//, '');
  return { repository: repositoryNamed(request, branch.repositoryNameWithOwner ?? ''), branch: name };
}

function refOf(request: Request, id: string): { repository: Repository; ref: string } {
  const parsed = parseRefNodeId(id);
  const repository = [...request.store.repositories.values()].find((one) => one.id === parsed?.repositoryId);
  if (!parsed || !repository)
    throw problem('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
  mayWrite(request, repository, ['contents:write']);
  return { repository, ref: parsed.ref };
}

async function demandDeletable(repository: Repository, tip: string, paths: string[]): Promise<void> {
  for (const path of paths) {
    if (await resolveObject(repository.directory, `${tip}:${path}`)) continue;
    throw problem(
      'UNPROCESSABLE',
      `A path was requested for deletion which does not exist as of commit oid \`${tip}\`: ${path}`,
    );
  }
}

function stale(expected: string) {
  return problem(
    'STALE_DATA',
    `Expected branch to point to "${expected}" but it did not. Pull and try again.`,
  );
}

async function point(request: Request, repository: Repository, ref: string, oid: string): Promise<void> {
  try {
    await updateRef(repository.directory, ref, oid);
  } catch (error) {
    if (error instanceof GitError) throw problem('UNPROCESSABLE', `Object "${oid}" could not be found.`);
    throw error;
  }
  await followBranches(request.store, repository);
}
