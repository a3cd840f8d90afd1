/** The demo of the server: an issue becomes a draft pull request, and what is written meanwhile is taken in. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claudeBinary, modelEnvironment } from '../../testkit/claude/environment.ts';
import { type ScriptedModel, startModel } from '../../testkit/claude/model.ts';
import { type LocalGitHub, startGitHub } from '../../testkit/github/main.ts';
import type { Comment, Issue } from '../../testkit/github/model.ts';
import type { RepositoryView } from '../../testkit/github/repository-view.ts';
import { diffOf, interrupted, readable, realModel, show } from './demo-output.ts';
import { makePlace, type Place } from './demo-place.ts';
import { sampleProject } from './demo-project.ts';
import { followUp, serverScript } from './demo-script.ts';
import { ServerLog } from './demo-server-log.ts';
import { Timeline } from './demo-timeline.ts';

/** The login that the server works as. */
const ownLogin = 'forgehand-bot';

interface Stage {
  github: LocalGitHub;
  repository: RepositoryView;
  model: ScriptedModel;
  place: Place;
  timeline: Timeline;
  log: ServerLog;
  webhookSecret: string;
  /** Rejects when somebody presses Ctrl-C, or the server ends. */
  over: Promise<never>;
}

/** Answers the exit code: 0 when both, the issue and the comment, were worked on, and nothing was left behind. */
export async function demoServer(keep: boolean): Promise<number> {
  await using github = await startGitHub();
  await using model = await startModel();
  const place = await makePlace();
  const timeline = new Timeline();
  let isDone = false;
  let left: number | null = null;
  try {
    const stage = await setStage({ github, model, place, timeline });
    isDone = await tell(stage);
    if (keep) await look(stage);
  } catch (error) {
    console.error(`\n${(error as Error).message}`);
  } finally {
    left = await place.end();
    await place.remove();
  }
  const requests = github.requests.filter(({ kind }) => kind !== 'kit').length;
  const processes = left === null ? '' : `, ${left} processes and no file left behind`;
  console.log(`\n${requests} GitHub requests, ${timeline.seconds} seconds${processes}.`);
  return isDone && !left ? 0 : 1;
}

async function setStage(parts: Pick<Stage, 'github' | 'model' | 'place' | 'timeline'>): Promise<Stage> {
  const { github, model, place, timeline } = parts;
  const repository = await github.createRepository({
    owner: 'octo-org',
    name: 'hello',
    files: sampleProject,
  });
  for (const login of ['octocat', ownLogin]) repository.setPermission(login, 'write');
  const real = realModel();
  timeline.say(`a local GitHub with ${repository.fullName} is up`, github.serverUrl);
  timeline.say(
    real
      ? 'Claude is the real model, with your ANTHROPIC_API_KEY'
      : 'Claude is scripted; the Claude Code binary is real',
  );
  const webhookSecret = randomBytes(20).toString('hex');
  const log = new ServerLog(timeline);
  const server = place.serve(
    {
      ...(real ?? modelEnvironment(model)),
      GITHUB_TOKEN: github.token({ login: ownLogin }),
      GITHUB_WEBHOOK_SECRET: webhookSecret,
      GITHUB_SERVER_URL: github.serverUrl,
      GITHUB_API_URL: github.apiUrl,
      GITHUB_GRAPHQL_URL: github.graphqlUrl,
      PATH_TO_CLAUDE_CODE_EXECUTABLE: claudeBinary(),
      SANDBOX: 'auto',
    },
    (line) => log.take(line),
  );
  const over = Promise.race([
    new Promise<never>((_, failed) =>
      server.once('exit', () => failed(new Error(`The server has ended:\n${log.text}`))),
    ),
    interrupted().then(() => Promise.reject(new Error('Interrupted.'))),
  ]);
  over.catch(() => {});
  const stage = { ...parts, repository, log, webhookSecret, over };
  await until(
    stage,
    'the server is ready',
    async () => (await fetch(`${place.url}/ready`).catch(() => null))?.ok,
  );
  timeline.say('`forgehand serve` is up, with a PostgreSQL of its own', `${place.url}/health`);
  return stage;
}

