/** Every point of a delivery's life at which a story is struck, and who is killed there. */
import { join } from 'node:path';
import type { LoggedRequest } from '../../testkit/github/request-log.ts';
import { effects } from './chaos-claude.ts';
import type { Phase, Trigger } from './chaos-strike.ts';
import type { Victim } from './chaos-victims.ts';

export interface Point {
  name: string;
  at: Trigger;
  /** The first is the one of the default run; all of them die in `npm run test:scale`. */
  victims: [Victim, ...Victim[]];
  /** Milliseconds that Claude's commands stay at work after their effect. */
  lingerMs?: number;
  /** The session parks before the last follow-up, which then has to wake it. */
  parks?: boolean;
}

const chapters = ['arrival', 'preparation', 'conversation', 'end'] as const;
export type Chapter = (typeof chapters)[number];

type Fits = Extract<Trigger, { kind: 'github' }>['fits'];
type ModelFits = Extract<Trigger, { kind: 'model' }>['fits'];

const github =
  (by: 'server' | 'session') =>
  (phase: Phase, fits: Fits): Trigger => ({ kind: 'github', phase, by, fits });
const asked = github('session');
const model = (phase: Phase, fits: ModelFits): Trigger => ({ kind: 'model', phase, fits });
const row = (phase: Phase, on: 'insert' | 'update', table: string, when: string): Trigger => ({
  ...{ kind: 'row', phase, on, table, when },
});
const file = (path: string): Trigger => ({ kind: 'file', path: ({ workspace }) => join(workspace, path) });

/** GitHub's paths with the repository's address before them. */
const rest =
  (method: string, path: string): Fits =>
  (request, { number }) =>
    request.method === method && request.path.split('?')[0] === `${api}${path.replace('N', String(number))}`;
const api = '/api/v3/repos/octo-org/hello';
const git =
  (path: string): Fits =>
  (request) =>
    request.kind === 'git' && request.path.endsWith(path);
const reaction =
  (next: string): Fits =>
  ({ operation, body }) =>
    operation === 'react' && (body as { variables?: { next?: string } }).variables?.next === next;
const bodyHas = (words: string) => (request: LoggedRequest) => JSON.stringify(request.body).includes(words);
const both =
  (...all: Fits[]): Fits =>
  (request, facts) =>
    all.every((fits) => fits(request, facts));
/** The second of those that fit, and so on. */
const nth = (n: number, make: () => Fits): Fits => {
  // Counted anew in each story: threads of another round have the same key.
  const seen = new WeakMap<object, number>();
  const fits = make();
  return (request, facts) => {
    if (!fits(request, facts)) return false;
    seen.set(facts, (seen.get(facts) ?? 0) + 1);
    return seen.get(facts) === n;
  };
};
const anyComment: Fits = ({ method, path }) =>
  method === 'PATCH' && path.startsWith(`${api}/issues/comments/`);
const anyPull: Fits = ({ method, path }) => method === 'PATCH' && path.startsWith(`${api}/pulls/`);
const turn =
  (n: number): ModelFits =>
  (request) =>
    request.turn === n;
const hears =
  (what: string): ModelFits =>
  (request, { number }) =>
    JSON.stringify(request.body.messages).includes(`Please do ${what}-${number}.`);

const newlyDone = `new.thread_key = :key and new.state = 'done' and old.state <> 'done'`;
const newlyDelivered = `new.thread_key = :key and new.state = 'delivered' and old.state = 'queued'`;
const claimed = 'new.key = :key and old.lease_owner is null and new.lease_owner is not null';
const released = 'new.key = :key and old.lease_owner is not null and new.lease_owner is null';
const kept = (name: string) => `new.key = :key and new.progress ? '${name}' and not old.progress ? '${name}'`;
const entry = (like: string) => `new.thread_key = :key and new.entry like '${like}'`;
const inbox: [Victim, ...Victim[]] = ['server', 'database'];
const any: [Victim, ...Victim[]] = ['session', 'claude', 'server', 'database'];

