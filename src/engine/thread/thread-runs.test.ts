/** A run that finds others at work on its thread: waits, hands over, goes on from what they pushed, and can be cancelled meanwhile. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalGitHub, startGitHub } from '../../../testkit/github/main.ts';
import type { Comment, PullRequest } from '../../../testkit/github/model.ts';
import type { RepositoryView } from '../../../testkit/github/repository-view.ts';
import { createClient } from '../../github/client.ts';
import { hidden, type Marker } from '../../report/marker.ts';
import { readConfig } from '../../words/config.ts';
import { AppError } from '../../words/errors.ts';
import type { Task } from '../../words/task.ts';
import type { Connection } from '../connect.ts';
import type { Gathered } from '../context.ts';
import type { Door } from '../door.ts';
import { commentOf } from '../reporters.ts';
import { threadRunsOf } from './thread-runs.ts';

let github: LocalGitHub;
let repository: RepositoryView;
let connection: Connection;
beforeAll(async () => {
  github = await startGitHub();
  repository = await github.createRepository({ owner: 'octo-org', name: 'hello', files: { 'a.js': '1\n' } });
  const token = github.token({ kind: 'actions', repositories: ['octo-org/hello'] });
  connection = { client: createClient(github, async () => token) } as Connection;
});
afterAll(async () => {
  expect(github.violations).toEqual([]);
  await github.close();
});

const other = (run: string, more: Partial<Marker> = {}): string =>
  `At work.\n\n${hidden({ workflow: 'Claude', job: 'claude', run, attempt: '1', working: true, ...more })}`;

/** A run that was called in the conversation of a pull request on which others have commented already. */
async function called(others: string[]) {
  const branch = `work-${Math.random().toString(36).slice(2)}`;
  await repository.addCommit({ branch, message: 'Two', files: { 'a.js': '1\n2\n' } });
  const pull = await github.createPullRequest(repository, { title: 'Two', head: branch, author: 'octocat' });
  const ahead = others.map((body) => github.comment(pull, { author: 'github-actions[bot]', body }));
  const asked = github.comment(pull, { author: 'octocat', body: '@claude fix it' });
  const task = taskOf(pull, asked);
  const cancel = new AbortController();
  const notes: string[] = [];
  const door = {
    config: readConfig(() => undefined).config,
    run: { workflow: 'Claude', job: 'claude', id: '42', attempt: '1' },
    ...{ jobUrl: null, signal: cancel.signal, redact: (text: string) => text, remember: () => {} },
    ...{ log: { info: () => {} }, warn: () => {}, note: (text: string) => notes.push(text) },
  } as unknown as Door;
  const comment = commentOf(door, task, connection, null)!;
  const runs = threadRunsOf({ door, task, connection, comment });
  await runs.look(comment.started());
  const early = { thread: { pullRequest: { head: { ...pull.head, repository: null } } } };
  const turn = runs.turn(early as unknown as Gathered, async () => 'read anew' as unknown as Gathered);
  turn.catch(() => {});
  const says = () => pull.comments.at(-1)!.body;
  const waits = () => expect.poll(says, { timeout: 10_000 }).toContain('request waits for');
  return { pull, branch, ahead, asked, task, turn, cancel, notes, says, waits };
}

function taskOf(pull: PullRequest, asked: Comment): Task {
  const author = { login: 'octocat' };
  return {
    ...{ key: `octo-org/hello#${pull.number}`, repository: { owner: 'octo-org', name: 'hello' } },
    subject: {
      ...{ kind: 'pull_request', number: pull.number, title: 'Two', body: '', author, state: 'open' },
      ...{ labels: [], htmlUrl: '' },
    },
    trigger: {
      kind: 'mention',
      item: {
        kind: 'issue_comment',
        id: asked.id,
        nodeId: asked.nodeId,
        author,
        body: asked.body,
        htmlUrl: '',
      },
    },
    ...{ actor: author, mode: 'tag', instruction: 'fix it', triggeredAt: asked.createdAt },
  };
}

test('who is alone goes on with the thread as it was read', async () => {
  const { turn, task } = await called([]);
  expect(await turn).toMatchObject({ thread: { thread: {} }, handedOver: null });
  expect(task.subject!.head).toBeUndefined();
});

test('a request that is taken in is handed over, whichever of the others does it, and one of them may be deleted', async () => {
  const { turn, ahead, asked, says, waits } = await called([other('1'), other('2')]);
  await waits();
  github.deleteComment(ahead[0]!);
  github.editComment(ahead[1]!, other('2', { taken: [asked.nodeId] }));
  expect((await turn).handedOver).toMatchObject({ verdict: 'ignore', reason: 'handed_over' });
  await expect.poll(says).toContain(`#issuecomment-${ahead[1]!.id}`);
});

test('who waited goes on from what was pushed by whom it waited for', async () => {
  const { turn, ahead, branch, task, waits, notes } = await called([other('1')]);
  await waits();
  const pushed = await repository.addCommit({ branch, message: 'Three', files: { 'a.js': '3\n' } });
  github.editComment(ahead[0]!, other('1', { working: undefined, pushed }));
  expect(await turn).toEqual({ thread: 'read anew', handedOver: null });
  expect(task.subject!.head!.sha).toBe(pushed);
  expect(notes.join()).toMatch(/waited \d+ s for an earlier run/);
});

test('what somebody else pushed meanwhile is not taken in', async () => {
  const { turn, ahead, branch, task, pull, waits } = await called([other('1')]);
  const asOf = pull.head.sha;
  await waits();
  const ours = await repository.addCommit({ branch, message: 'Three', files: { 'a.js': '3\n' } });
  await repository.addCommit({ branch, message: 'Four', files: { 'a.js': '4\n' } });
  github.editComment(ahead[0]!, other('1', { working: undefined, pushed: ours }));
  await turn;
  expect(task.subject!.head!.sha).toBe(asOf);
});

test('a run that waits can be cancelled', async () => {
  const { turn, cancel, waits } = await called([other('1')]);
  await waits();
  cancel.abort(new AppError('cancelled', 'The job was cancelled.'));
  await expect(turn).rejects.toMatchObject({ reason: 'cancelled' });
});
