/** A run reports to the built server, which is killed again and again: nothing is lost, and nobody sees anything twice. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventOf, framesOf } from '../../src/server/progress/progress.test-support.ts';
import type { ProgressEvent } from '../../src/words/progress.ts';
import { type ServerStage, setServerStage } from './server-stage.ts';

const audience = 'https://forgehand.example';
const operatorToken = 'the-operator-of-this-story';
const secret = 'the-secret-of-this-backend';
const length = 12;
const runs = ['red', 'green', 'blue'];

interface Heard {
  key: string;
  event: ProgressEvent;
}

/** An operator's backend that takes each key once. `moment` is asked before it answers: null drops the connection. */
async function startBackend() {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { 'x-forgehand-timestamp': timestamp, 'x-forgehand-signature-256': signature } = request.headers;
    const digest = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    if (signature !== `sha256=${digest}`) return void response.writeHead(401).end();
    const event = JSON.parse(body) as ProgressEvent;
    const key = String(request.headers['idempotency-key']);
    const status = await backend.moment(event);
    if (status === null) return void response.destroy();
    if (status < 300 && !heard.some((one) => one.key === key)) heard.push({ key, event });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const backend = {
    heard,
    moment: (async () => 204) as (event: ProgressEvent) => Promise<number | null>,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/progress`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
  return backend;
}

let stage: ServerStage;
let backend: Awaited<ReturnType<typeof startBackend>>;
let environment: Record<string, string>;
beforeAll(async () => {
  backend = await startBackend();
  stage = await setServerStage({ start: false });
  // The issuer's key is made when it is first asked for, and three runs ask at the same time.
  await stage.github.oidc.jwks();
  environment = {
    OIDC_ISSUER: stage.github.oidc.issuer,
    OPERATOR_TOKEN: operatorToken,
    PROGRESS_AUDIENCE: audience,
    PROGRESS_REPOSITORIES_ALLOWED: 'octo-org/*',
    PROGRESS_FORWARD_URL: backend.url,
    PROGRESS_FORWARD_SECRET: secret,
  };
  await stage.start(environment);
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await backend?.close();
});

const post = async (event: ProgressEvent) =>
  fetch(`${stage.url}/progress`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await stage.github.oidc.sign(audience, {
        repository: event.repository,
        runId: event.run_id,
      })}`,
    },
    body: JSON.stringify(event),
  });

/** As a sender does: the same event again until it is acknowledged. */
const report = (event: ProgressEvent) =>
  stage.until(`${event.correlation_id} ${event.sequence} is accepted`, async () => {
    const answer = await post(event).catch(() => null);
    if (answer && answer.status !== 202 && answer.status !== 503)
      throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer?.status === 202;
  });

/** As a client does: it comes back with the last id that it has seen. */
async function follow(correlationId: string): Promise<ProgressEvent[]> {
  const seen: ProgressEvent[] = [];
  let last = '';
  await stage.until(`${correlationId} is followed to its end`, async () => {
    try {
      const response = await fetch(`${stage.url}/progress/${correlationId}/events`, {
        headers: { authorization: `Bearer ${operatorToken}`, ...(last && { 'last-event-id': last }) },
      });
      if (response.status === 204) return true;
      for await (const { id, data } of framesOf(response)) {
        last = id;
        seen.push(data);
      }
      return seen.at(-1)?.status === 'completed';
    } catch {
      return false;
    }
  });
  return seen;
}

const eventsOf = (correlationId: string) =>
  Array.from({ length }, (_, index) =>
    eventOf(correlationId, {
      run_id: String(runs.indexOf(correlationId) + 1),
      sequence: index + 1,
      status: index + 1 === length ? 'completed' : 'in_progress',
    }),
  );

test('kill -9 while events come in and go out', async () => {
  let strikes = 0;
  let standing = Promise.resolve();
  /** Until it is dead; the next one is on its way then. One strike after the other. */
  const strike = async () => {
    strikes += 1;
    const dead = standing.then(() => stage.kill('SIGKILL'));
    standing = dead.then(() => stage.start(environment));
    await dead;
  };
  const struck = new Set<string>();
  const once = (what: string) => !struck.has(what) && Boolean(struck.add(what));
  const requests: string[] = [];
  backend.moment = async ({ correlation_id: id, sequence, event_id }) => {
    requests.push(event_id);
    // Sent, and neither answered nor noted.
    if (id === 'red' && sequence === 3 && once('unanswered')) {
      await strike();
      return null;
    }
    // The backend has it, and nobody is there any more to note that.
    if (id === 'green' && sequence === 5 && once('answered')) {
      await strike();
      return 204;
    }
    return requests.length % 3 === 0 ? 503 : 204;
  };

  const all = new Map(runs.map((id) => [id, eventsOf(id)]));
  const followed = Promise.all(runs.map(follow));
  const reported = Promise.all(
    runs.map(async (id) => {
      for (const event of all.get(id)!) {
        if (id === 'blue' && event.sequence === 7) {
          // On its way: whether it was stored, the sender does not know.
          const underWay = post(event).catch(() => null);
          await strike();
          await underWay;
        }
        await report(event);
      }
    }),
  );
  await reported;
  await standing;
  await stage.until('the backend has the ends', () =>
    runs.every((id) =>
      backend.heard.some(({ event }) => event.correlation_id === id && event.status === 'completed'),
    ),
  );

  expect(strikes).toBe(3);
  for (const [index, id] of runs.entries()) {
    const events = all.get(id)!;
    const answer = await fetch(`${stage.url}/progress/${id}`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    });
    expect(await answer.json()).toEqual({
      correlation_id: id,
      repository: 'octo-org/hello',
      run_id: String(index + 1),
      run_attempt: 1,
      status: 'completed',
      events,
    });
    expect((await followed)[index]).toEqual(events);
    const told = backend.heard.filter(({ event }) => event.correlation_id === id);
    expect(told.map(({ event }) => event)).toEqual(events);
    expect(told.map(({ key }) => key)).toEqual(events.map(({ event_id }) => event_id));
  }
  const waiting = await (await stage.database()).query('select 1 from progress_outbox');
  expect(waiting).toEqual([]);
});

test('a server that cannot sign does not start', async () => {
  await stage.kill('SIGTERM');
  await expect(stage.start({ ...environment, PROGRESS_FORWARD_SECRET: '' })).rejects.toThrow(
    /The server ended with 2[\s\S]*PROGRESS_FORWARD_SECRET is not/,
  );
});
