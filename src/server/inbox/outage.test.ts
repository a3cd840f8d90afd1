import { expect, test } from 'vitest';
import { openDatabase } from '../store/database.ts';
import { relayTo } from '../store/outage.test-support.ts';
import { startTestStore } from '../store/store.test-support.ts';
import { headersOf, setInboxStage } from './inbox.test-support.ts';

test('while the database is away GitHub is told so at once, and what was acknowledged is decided when it is back', async () => {
  const real = await startTestStore();
  const relay = await relayTo(real.url);
  const database = await openDatabase(relay.url);
  const stage = await setInboxStage({ store: { ...real, url: relay.url, database } });
  const { github } = stage;
  const issue = github.createIssue('octo-org/hello', { author: 'octocat', title: 'T', body: 'B' });
  await stage.deliver(await github.event.issues(issue));
  await stage.settled();
  const say = async (body: string) =>
    github.event.issueComment(github.comment(issue, { author: 'octocat', body }));

  relay.cut();
  const refused = await say('While it was away.');
  const body = JSON.stringify(refused.payload);
  const headers = headersOf(body, { event: refused.name });
  const answers = await Promise.all([stage.post(body, headers), stage.post(body, headers)]);
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      status: 'unavailable',
      error: expect.stringContaining('could not be stored'),
      remedy: expect.stringContaining('fetched from GitHub'),
    });
  }
  expect(await (await fetch(`${stage.web.url}/health`)).json()).toMatchObject({
    status: 'degraded',
    database: 'unreachable',
  });
  expect((await fetch(`${stage.web.url}/ready`)).status).toBe(503);

  relay.mend();
  // GitHub redelivers, or the delivery is fetched: under the same id
  const again = await stage.post(body, headers);
  expect(again.status).toBe(202);
  await stage.deliver(await say('Afterwards.'));
  await stage.settled();
  const said = (await stage.messages(`octo-org/hello#${issue.number}`)).map((message) => message.body);
  expect(said).toEqual(['T\n\nB', 'While it was away.', 'Afterwards.']);
  await stage[Symbol.asyncDispose]();
  await database.close();
  await relay.close();
});
