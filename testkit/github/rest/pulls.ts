/** REST: pull requests, their files and commits. */

import { branchTip } from '../git/refs.ts';
import type { PullRequest } from '../model.ts';
import { renderCommit, renderFile } from '../render/commit.ts';
import { renderFullPull, renderPull } from '../render/pull.ts';
import { changeSubject } from '../state/issues.ts';
import { comparisonOf, createPullRequest, findHead, mergePullRequest } from '../state/pulls.ts';
import {
  actor,
  type Call,
  created,
  numberOf,
  ok,
  paginate,
  type Route,
  requiredText,
  textOf,
} from './call.ts';
import { checkBodyLength, HttpProblem, invalid, notFound } from './problem.ts';

const pulls = '/repos/{owner}/{repo}/pulls';
const pull = `${pulls}/{pull_number}`;

export const pullRoutes: Route[] = [
  { method: 'GET', path: pulls, need: ['pull_requests:read'], handle: list },
  { method: 'POST', path: pulls, need: ['pull_requests:write'], role: 'read', handle: create },
  { method: 'GET', path: pull, need: ['pull_requests:read'], handle: get },
  { method: 'PATCH', path: pull, need: ['pull_requests:write'], handle: update },
  { method: 'GET', path: `${pull}/files`, need: ['pull_requests:read'], handle: files },
  { method: 'GET', path: `${pull}/commits`, need: ['pull_requests:read'], handle: commits },
  { method: 'PUT', path: `${pull}/merge`, need: ['contents:write'], handle: merge },
  {
    method: 'POST',
    path: `${pull}/requested_reviewers`,
    need: ['pull_requests:write'],
    handle: requestReviewers,
  },
];

/** The most files that GitHub lists of one pull request. */
const mostFiles = 3000;
/** The most commits that GitHub lists of one pull request. */
const mostCommits = 250;

/** @throws HttpProblem 404, also when the number is an issue's */
export function pullOf(call: Call): PullRequest {
  const subject = call.repository.subjects.get(numberOf(call, 'pull_number'));
  if (subject?.kind !== 'pull') throw notFound();
  return subject;
}

function list(call: Call) {
  const { query, store } = call;
  const state = query.get('state') ?? 'open';
  const found = store.subjects(call.repository).filter((subject): subject is PullRequest => {
    if (subject.kind !== 'pull') return false;
    const label = `${subject.head.owner.login}:${subject.head.ref}`;
    return (
      (state === 'all' || subject.state === state) &&
      (!query.get('head') || query.get('head') === label) &&
      (!query.get('base') || query.get('base') === subject.base.ref)
    );
  });
  return paginate(call, query.get('direction') === 'asc' ? found : found.reverse(), (one) =>
    renderPull(store, one),
  );
}

async function get(call: Call) {
  const found = pullOf(call);
  if (/application\/vnd\.github\.(v3\.)?diff/.test(call.headers.accept ?? '')) {
    const { files: changed } = await comparisonOf(found);
    const text = changed.map(
      (file) =>
        `diff --git a/${file.previousPath ?? file.path} b/${file.path}\n--- a/${file.previousPath ?? file.path}\n+++ b/${file.path}\n${file.patch ?? 'Binary files differ'}\n`,
    );
    return {
      status: 200,
      headers: { 'content-type': 'application/vnd.github.diff; charset=utf-8' },
      body: text.join(''),
    };
  }
  return ok(await renderFullPull(call.store, found));
}

async function create(call: Call) {
  const { store, repository } = call;
  const [title, head, base] = [
    requiredText(call, 'title'),
    requiredText(call, 'head'),
    requiredText(call, 'base'),
  ];
  const body = textOf(call, 'body');
  checkBodyLength('PullRequest', body);
  const source = findHead(store, repository, head);
  const headSha = source && branchTip(source.repository.directory, source.ref);
  const baseSha = branchTip(repository.directory, base);
  if (!source || !headSha) throw invalid('PullRequest', 'head', 'invalid');
  if (!baseSha) throw invalid('PullRequest', 'base', 'invalid');
  const label = `${source.repository.owner.login}:${source.ref}`;
  const rival = store
    .subjects(repository)
    .find(
      (one) =>
        one.kind === 'pull' &&
        one.state === 'open' &&
        one.head.repository === source.repository &&
        one.head.ref === source.ref &&
        one.base.ref === base,
    );
  if (rival) throw custom(`A pull request already exists for ${label}.`);
  if (headSha === baseSha) throw custom(`No commits between ${base} and ${head}`);
  const options = { title, body, head, base, draft: call.body.draft === true, author: actor(call).login };
  const made = await createPullRequest(store, repository, options);
  if (typeof call.body.maintainer_can_modify === 'boolean')
    made.maintainerCanModify = call.body.maintainer_can_modify;
  return created(await renderFullPull(store, made));
}

async function update(call: Call) {
  const found = pullOf(call);
  const state = textOf(call, 'state');
  if (state !== undefined && state !== 'open' && state !== 'closed')
    throw invalid('PullRequest', 'state', 'invalid');
  checkBodyLength('PullRequest', call.body.body);
  const body = call.body.body === null ? '' : textOf(call, 'body');
  changeSubject(call.store, found, { title: textOf(call, 'title'), body, state }, actor(call));
  const base = textOf(call, 'base');
  const baseSha = base && branchTip(call.repository.directory, base);
  if (base && !baseSha) throw invalid('PullRequest', 'base', 'invalid');
  if (base && baseSha) found.base = { ref: base, sha: baseSha };
  if (typeof call.body.maintainer_can_modify === 'boolean')
    found.maintainerCanModify = call.body.maintainer_can_modify;
  return ok(await renderFullPull(call.store, found));
}

async function files(call: Call) {
  const found = pullOf(call);
  const { files: changed } = await comparisonOf(found);
  return paginate(call, changed.slice(0, mostFiles), (file) =>
    renderFile(call.store, call.repository, file, found.head.sha),
  );
}

async function commits(call: Call) {
  const { commits: all } = await comparisonOf(pullOf(call));
  return paginate(call, all.slice(0, mostCommits), (commit) =>
    renderCommit(call.store, call.repository, commit),
  );
}

async function merge(call: Call) {
  const found = pullOf(call);
  if (found.state !== 'open' || found.draft) throw new HttpProblem(405, 'Pull Request is not mergeable');
  const sha = await mergePullRequest(call.store, found, actor(call));
  return ok({ sha, merged: true, message: 'Pull Request successfully merged' });
}

async function requestReviewers(call: Call) {
  const found = pullOf(call);
  const logins = Array.isArray(call.body.reviewers) ? call.body.reviewers.map(String) : [];
  found.requestedReviewers = [
    ...new Set([...found.requestedReviewers, ...logins.map((login) => call.store.user(login))]),
  ];
  return created(renderPull(call.store, found));
}

function custom(message: string): HttpProblem {
  return new HttpProblem(422, 'Validation Failed', [{ resource: 'PullRequest', code: 'custom', message }]);
}
