/**
 * Faults at each single request of a good run: the requests are recorded first, so that a new one is struck too. By default
 * each has one trouble that comes to it in turn, and each write loses its answer; `npm run test:scale` has all of them.
 */
import { describe, expect, test } from 'vitest';
import { write } from '../../testkit/claude/tools.ts';
import type { Fault } from '../../testkit/github/faults.ts';
import type { LoggedRequest } from '../../testkit/github/request-log.ts';
import type { ActionRun } from '../../testkit/runner/action-run.ts';
import { expectSuccess, newBranches } from './endings.ts';
import { callOn, openPull } from './pulls.ts';
import { type Stage, setStage } from './stage.ts';

/** A run that reads, works and publishes, with as few turns as possible. */
interface Good {
  name: string;
  run(stage: Stage): Promise<ActionRun>;
  /** The one branch that the work is on. */
  branch: RegExp;
}

const goodRuns: Good[] = [
  { name: 'issue', run: (stage) => stage.mention('@claude write it down'), branch: /^claude\/issue-1-/ },
  {
    name: 'pull request',
    run: async (stage) => callOn(stage, await openPull(stage, 'feature')),
    branch: /^feature$/,
  },
];

async function readyStage(): Promise<Stage> {
  const stage = await setStage();
  stage.model.script([
    () => ({ tools: [write(stage.path('notes.md'), 'Written down.\n')] }),
    { text: 'Done.' },
  ]);
  return stage;
}

async function expectWorkPublishedOnce(stage: Stage, run: ActionRun, good: Good): Promise<void> {
  await expectSuccess(stage, run);
  const branches = newBranches(stage);
  expect(branches).toEqual([expect.stringMatching(good.branch)]);
  expect(await stage.repository.file(branches[0]!, 'notes.md')).toBe('Written down.\n');
  expect(run.outputs.branch_name).toBe(branches[0]);
}

/** One request of a good run, and how to strike exactly that one. */
interface Moment {
  good: Good;
  title: string;
  fault: Pick<Fault, 'method' | 'path' | 'operation' | 'skip'>;
  isGit: boolean;
  /** It changes something, so that a lost answer does not mean that nothing happened. */
  isWrite: boolean;
}

async function recordedMoments(good: Good): Promise<Moment[]> {
  await using stage = await readyStage();
  const run = await good.run(stage);
  await expectWorkPublishedOnce(stage, run, good);
  const seen = new Map<string, number>();
  return stage.github.requests
    .filter(({ kind }) => kind !== 'kit')
    .map((request) => {
      const { path, name } = addressOf(request);
      const skip = seen.get(name) ?? 0;
      seen.set(name, skip + 1);
      return {
        good,
        title: `${good.name}: ${name}${skip > 0 ? ` (${skip + 1})` : ''}`,
        fault: {
          method: request.method,
          path,
          skip,
          ...(request.operation && { operation: request.operation }),
        },
        isGit: request.kind === 'git',
        isWrite: request.kind === 'graphql' ? request.operation === 'react' : request.method !== 'GET',
      };
    });
}

/** Ids of comments differ from run to run. */
function addressOf({ method, path, operation }: LoggedRequest): { path: RegExp; name: string } {
  const plain = path.split('?')[0]!.replace(/\d{2,}/g, 'N');
  const pattern = plain.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/N/g, '\\d+');
  return {
    path: new RegExp(`^${pattern}$`),
    name: operation ? `graphql ${operation}` : `${method} ${plain}`,
  };
}

/** Set by `npm run test:scale`. */
const isScale = process.env.FORGEHAND_TEST_SCALE === 'true';

const moments = (await Promise.all(goodRuns.map(recordedMoments))).flat();
/** What both runs ask in the same way is struck in the first only. */
const distinct = moments.filter(
  ({ title, good }, index) =>
    !moments.slice(0, index).some((other) => other.title.replace(other.good.name, good.name) === title),
);

const limited: Fault = {
  status: 429,
  headers: { 'retry-after': '1' },
  body: { message: 'You have exceeded a secondary rate limit.' },
};
interface Trouble {
  trouble: string;
  spoil: Fault;
  strikes(moment: Moment): boolean;
}

/** Whatever strikes, the request is simply made again. */
const passing: Trouble[] = [
  {
    trouble: 'is answered 502',
    spoil: { status: 502, body: '<html>Bad gateway</html>' },
    strikes: () => true,
  },
  { trouble: 'is cut off', spoil: { reset: true }, strikes: () => true },
  { trouble: 'comes too soon (403)', spoil: { ...limited, status: 403 }, strikes: ({ isGit }) => !isGit },
  { trouble: 'comes too soon (429)', spoil: limited, strikes: ({ isGit }) => isGit },
];
/** To make it again would do it twice. */
const lost: Trouble = {
  trouble: 'is done but its answer is lost',
  spoil: { after: true, reset: true },
  strikes: ({ isGit, isWrite }) => isWrite && !isGit,
};

/** Those that a moment has in this run of the tests. */
function troublesOf(moment: Moment, index: number): Trouble[] {
  const mine = passing.filter(({ strikes }) => strikes(moment));
  return [...(isScale ? mine : [mine[index % mine.length]!]), ...(lost.strikes(moment) ? [lost] : [])];
}
const cases = distinct.flatMap((moment, index) =>
  troublesOf(moment, index).map((trouble) => ({ ...trouble, moment, title: moment.title })),
);

test('the recorded runs comment, read, react, fetch and push', () => {
  const names = distinct.map(({ title }) => title).join('\n');
  for (const part of [
    '/permission',
    'POST /api/v3/repos/octo-org/hello/issues/1/comments',
    'graphql issue',
    'graphql react',
    'git-upload-pack',
    'git-receive-pack',
    'graphql pull',
  ])
    expect(names).toContain(part);
});

test('every request is struck, and every trouble strikes', () => {
  expect(new Set(cases.map(({ moment }) => moment))).toEqual(new Set(distinct));
  expect(new Set(cases.map(({ trouble }) => trouble))).toEqual(
    new Set([...passing, lost].map(({ trouble }) => trouble)),
  );
});

describe.concurrent('the run succeeds when', () => {
  test.for(cases)('$title $trouble once', async ({ moment, spoil }) => {
    await using stage = await readyStage();
    stage.github.faults.add({ ...moment.fault, ...spoil, times: 1 });
    const run = await moment.good.run(stage);
    await expectWorkPublishedOnce(stage, run, moment.good);
  });
});
