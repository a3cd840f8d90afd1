/** Webhook deliveries: signed, sent, remembered, and sent again when asked. */
import { createHmac, randomUUID } from 'node:crypto';
import type { App } from './app-model.ts';
import type { Hook } from './hook-model.ts';
import { now } from './store.ts';

/** One event as GitHub would send it. */
export interface WebhookEvent {
  /** `X-GitHub-Event` */
  name: string;
  payload: Record<string, unknown>;
}

export interface Delivery {
  id: number;
  /** `X-GitHub-Delivery`; a redelivery keeps it. */
  guid: string;
  deliveredAt: string;
  redelivery: boolean;
  /** Seconds. */
  duration: number;
  status: string;
  /** 0 when nobody answered. */
  statusCode: number;
  event: string;
  action: string | null;
  url: string;
  secret: string;
  request: { headers: Record<string, string>; payload: Record<string, unknown> };
  response: { headers: Record<string, string>; payload: string };
  /** Whose deliveries API lists it: a repository's hook, an App, or nobody's. */
  hook: Hook | null;
  app: App | null;
}

export interface DeliveryOptions {
  /** Made up when absent. */
  guid?: string;
  hook?: Hook;
  app?: App;
  redelivery?: boolean;
  /** Gives up after so many milliseconds, as GitHub does after ten seconds. */
  timeoutMs?: number;
}

export type DeliveryLog = ReturnType<typeof deliveryLog>;

/** The deliveries of one local GitHub, oldest first. */
export function deliveryLog(nextId: () => number) {
  const list: Delivery[] = [];

  /** Posts the event with GitHub's headers and signature; a failure is a record, never an exception. */
  async function deliver(
    url: string,
    secret: string,
    event: WebhookEvent,
    options: DeliveryOptions = {},
  ): Promise<Delivery> {
    const body = JSON.stringify(event.payload);
    const guid = options.guid ?? randomUUID();
    const headers = headersOf(event, guid, body, secret, options);
    const started = performance.now();
    const answer = await post(url, headers, body, options.timeoutMs ?? 10_000);
    const delivery: Delivery = {
      id: nextId(),
      guid,
      deliveredAt: now(),
      redelivery: options.redelivery ?? false,
      duration: (performance.now() - started) / 1000,
      status: answer.status,
      statusCode: answer.statusCode,
      event: event.name,
      action: typeof event.payload.action === 'string' ? event.payload.action : null,
      url,
      secret,
      request: { headers, payload: event.payload },
      response: { headers: answer.headers, payload: answer.body },
      hook: options.hook ?? null,
      app: options.app ?? null,
    };
    list.push(delivery);
    return delivery;
  }

  /** Sends a remembered delivery again, under its old guid. */
  function redeliver(delivery: Delivery): Promise<Delivery> {
    const { url, secret, event: name, guid, request, hook, app } = delivery;
    const options = { guid, redelivery: true, hook: hook ?? undefined, app: app ?? undefined };
    return deliver(url, secret, { name, payload: request.payload }, options);
  }

  return { list, deliver, redeliver };
}

function headersOf(
  event: WebhookEvent,
  guid: string,
  body: string,
  secret: string,
  options: DeliveryOptions,
) {
  const sign = (algorithm: string) => createHmac(algorithm, secret).update(body).digest('hex');
  const target = options.app ? 'integration' : 'repository';
  return {
    accept: '*/*',
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/local',
    'x-github-delivery': guid,
    'x-github-event': event.name,
    'x-github-hook-id': String(options.hook?.id ?? options.app?.id ?? 1),
    'x-github-hook-installation-target-id': String(options.app?.id ?? 1),
    'x-github-hook-installation-target-type': target,
    ...(secret
      ? { 'x-hub-signature': `sha1=${sign('sha1')}`, 'x-hub-signature-256': `sha256=${sign('sha256')}` }
      : {}),
  };
}

async function post(url: string, headers: Record<string, string>, body: string, timeoutMs: number) {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.text();
    const status = answer.ok ? 'OK' : `Invalid HTTP Response: ${answer.status}`;
    return { statusCode: answer.status, status, headers: Object.fromEntries(answer.headers), body: text };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    return {
      statusCode: 0,
      status: timedOut ? 'timed out' : 'failed to connect to host',
      headers: {},
      body: '',
    };
  }
}