/** The story. Answers whether it came to a good end. */
async function tell(stage: Stage): Promise<boolean> {
  const { github, repository, timeline } = stage;
  github.clearRequests();
  const requests = timeline.watch(github.requests, github.serverUrl);
  const issue = github.createIssue(repository, {
    title: 'The greeting is misspelt',
    body: 'It says “Helo, octocat!”. `npm test` fails since then.',
    author: 'octocat',
  });
  const working = prepareScript(stage, issue);
  timeline.say(`octocat opens an issue: “${issue.title}”`, pageOf(stage, issue));
  await deliver(stage, 'issues', await github.event.issues(issue));
  await until(stage, 'Claude works', working.reached);
  const comment = github.comment(issue, { author: 'octocat', body: followUp });
  timeline.say(`octocat adds, while Claude is busy: “${followUp}”`);
  await deliver(stage, 'issue_comment', await github.event.issueComment(comment));
  // 👀: it is stored and on its way into the conversation.
  await until(stage, 'the follow-up is queued', () => comment.reactions.length > 0);
  working.goOn();
  const isOver = () => [issue, comment].every(isEnded) && stage.log.turns > 1;
  await until(stage, 'both are answered', isOver, 20 * 60_000);
  requests.stop();
  return await summarise(stage, issue, comment);
}

/** The script of the scripted Claude; the real one is spoken to once it has begun. */
function prepareScript({ model, place, timeline, log }: Stage, issue: Issue) {
  const spokenTo = Promise.withResolvers<void>();
  let isWorking = false;
  model.script(
    serverScript(join(place.directory, 'workspaces', 'octo-org', 'hello', `issue-${issue.number}`), {
      working: () => (isWorking = true),
      spokenTo: spokenTo.promise,
      doing: (what) => timeline.say(`Claude ${what}`),
    }),
  );
  return { reached: () => isWorking || (realModel() !== null && log.delivered > 0), goOn: spokenTo.resolve };
}

async function deliver(
  { github, place, webhookSecret, timeline }: Stage,
  name: string,
  event: Parameters<LocalGitHub['deliver']>[2],
): Promise<void> {
  const { statusCode, duration } = await github.deliver(`${place.url}/webhook`, webhookSecret, event);
  if (statusCode !== 202) throw new Error(`The webhook was answered with ${statusCode}.`);
  timeline.say(
    `GitHub’s signed webhook \`${name}\` is stored and answered: 202 in ${Math.round(duration * 1000)} ms`,
  );
}

/** 👍 or 😕: its turn has ended. */
function isEnded({ reactions }: Pick<Issue, 'reactions'>): boolean {
  return reactions.some(({ content }) => content === '+1' || content === 'confused');
}

async function summarise(stage: Stage, issue: Issue, comment: Comment): Promise<boolean> {
  const { github, repository } = stage;
  const answers = issue.comments.filter(({ author }) => author?.login === ownLogin);
  show(
    `The answer${answers.length > 1 ? 's' : ''} on the issue`,
    answers.map(({ body }) => readable(body)).join('\n\n'),
  );
  const pull = repository.pullRequests()[0];
  if (!pull) return false;
  show(`The ${pull.draft ? 'draft ' : ''}pull request #${pull.number}: ${pull.title}`, readable(pull.body));
  const token = github.token({ login: ownLogin });
  const diff = await diffOf(github, { repository: repository.fullName, branch: pull.head.ref, token });
  show(`The diff of ${pull.head.ref}`, diff);
  const how = answers.length === 1 ? 'at once: one turn and one answer for both' : 'in a turn of its own';
  console.log(`\nThe follow-up was written while Claude was busy, and Claude took it in ${how}.`);
  return [issue, comment].every(({ reactions }) => reactions.some(({ content }) => content === '+1'));
}

/** Leaves everything running to look at. */
async function look({ place, log, repository, github, over }: Stage): Promise<void> {
  const [pull] = repository.pullRequests();
  const issues = repository.subjects().filter(({ kind }) => kind === 'issue');
  const lines = [
    ...issues.map(({ number }) => ['issue', `${github.serverUrl}/${repository.fullName}/issues/${number}`]),
    ...(pull ? [['pull request', `${github.serverUrl}/${repository.fullName}/pull/${pull.number}`]] : []),
    ['health', `${place.url}/health`],
    ['operator', log.operatorLink ?? ''],
    ...(log.session && log.inTmux
      ? [['session', `TMUX_TMPDIR=${place.tmux} tmux attach -t ${log.session}`]]
      : []),
    ['files', place.directory],
  ];
  show(
    'Everything stays up until Ctrl-C',
    lines.map(([name, value]) => `${name!.padEnd(14)}${value}`).join('\n'),
  );
  await over.catch((error: Error) => console.log(`\n${error.message} Ending all of it.`));
}

function pageOf({ github, repository }: Stage, { number }: Issue): string {
  return `${github.serverUrl}/${repository.fullName}/issues/${number}`;
}

async function until(
  { over, log }: Pick<Stage, 'over' | 'log'>,
  what: string,
  check: () => unknown,
  patienceMs = 120_000,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await Promise.race([check(), over]))) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}.\n${log.text}`);
    await Promise.race([sleep(50), over]);
  }
}
