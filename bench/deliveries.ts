/** Signed deliveries as GitHub sends them, 25 KB each, and two ways to send them: at a fixed rate, and so many at a time. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalGitHub } from '../testkit/github/main.ts';
import type { RepositoryView } from '../testkit/github/repository-view.ts';

export interface Signed {
  body: Buffer;
  headers: Record<string, string>;
}

export interface Target {
  url: string;
  next(): Signed;
}

export interface Measured {
  /** Milliseconds to each answer; at a fixed rate from the moment at which it was due, so that nothing is left out. */
  ms: number[];
  /** Answers a second. */
  perSecond: number;
  /** Answers by status. */
  statuses: Record<string, number>;
}

const payloadBytes = 25_000;
const issues = 100;
/** Stands in the payload where text that does not compress well goes. */
const mark = 'the-noise-goes-here';

/** Comments that mention nobody, on many issues: only the database can tell whether they belong to a thread. */
export async function commentDeliveries(
  { github, repository, secret }: { github: LocalGitHub; repository: RepositoryView; secret: string },
  event = 'issue_comment',
): Promise<() => Signed> {
  const frames: [Buffer, Buffer][] = [];
  for (let count = 0; count < issues; count += 1) {
    const issue = github.createIssue(repository, { title: 'Look at this', body: '', author: 'octocat' });
    const comment = github.comment(issue, { author: 'octocat', body: mark });
    const { payload } = await github.event.issueComment(comment);
    const [before, after] = JSON.stringify(payload).split(mark) as [string, string];
    frames.push([Buffer.from(before), Buffer.from(after)]);
  }
  const noise = Buffer.from(randomBytes(3_000_000).toString('base64'));
  let count = 0;
  return () => {
    const [before, after] = frames[count % issues]!;
    const length = payloadBytes - before.length - after.length;
    const from = (count * 7_919) % (noise.length - length);
    count += 1;
    const body = Buffer.concat([before, noise.subarray(from, from + length), after]);
    const headers = {
      'content-type': 'application/json',
      'content-length': String(body.length),
      'user-agent': 'GitHub-Hookshot/0000000',
      'x-github-event': event,
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    };
    return { body, headers };
  };
}

/** Sends whether or not answers come: what waits at the server is counted as waiting. */
export async function steadily(target: Target, perSecond: number, seconds: number): Promise<Measured> {
  const sender = createSender(target, 256);
  const began = performance.now();
  const all: Promise<void>[] = [];
  for (let count = 0; count < perSecond * seconds; count += 1) {
    const due = began + (count * 1_000) / perSecond;
    while (performance.now() < due) await sleep(1);
    all.push(sender.send(due));
  }
  await Promise.all(all);
  return sender.close(began);
}

/** Each of so many senders sends its next one when its last one is answered. */
export async function inFlight(target: Target, senders: number, seconds: number): Promise<Measured> {
  const sender = createSender(target, senders);
  const began = performance.now();
  const end = began + seconds * 1_000;
  const one = async () => {
    while (performance.now() < end) await sender.send(performance.now());
  };
  await Promise.all(Array.from({ length: senders }, one));
  return sender.close(began);
}

function createSender({ url, next }: Target, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'lifo' });
  const ms: number[] = [];
  const statuses: Record<string, number> = {};
  const send = ({ body, headers }: Signed, due: number) =>
    new Promise<void>((done) => {
      const ended = (status: string) => {
        ms.push(performance.now() - due);
        statuses[status] = (statuses[status] ?? 0) + 1;
        done();
      };
      request(url, { method: 'POST', headers, agent }, (answer) => {
        answer.resume().once('end', () => ended(String(answer.statusCode)));
      })
        .once('error', (error: NodeJS.ErrnoException) => ended(error.code ?? 'error'))
        .end(body);
    });
  return {
    send: (due: number) => send(next(), due),
    close: (began: number): Measured => {
      agent.destroy();
      return { ms, perSecond: (ms.length * 1_000) / (performance.now() - began), statuses };
    },
  };
}

/** The value below which so many of a hundred are. */
export function percentile(values: number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}
