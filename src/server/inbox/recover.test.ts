import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startGitHub } from '../../../testkit/github/main.ts';
import { type InboxStage, setInboxStage, webhookSecret } from './inbox.test-support.ts';
import { recoverDeliveries } from './recover.ts';
import { takerOf } from './start.ts';

/** A hook or App whose server is not there. */
const nobody = 'http://127.0.0.1:9/webhook';

const recover = (stage: InboxStage) => recoverDeliveries(stage.context, takerOf(stage.context));

/** A server that signs in as an App, installed on two accounts that have a repository of the same name. */
async function setAppStage() {
  const github = await startGitHub({ validate: false });
  const app = await github.createApp({ slug: 'forgehand' });
  for (const owner of ['octo-org', 'other-org']) {
    const repository = await github.createRepository({ owner, name: 'hello' });
    repository.setPermission('octocat', 'write');
  }
  const installations = ['octo-org', 'other-org'].map((owner) => github.installApp(app, owner));
  const stage = await setInboxStage({
    github,
    inbox: { recover: false },
    environment: { GITHUB_APP_ID: String(app.id), GITHUB_APP_PRIVATE_KEY: app.privateKey },
  });
  return { github, app, installations, stage };
}

describe('an App', () => {
  test('with two installations keeps them apart: each repository has a token of its own', async () => {
    const { github, installations, stage } = await setAppStage();
    await using _ = stage;
    for (const [index, owner] of ['octo-org', 'other-org'].entries()) {
      const issue = github.createIssue(`${owner}/hello`, { author: 'octocat', title: owner, body: '' });
      const event = await github.event.issues(issue, 'opened', { installation: installations[index] });
      await stage.deliver(event);
    }
    await stage.settled();
    for (const [index, owner] of ['octo-org', 'other-org'].entries()) {
      expect(await stage.thread(`${owner}/hello#1`)).toMatchObject({
        title: owner,
        installation_id: String(installations[index]!.id),
      });
    }
    // The threads have their turns at the same time, so either may come first.
    const tokens = github.tokens().filter(({ kind }) => kind === 'installation');
    expect(tokens).toHaveLength(2);
    for (const [index, owner] of ['octo-org', 'other-org'].entries()) {
      const { repositories } = tokens.find(
        ({ installation }) => installation!.id === installations[index]!.id,
      )!;
      expect([...repositories!].map((repository) => repository.owner.login)).toEqual([owner]);
    }
    await github.close();
  });

  test('installed anew, without an installation in the payload, or on nothing: found, looked up, refused', async () => {
    const { github, installations, stage } = await setAppStage();
    await using _ = stage;
    const decide = async (owner: string, installation?: unknown) => {
      const issue = github.createIssue(`${owner}/hello`, { author: 'octocat', title: 'T', body: '' });
      const event = await github.event.issues(issue);
      if (installation) event.payload.installation = installation;
      const { guid } = await stage.deliver(event);
      await stage.settled();
      return stage.delivery(guid);
    };
    expect(await decide('octo-org', { id: 987_654 })).toMatchObject({ verdict: 'run' });
    expect(await decide('other-org')).toMatchObject({ verdict: 'run' });
    expect(installations).toHaveLength(2);
    await github.createRepository({ owner: 'third-org', name: 'hello' });
    expect(await decide('third-org')).toMatchObject({
      verdict: 'deny',
      reason: 'github_auth',
      message: expect.stringContaining('is not installed on third-org/hello'),
    });
    await github.close();
  });

  test('fetches what failed and what never arrived, once, in order, and nothing that has had its turn', async () => {
    const { github, app, installations, stage } = await setAppStage();
    await using _ = stage;
    const send = async (body: string, url: string) => {
      const issue = github.createIssue('octo-org/hello', { author: 'octocat', title: 'T', body });
      const event = await github.event.issues(issue, 'opened', { installation: installations[0] });
      return (await github.deliver(url, webhookSecret, event, { app: app.app })).guid;
    };
    const missed = [await send('one', nobody), await send('two', nobody)];
    const taken = await send('three', `${stage.web.url}/webhook`);
    await github.deliver(nobody, webhookSecret, await github.event.ping('octo-org/hello'), { app: app.app });
    expect(await recover(stage)).toBe(2);
    await stage.settled();
    for (const guid of missed) {
      expect(await stage.delivery(guid)).toMatchObject({
        verdict: 'run',
        source: 'fetched',
        installation_id: String(installations[0]!.id),
      });
    }
    expect(await stage.delivery(taken)).toMatchObject({ source: 'webhook' });
    expect(await recover(stage)).toBe(0);
    missed.push(await send('four', nobody));
    expect(await recover(stage)).toBe(1);
    await stage.settled();
    const order = await stage.store.database.query<{ id: string }>(
      `select id from deliveries where source = 'fetched' order by seq`,
    );
    expect(order.map(({ id }) => id)).toEqual(missed);
    expect(stage.lines).toContainEqual(
      expect.objectContaining({ message: 'A missed delivery was fetched.' }),
    );
    await github.close();
  });

  test('more than one page, and one that is redelivered meanwhile', async () => {
    const { github, app, installations, stage } = await setAppStage();
    await using _ = stage;
    const issue = github.createIssue('octo-org/hello', { author: 'octocat', title: 'T', body: '' });
    const guids: string[] = [];
    for (let n = 0; n < 120; n += 1) {
      const comment = github.comment(issue, { author: 'octocat', body: `${n}` });
      const event = await github.event.issueComment(comment, 'created', { installation: installations[0] });
      guids.push((await github.deliver(nobody, webhookSecret, event, { app: app.app })).guid);
    }
    await github.redeliver(github.deliveries[0]!);
    expect(await recover(stage)).toBe(120);
    await stage.settled();
    const order = await stage.store.database.query<{ id: string }>(`select id from deliveries order by seq`);
    expect(order.map(({ id }) => id)).toEqual(guids);
    await github.close();
  });

  test('when GitHub does not answer, the next look begins at the same point', async () => {
    const { github, app, installations, stage } = await setAppStage();
    await using _ = stage;
    const issue = github.createIssue('octo-org/hello', { author: 'octocat', title: 'T', body: '' });
    const event = await github.event.issues(issue, 'opened', { installation: installations[0] });
    const { guid } = await github.deliver(nobody, webhookSecret, event, { app: app.app });
    const back = github.faults.add({ path: /deliveries\/\d+$/, status: 404, body: {} });
    back();
    const away = github.faults.add({ path: /deliveries\/\d+$/, status: 401, body: { message: 'no' } });
    await expect(recover(stage)).rejects.toMatchObject({ reason: 'github_auth' });
    away();
    expect(await recover(stage)).toBe(1);
    await stage.settled();
    expect(await stage.delivery(guid)).toMatchObject({ verdict: 'run' });
    await github.close();
  });
});

