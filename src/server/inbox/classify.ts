/** Reads a delivery as it came: what it is about, which lane it belongs to, and whether its payload alone says no. */
import { createHash } from 'node:crypto';
import { parseEvent } from '../../trigger/event.ts';
import { AppError } from '../../words/errors.ts';
import type { NewDelivery, Verdict } from '../store/deliveries.ts';
import { decidedByPayload, type InboxSettings, isHandled, type Self } from './payload-decision.ts';

export interface RawDelivery {
  id: string;
  /** `X-GitHub-Event` */
  event: string;
  /** JSON. */
  payload: string;
  source: 'webhook' | 'fetched';
}

export interface ClassifySettings extends InboxSettings {
  /** `GITHUB_APP_INSTALLATION_ID`: other installations are none of this server's business. */
  installationId: number | null;
}

/** Never throws for a payload that is a JSON object; one that GitHub would not send is decided as `invalid_input`. */
export function classify(
  raw: RawDelivery,
  settings: ClassifySettings,
  { payload, self }: { payload: Record<string, unknown>; self: Self | null },
): NewDelivery {
  const { action, installation, repository, issue, pull_request: pull } = payload as Shallow;
  return {
    id: raw.id,
    event: raw.event,
    action: typeof action === 'string' ? action : null,
    repository: typeof repository?.full_name === 'string' ? repository.full_name : null,
    number: wholeNumber((pull ?? issue)?.number, 2 ** 31 - 1),
    installationId: wholeNumber(installation?.id),
    source: raw.source,
    payload: raw.payload,
    digest: createHash('sha256').update(raw.payload).digest('base64'),
    decision: decisionOf(raw, settings, { payload, self }),
  };
}

interface Shallow {
  action?: unknown;
  installation?: { id?: unknown } | null;
  repository?: { full_name?: unknown } | null;
  issue?: { number?: unknown } | null;
  pull_request?: { number?: unknown } | null;
}

function decisionOf(
  raw: RawDelivery,
  settings: ClassifySettings,
  { payload, self }: { payload: Record<string, unknown>; self: Self | null },
): Verdict | null {
  const action = typeof payload.action === 'string' ? payload.action : null;
  // Most of what a hook sends is none of ours; reading it whole would cost more than all the rest.
  if (!isHandled(raw.event, action)) {
    const what = action === null ? `\`${raw.event}\`` : `\`${raw.event}\` with action \`${action}\``;
    const facts = [
      { name: 'event', value: raw.event },
      { name: 'action', value: action ?? 'none' },
    ];
    return { verdict: 'ignore', reason: 'unsupported_event', message: `Nothing is done on ${what}.`, facts };
  }
  const installation = wholeNumber((payload as Shallow).installation?.id);
  if (settings.installationId !== null && installation !== null && installation !== settings.installationId) {
    const message = `It is of installation ${installation}, and GITHUB_APP_INSTALLATION_ID names ${settings.installationId}.`;
    return {
      verdict: 'ignore',
      reason: 'switched_off',
      message,
      facts: [{ name: 'event', value: raw.event }],
    };
  }
  try {
    const event = parseEvent({ name: raw.event, payload, deliveryId: raw.id, fallback: {} });
    return decidedByPayload(event, settings, self);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return {
      verdict: 'ignore',
      reason: error.reason,
      message: error.message,
      facts: [{ name: 'event', value: raw.event }],
    };
  }
}

function wholeNumber(value: unknown, most = Number.MAX_SAFE_INTEGER): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most ? value : null;
}
