/** Conversations and what holds them: a host that is killed, and a fence around Claude. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bash } from '../../testkit/claude/tools.ts';
import { runMark } from '../words/mark.ts';
import { message, Story, timesSaid } from './conversation.test-support.ts';
import { fencedScene, whyNoFence } from './fence.test-support.ts';

/** The whole of a program that talks to Claude: it is killed, so it runs on its own. */
const host = (story: Story) => `
  import { openConversation } from ${JSON.stringify(new URL('./conversation.ts', import.meta.url).href)};
  const store = { append: async () => {}, load: async () => null, subpaths: async () => [] };
  const plan = { ...${JSON.stringify(story.plan())}, store };
  const nothing = () => {};
  const conversation = await openConversation(plan, {
    signal: new AbortController().signal, onSpawn: (pid) => console.log(pid),
    onMessage: nothing, onTaken: nothing, onTurnEnd: nothing, onActivity: nothing,
  });
  conversation.send([${JSON.stringify(message('msg-first'))}]);
`;

test.skipIf(process.platform !== 'linux')('a host that is killed takes Claude with it', async () => {
  await using story = await Story.start();
  const started = join(story.directory, 'started');
  story.model.script([{ tools: [bash(`touch ${started}; sleep 60`)] }]);
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', host(story)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await expect.poll(() => existsSync(started)).toBe(true);
  child.kill('SIGKILL');
  await expect.poll(() => existsSync(`/proc/${Number(said)}/cmdline`)).toBe(false);
});

test.skipIf(whyNoFence)(
  `in a fence, killed in the middle of a command, it goes on${whyNoFence ? `: ${whyNoFence}` : ''}`,
  async () => {
    await using story = await Story.start();
    const scene = await fencedScene();
    try {
      const effects = join(scene.workspace, 'effects');
      scene.model.script([
        { tools: [bash(`echo x >> effects; sleep 60`)] },
        { text: 'looked' },
        { text: 'looked' },
        { text: 'looked' },
      ]);
      const changes = {
        environment: { ...scene.fence.claudeEnvironment, [runMark]: story.plan().mark },
        fence: scene.fence,
        directory: scene.workspace,
        scratch: scene.scratch,
      };
      const told = await story.open(changes);
      const [first, second] = [message('msg-first'), message('msg-second')];
      told.conversation.send([first]);
      await expect.poll(() => existsSync(effects)).toBe(true);
      expect(told.taken).toEqual([first.uuid]);
      expect(await told.kill()).toMatchObject({ reason: 'claude_crashed' });

      const again = await story.open(changes);
      expect(again.conversation.resumed).toBe(true);
      const notice = again.conversation.unfinished();
      expect(notice).toContain('`Bash`) is unknown');
      again.conversation.send([message(notice!), first, second]);
      await again.idle();
      expect(again.turns[0]).toMatchObject({ reason: '', text: 'looked' });
      expect(again.conversation.hasAnswered(second.uuid)).toBe(true);
      expect(['msg-first', 'msg-second'].map((text) => timesSaid(scene.model, text))).toEqual([1, 1]);
      expect(readFileSync(effects, 'utf8')).toBe('x\n');
      await again.conversation.end();
      expect(await again.conversation.over).toMatchObject({ reason: '' });
    } finally {
      await scene.close();
    }
  },
);