describe('a token', () => {
  test('fetches from the hooks that lead here, and from no others', async () => {
    await using stage = await setInboxStage({
      inbox: { recover: false },
      environment: { PUBLIC_URL: 'https://forgehand.example.com' },
    });
    const { github } = stage;
    const repository = github.repository('octo-org/hello').record;
    const hook = (id: number, url: string) => {
      const made = {
        id,
        url,
        secret: webhookSecret,
        events: ['*'],
        active: true,
        createdAt: '2026-01-01T00:00:00Z',
      };
      repository.hooks.push(made);
      return made;
    };
    const ours = hook(1_001, 'https://forgehand.example.com/webhook');
    const theirs = hook(1_002, 'https://other.example.com/webhook');
    const send = async (which: typeof ours) => {
      const issue = github.createIssue('octo-org/hello', {
        author: 'octocat',
        title: 'T',
        body: randomUUID(),
      });
      const event = await github.event.issues(issue);
      return (await github.deliver(nobody, webhookSecret, event, { hook: which })).guid;
    };
    const known = github.createIssue('octo-org/hello', { author: 'octocat', title: 'T', body: '' });
    await stage.deliver(await github.event.issues(known));
    const guids = [await send(ours), await send(theirs)];
    expect(await recover(stage)).toBe(1);
    await stage.settled();
    expect(await stage.delivery(guids[0]!)).toMatchObject({ verdict: 'run', source: 'fetched' });
    expect(await stage.delivery(guids[1]!)).toBeUndefined();
  });

  test('without PUBLIC_URL the hooks are known by what has arrived from them; one that may not see them goes on', async () => {
    await using stage = await setInboxStage({ inbox: { recover: false } });
    const { github } = stage;
    const repository = github.repository('octo-org/hello').record;
    const hook = (id: number) => {
      const url = `https://forgehand.example.com/${id}/webhook`;
      const made = {
        id,
        url,
        secret: webhookSecret,
        events: ['*'],
        active: true,
        createdAt: '2026-01-01T00:00:00Z',
      };
      repository.hooks.push(made);
      return made;
    };
    const [ours, theirs] = [hook(1_001), hook(1_002)];
    const send = async (which: typeof ours, url: string) => {
      const issue = github.createIssue('octo-org/hello', {
        author: 'octocat',
        title: 'T',
        body: randomUUID(),
      });
      return (await github.deliver(url, webhookSecret, await github.event.issues(issue), { hook: which }))
        .guid;
    };
    await send(ours, `${stage.web.url}/webhook`);
    const guids = [await send(ours, nobody), await send(theirs, nobody)];
    expect(await recover(stage)).toBe(1);
    expect(await stage.delivery(guids[1]!)).toBeUndefined();
    github.faults.add({ path: /\/hooks$/, status: 403, body: { message: 'Resource not accessible' } });
    expect(await recover(stage)).toBe(0);
  });
});