export const points: Record<Chapter, Point[]> = {
  arrival: [
    {
      name: 'the delivery is being stored',
      at: row('before', 'insert', 'deliveries', 'new.thread_key = :key'),
      victims: ['server', 'database'],
    },
    {
      name: 'the delivery is stored, nobody has decided',
      at: row('after', 'insert', 'deliveries', 'new.thread_key = :key'),
      victims: ['database', 'server'],
    },
    {
      name: 'GitHub is asked for a permission',
      at: github('server')('before', rest('GET', '/collaborators/octocat/permission')),
      victims: inbox,
    },
    {
      name: 'GitHub has told a permission',
      at: github('server')('after', rest('GET', '/collaborators/octocat/permission')),
      victims: ['database', 'server'],
    },
    {
      name: 'the decision is being stored',
      at: row('before', 'update', 'deliveries', 'new.thread_key = :key and new.verdict is not null'),
      victims: inbox,
    },
    {
      name: 'the decision is stored',
      at: row('after', 'update', 'deliveries', 'new.thread_key = :key and new.verdict is not null'),
      victims: inbox,
    },
    { name: '👀 is about to be shown', at: github('server')('before', reaction('EYES')), victims: inbox },
    { name: '👀 is shown', at: github('server')('after', reaction('EYES')), victims: ['database', 'server'] },
    {
      name: 'the thread is being claimed',
      at: row('before', 'update', 'threads', claimed),
      victims: ['database', 'server'],
    },
    { name: 'the thread is claimed', at: row('after', 'update', 'threads', claimed), victims: inbox },
    {
      name: 'the follow-up is being queued',
      at: row('before', 'insert', 'messages', `new.thread_key = :key and new.kind = 'comment'`),
      victims: ['server', 'session', 'claude', 'database'],
    },
    {
      name: 'the follow-up is queued',
      at: row('after', 'insert', 'messages', `new.thread_key = :key and new.kind = 'comment'`),
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'a follow-up wakes the parked session',
      at: row('after', 'update', 'threads', `${claimed} and new.turns > 0`),
      parks: true,
      victims: ['server', 'database'],
    },
  ],
  preparation: [
    {
      name: 'the session takes its lease over',
      at: row(
        'before',
        'update',
        'threads',
        'new.key = :key and old.lease_owner is not null and new.lease_mark <> old.lease_mark',
      ),
      victims: ['session', 'server', 'database'],
    },
    {
      name: 'the session has its lease',
      at: row(
        'after',
        'update',
        'threads',
        'new.key = :key and old.lease_owner is not null and new.lease_mark <> old.lease_mark',
      ),
      victims: ['session', 'server', 'database'],
    },
    {
      name: 'the thread is read from GitHub',
      at: asked('before', ({ operation }) => operation === 'issue'),
      victims: ['session', 'server', 'database'],
    },
    {
      name: 'the plan is kept',
      at: row('after', 'update', 'threads', kept('plan')),
      victims: ['database', 'session'],
    },
    {
      name: 'the mirror is being fetched',
      at: asked('before', git('git-upload-pack')),
      victims: ['session', 'server', 'database'],
    },
    {
      name: 'the mirror is fetched',
      at: asked('after', git('/git-upload-pack')),
      victims: ['server', 'session', 'database'],
    },
    {
      name: 'the opening commit is about to be pushed',
      at: asked('before', git('/git-receive-pack')),
      victims: ['session', 'database'],
    },
    {
      name: 'the opening commit is pushed',
      at: asked('after', git('/git-receive-pack')),
      victims: ['session', 'server', 'database'],
    },
    {
      name: 'the branch is being written down',
      at: row(
        'before',
        'update',
        'threads',
        'new.key = :key and old.branch is null and new.branch is not null',
      ),
      victims: ['session', 'database'],
    },
    {
      name: 'the branch is written down',
      at: row(
        'after',
        'update',
        'threads',
        'new.key = :key and old.branch is null and new.branch is not null',
      ),
      victims: ['database', 'session'],
    },
    {
      name: 'the draft is about to be opened',
      at: asked('before', rest('POST', '/pulls')),
      victims: ['session', 'database'],
    },
    {
      name: 'the draft is open',
      at: asked('after', rest('POST', '/pulls')),
      victims: ['session', 'server', 'database'],
    },
    {
      name: 'the draft is being written down',
      at: row(
        'before',
        'update',
        'threads',
        'new.key = :key and old.pull_number is null and new.pull_number is not null',
      ),
      victims: ['database', 'session'],
    },
    { name: 'the workspace is being made', at: file('.git'), victims: ['session', 'server', 'database'] },
    {
      name: 'the gate is being written down',
      at: row('before', 'update', 'threads', kept('publishing')),
      victims: ['session', 'database'],
    },
    {
      name: 'everything is ready',
      at: row('after', 'insert', 'session_events', `new.thread_key = :key and new.kind = 'prepared'`),
      victims: ['session', 'server', 'database'],
    },
  ],
  conversation: [
    {
      name: 'the conversation gets its id',
      at: row(
        'after',
        'update',
        'threads',
        'new.key = :key and old.claude_session_id is null and new.claude_session_id is not null',
      ),
      victims: ['session', 'database'],
    },
    {
      name: 'the words are being written down',
      at: row(
        'before',
        'update',
        'messages',
        'new.thread_key = :key and old.composed is null and new.composed is not null',
      ),
      victims: ['session', 'database'],
    },
    {
      name: 'the words are written down',
      at: row(
        'after',
        'update',
        'messages',
        'new.thread_key = :key and old.composed is null and new.composed is not null',
      ),
      victims: ['session', 'database'],
    },
    { name: 'the first request to the model', at: model('before', turn(0)), victims: any },
    {
      name: 'the model has answered the first time',
      at: model('after', turn(0)),
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'the first words are being kept',
      at: row('before', 'insert', 'transcript', entry('%"type":"user"%Please do task-%')),
      victims: ['claude', 'session', 'database'],
    },
    {
      name: 'the first words are kept',
      at: row('after', 'insert', 'transcript', entry('%"type":"user"%Please do task-%')),
      victims: ['database', 'session', 'claude'],
    },
    {
      name: 'the message is being marked delivered',
      at: row('before', 'update', 'messages', newlyDelivered),
      victims: ['database', 'session', 'claude'],
    },
    {
      name: 'the answer is about to be begun',
      at: asked('before', rest('POST', '/issues/N/comments')),
      victims: ['session', 'claude', 'database'],
    },
    { name: 'the answer is begun', at: asked('after', rest('POST', '/issues/N/comments')), victims: any },
    {
      name: '🚀 is about to be shown',
      at: asked('before', reaction('ROCKET')),
      victims: ['claude', 'session', 'database'],
    },
    {
      name: 'a call is being kept',
      at: row('before', 'insert', 'transcript', entry('%"type":"tool_use"%echo task-%')),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'a call is kept',
      at: row('after', 'insert', 'transcript', entry('%"type":"tool_use"%echo task-%')),
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'a command is at work',
      at: file(effects),
      lingerMs: 700,
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'a result is being kept',
      at: row('before', 'insert', 'transcript', entry('%"tool_result"%made task-%')),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'the second request to the model',
      at: model('before', turn(1)),
      victims: ['session', 'claude', 'server', 'database'],
    },
    {
      name: 'the follow-up is being folded in',
      at: row('before', 'insert', 'transcript', entry('%queued_command%Please do busy-%')),
      victims: ['claude', 'session', 'database'],
    },
    {
      name: 'the follow-up is folded in',
      at: row('after', 'insert', 'transcript', entry('%queued_command%Please do busy-%')),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'the model hears the follow-up',
      at: model('before', hears('busy')),
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'the model hears the follow-up that woke it',
      at: model('before', hears('later')),
      parks: true,
      victims: ['session', 'claude', 'server', 'database'],
    },
  ],
  end: [
    {
      name: 'the last words are being kept',
      at: row('before', 'insert', 'transcript', entry('%"text":"I did task-%"end_turn"%')),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'the last words are kept',
      at: row('after', 'insert', 'transcript', entry('%"text":"I did task-%"end_turn"%')),
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'the work is about to be pushed',
      at: asked(
        'before',
        nth(2, () => git('/git-receive-pack')),
      ),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'the work is pushed',
      at: asked(
        'after',
        nth(2, () => git('/git-receive-pack')),
      ),
      victims: any,
    },
    {
      name: 'the pull request is about to be told',
      at: asked('before', anyPull),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'the pull request is told',
      at: asked('after', anyPull),
      victims: ['database', 'session', 'claude'],
    },
    {
      name: 'the answer is about to be given',
      at: asked('before', both(anyComment, bodyHas('I did'))),
      victims: ['session', 'claude', 'server', 'database'],
    },
    { name: 'the answer is given', at: asked('after', both(anyComment, bodyHas('I did'))), victims: any },
    {
      name: 'the answer is being ticked off',
      at: row(
        'before',
        'update',
        'threads',
        `new.key = :key and old.progress->>'answer' is not null and new.progress->>'answer' is null`,
      ),
      victims: ['session', 'database'],
    },
    {
      name: 'the answer is ticked off',
      at: row(
        'after',
        'update',
        'threads',
        `new.key = :key and old.progress->>'answer' is not null and new.progress->>'answer' is null`,
      ),
      victims: ['session', 'claude', 'database'],
    },
    {
      name: 'the messages are being marked done',
      at: row('before', 'update', 'messages', newlyDone),
      victims: ['session', 'claude', 'database'],
    },
    { name: 'the messages are done', at: row('after', 'update', 'messages', newlyDone), victims: any },
    {
      name: '👍 is about to be shown',
      at: asked('before', reaction('THUMBS_UP')),
      victims: ['claude', 'session', 'database'],
    },
    {
      name: 'the turn is reported',
      at: row('after', 'insert', 'session_events', `new.thread_key = :key and new.kind = 'turn'`),
      victims: ['claude', 'session', 'server', 'database'],
    },
    {
      name: 'the session falls idle',
      at: row(
        'after',
        'update',
        'threads',
        `new.key = :key and new.activity = 'idle' and old.activity = 'working'`,
      ),
      victims: any,
    },
    {
      name: 'the session is being parked',
      at: row('before', 'update', 'threads', `${released} and new.turns > 0`),
      parks: true,
      victims: ['session', 'claude', 'server', 'database'],
    },
    {
      name: 'the session is parked',
      at: row('after', 'update', 'threads', `${released} and new.turns > 0`),
      parks: true,
      victims: ['server', 'session', 'database'],
    },
  ],
};

/** The points of the default run, as all of them take minutes: of a step's beginning and end mostly one. */
export const everyOther = Object.values(points)
  .flat()
  .filter((_, index) => index % 2 === 0);
