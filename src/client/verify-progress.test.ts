import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { startGitHub } from '../../testkit/github/main.ts';
import type { ProgressEvent } from '../words/progress.ts';
import { progressSchema } from './progress-schema.ts';
import { RefusedError } from './refusal.ts';
import { type ProgressRequest, type ProgressTrust, verifyProgress } from './verify-progress.ts';

const github = await startGitHub();
afterAll(() => github.close());

const audience = 'https://api.example.com';
const run = { repository: 'octo-org/hello', runId: '123456789' };
const event: ProgressEvent = {
  repository: 'octo-org/hello',
  run_id: '123456789',
  correlation_id: 'req-123-abc',
  status: 'in_progress',
  message: 'Implementing feature…',
  completed_tasks: ['Set up environment'],
  current_task: 'Writing tests',
  timestamp: '2026-01-17T12:00:00Z',
  version: 1,
  run_attempt: 1,
  sequence: 4,
  event_id: '0d9f5bd4-1f6b-4c39-9f5e-0b3f4f6f2a11',
  result: null,
};

/** What came of it: the event, or the status to answer with. */
const outcome = (request: ProgressRequest, trust: ProgressTrust) =>
  verifyProgress(request, trust).catch((error: unknown) => {
    if (!(error instanceof RefusedError)) throw error;
    expect(error.message).not.toBe('');
    expect(error.remedy).not.toBe('');
    return error.status;
  });

describe('from a run, by its OIDC token', () => {
  const trust = {
    oidc: { audience, repositories: ['octo-org/hello'], issuer: github.oidc.issuer },
  } satisfies ProgressTrust;
  const sent = async (body: unknown, claims: object = {}, forAudience = audience): Promise<Request> =>
    new Request(`${audience}/progress`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await github.oidc.sign(forAudience, { ...run, ...claims })}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test('the event comes out as it went in', async () => {
    expect(await verifyProgress(await sent(event), trust)).toEqual(event);
  });

  test('members that a later version adds do no harm, and do not come through', async () => {
    expect(await verifyProgress(await sent({ ...event, mood: 'good' }), trust)).toEqual(event);
  });

  test.each<[string, string[]]>([
    ['all of an owner', ['octo-org/*']],
    ['in other letters', ['Octo-Org/Hello']],
    ['among others', ['a/b', 'octo-org/hello']],
  ])('the repository is on the list: %s', async (_, repositories) => {
    expect(await outcome(await sent(event), { oidc: { ...trust.oidc, repositories } })).toEqual(event);
  });
  /** As good as ours, but for who signed it. */
  const fromStranger = async (): Promise<ProgressRequest> => {
    await using stranger = await startGitHub();
    const token = await stranger.oidc.sign(audience, run);
    return { headers: { authorization: `Bearer ${token}` }, body: JSON.stringify(event) };
  };

  test.each<[string, () => Promise<ProgressRequest>, number]>([
    ['no token', async () => new Request(audience, { method: 'POST', body: JSON.stringify(event) }), 401],
    ['what is no token', async () => ({ headers: { authorization: 'Bearer abc' }, body: '{}' }), 401],
    ['a token for somebody else', () => sent(event, {}, 'https://other.example'), 401],
    ['a token that has expired', () => sent(event, { lifetime: -60 }), 401],
    ['a token of another issuer', fromStranger, 401],
    ['a repository that is not listed', () => sent(event, { repository: 'octo-org/other' }), 403],
    ['an event of another repository', () => sent({ ...event, repository: 'octo-org/other' }), 403],
    ['an event of another run', () => sent({ ...event, run_id: '1' }), 403],
    ['no JSON', () => sent('progress!'), 422],
    ['no event', () => sent({ ...event, status: 'done' }), 422],
    ['nothing', () => sent(''), 422],
    ['what has no end', () => sent(' '.repeat(300_000)), 413],
  ])('refused: %s', async (_, request, status) => {
    expect(await outcome(await request(), trust)).toBe(status);
  });

  test('an owner’s star covers no owner whose name begins alike', async () => {
    const other = { ...event, repository: 'octo-org-evil/hello' };
    const request = await sent(other, { repository: 'octo-org-evil/hello' });
    expect(await outcome(request, { oidc: { ...trust.oidc, repositories: ['octo-org/*'] } })).toBe(403);
  });

  test('an issuer that cannot be asked now is no reason to give up: 503', async () => {
    const gone = await startGitHub();
    const { issuer } = gone.oidc;
    const headers = { authorization: `Bearer ${await gone.oidc.sign(audience, run)}` };
    await gone.close();
    const request = { headers, body: JSON.stringify(event) };
    expect(await outcome(request, { oidc: { ...trust.oidc, issuer } })).toBe(503);
  });

  test('an empty audience is a mistake, not a wildcard', async () => {
    const request = await sent(event);
    await expect(verifyProgress(request, { oidc: { ...trust.oidc, audience: '' } })).rejects.toMatchObject({
      reason: 'invalid_input',
    });
  });
});

