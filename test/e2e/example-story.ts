/** The story of an example: what starts it, what Claude is told and may do, what comes of it. */
import { expect } from 'vitest';
import { tokenEndpoint } from '../../testkit/claude/token-endpoint.ts';
import type { WorkflowEvent } from '../../testkit/runner/workflow-file.ts';
import { type ExampleRun, type ExampleScene, runExample } from './example-run.ts';
import { openPull } from './pulls.ts';
import { type Stage, setStage } from './stage.ts';

export interface Story extends Omit<ExampleScene, 'event' | 'oidc'> {
  /** What happens, in one line. */
  when: string;
  event: (stage: Stage) => Promise<WorkflowEvent>;
  /** Public, because a fork is; the others are private, so that reading takes a permission too. */
  isPublic?: true;
  mode: 'tag' | 'agent';
  /** Parts of what Claude is told. */
  told: string[];
  permissionMode: 'acceptEdits' | 'default';
  /** What the run warns of. */
  warned?: string[];
  /** Tools that Claude is not even offered. */
  without?: string[];
  /** What Claude's commands and edits came to, in order: done, or refused. */
  tried?: ('done' | 'refused')[];
  /** How the other jobs of the file end, by id; each that is not named succeeds. */
  jobs?: Record<string, string>;
  outcome: (scene: { run: ExampleRun; stage: Stage }) => unknown;
}

/** Runs the example as it stands; the job's token may what the file's `permissions` say and no more. */
export async function play(story: Story): Promise<void> {
  await using stage = await setStage();
  const { github, repository, model } = stage;
  repository.setPermission('monalisa', story.isPublic ? 'read' : 'write');
  repository.record.private = !story.isPublic;
  const event = await story.event(stage);
  const oidc = story.vars ? federation(stage) : undefined;
  const run = await runExample(stage, { ...story, event, oidc });

  expect(run.notStarted).toBeNull();
  const failed = Object.entries(run.jobs).filter(([id, end]) => end !== (story.jobs?.[id] ?? 'success'));
  expect(failed, `${run.log}\n${run.action?.log}`).toEqual([]);
  expect(run.action!.outputs.conclusion).toBe('success');
  expect(run.action!.summary).toContain(`${story.mode} mode`);
  const said = run.action!.annotations.map(({ message }) => message);
  const isDenial = (message: string) => message.startsWith('Claude asked for what it may not use');
  // Nothing in the file is idle, and nothing is missing a permission.
  expect(said.filter((message) => !isDenial(message))).toEqual(story.warned ?? []);
  expect(said.some(isDenial)).toBe(story.tried?.includes('refused') ?? false);
  for (const part of story.told) expect(model.firstText()).toContain(part);
  expect(run.init.permissionMode).toBe(story.permissionMode);
  expect(run.init.tools!.filter((tool) => story.without?.includes(tool))).toEqual([]);
  const came = model
    .toolResults()
    .map(({ text }) => (/requires approval|haven't granted/.test(text) ? 'refused' : 'done'));
  if (story.tried) expect(came.slice(0, story.tried.length)).toEqual(story.tried);
  expect(github.violations).toEqual([]);
  expect(run.action!.leftovers).toEqual([]);
  await story.outcome({ run, stage });
}

/** An example, an event that it leaves alone, and why: what `on:` says, or how its jobs end. */
export type Exception = [
  example: string,
  what: string,
  event: Story['event'],
  instead: string | Record<string, string>,
];

export async function leaveAlone([example, , makeEvent, instead]: Exception): Promise<void> {
  await using stage = await setStage();
  const run = await runExample(stage, { example, event: await makeEvent(stage) });
  expect(run.notStarted ?? run.jobs).toEqual(instead);
}

/** Makes the event of a pull request that `open` opens. */
export const pullRequest =
  (action: string, changedFiles = ['src/greet.de.js'], open = openPull) =>
  async (stage: Stage) => ({
    ...(await stage.github.event.pullRequest(await open(stage), action)),
    changedFiles,
  });

export const lastComment = ({ repository }: Stage) => repository.subject(1).comments.at(-1)?.body;

/** Claude says it, and it is in the comment. */
export const answers = (text: string) => ({
  claude: () => [{ text }],
  outcome: ({ stage }: { stage: Stage }) => expect(lastComment(stage)).toContain(text),
});

/** A rule of the model's organization that trusts this repository's jobs. */
function federation({ github, model }: Stage) {
  model.federate(
    tokenEndpoint({
      id: 'fdrl_forgehand',
      organization: 'org-octo',
      serviceAccount: 'svac_robot',
      audience: 'https://api.anthropic.com',
      issuer: github.oidc,
    }),
  );
  return github.oidc.request({ repository: 'octo-org/hello' });
}