describe('from a server, by the secret it forwards with', () => {
  const secret = 'it is a secret to everybody';
  const trust = { secret };
  const now = () => Math.floor(Date.now() / 1_000);
  const signed = (body: string, { at = now(), by = secret } = {}) => ({
    headers: {
      'x-forgehand-timestamp': String(at),
      'x-forgehand-signature-256': `sha256=${createHmac('sha256', by).update(`${at}.${body}`).digest('hex')}`,
    },
    body,
  });
  const body = JSON.stringify(event);

  test.each<[string, ProgressRequest]>([
    ['as Node has it', signed(body)],
    ['with bytes', { ...signed(body), body: Buffer.from(body) }],
    ['as a WHATWG request', new Request(audience, { method: 'POST', ...signed(body) })],
    ['with a clock that is four minutes off', signed(body, { at: now() - 240 })],
  ])('believed: %s', async (_, request) => {
    expect(await outcome(request, trust)).toEqual(event);
  });

  const { headers } = signed(body);
  test.each<[string, ProgressRequest, number]>([
    ['no signature', { headers: {}, body }, 401],
    [
      'a signature without its time',
      { headers: { ...headers, 'x-forgehand-timestamp': undefined }, body },
      401,
    ],
    ['two signatures', { headers: { ...headers, 'X-Forgehand-Signature-256': 'sha256=00' }, body }, 401],
    ['another secret', signed(body, { by: 'guessed' }), 401],
    ['another body', { headers, body: body.replace('Writing tests', 'Resting') }, 401],
    ['another time', { headers: { ...headers, 'x-forgehand-timestamp': String(now() - 60) }, body }, 401],
    ['what was sent six minutes ago', signed(body, { at: now() - 360 }), 401],
    ['what comes from the future', signed(body, { at: now() + 360 }), 401],
    ['signed nonsense', signed('{}'), 422],
  ])('refused: %s', async (_, request, status) => {
    expect(await outcome(request, trust)).toBe(status);
  });

  test('an empty secret is a mistake, not an open door', async () => {
    await expect(verifyProgress(signed(body, { by: '' }), { secret: '' })).rejects.toMatchObject({
      reason: 'invalid_input',
    });
  });

  test('a body that a JSON parser has had is a mistake of the caller', async () => {
    const parsed = { ...signed(body), body: event as unknown as string };
    await expect(verifyProgress(parsed, trust)).rejects.toMatchObject({ reason: 'invalid_input' });
  });

  test('headers as they come from a Node server', async () => {
    const heard: unknown[] = [];
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      heard.push(await verifyProgress({ headers: request.headers, body: Buffer.concat(parts) }, trust));
      response.writeHead(202).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', ...signed(body) });
    server.close();
    expect(heard).toEqual([event]);
  });
});

describe('the JSON Schema', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(progressSchema);

  test.each<[string, object, boolean]>([
    ['an event', event, true],
    ['with members that a later version adds', { ...event, mood: 'good' }, true],
    ['with a status that is none', { ...event, status: 'done' }, false],
    ['without its result', { ...event, result: undefined }, false],
  ])('%s', (_, given, fits) => {
    expect(validate(JSON.parse(JSON.stringify(given)))).toBe(fits);
  });
});
