import { expect, test } from 'vitest';
import { parseClaudeArguments } from '../claude/arguments.ts';
import { AppError } from '../words/errors.ts';
import { createLog } from '../words/log.ts';
import type { Door } from './door.ts';
import { openRunFence } from './fence.ts';

const nowhere = { usable: false, why: 'bubblewrap is not installed', remedy: 'Install it.' } as const;

/** What is said, and how it ends, on a machine without a fence. */
async function without(config: Partial<Door['config']>) {
  const notes: string[] = [];
  const door = {
    config: { sandbox: 'auto', allowBash: false, egressAllowed: [], ...config },
    log: createLog(() => undefined),
    note: (message: string) => notes.push(message),
  } as unknown as Door;
  const request = {
    workspace: '/work',
    executable: '/claude',
    readOnly: [],
    environment: {},
    github: null,
    givenServers: {},
  };
  const opened = await openRunFence({
    ...{ door, support: nowhere, arguments: parseClaudeArguments('') },
    ...request,
  }).catch((error: AppError) => error);
  return { notes, opened };
}

const refusal = (what: string) => ({
  reason: 'sandbox_unavailable',
  message: `${what} needs the fence: bubblewrap is not installed.`,
  remedy: 'Install it.',
});

test.each([
  ['sandbox: auto', {}, null, ['Claude works without the fence: bubblewrap is not installed. Install it.']],
  ['sandbox: off', { sandbox: 'off' }, null, []],
  ['sandbox: required', { sandbox: 'required' }, refusal('`sandbox: required`'), []],
  ['allow_bash', { allowBash: true }, refusal('`allow_bash`'), []],
] as const)('where there is no fence, %s', async (_, config, expected, said) => {
  const { opened, notes } = await without(config);
  if (expected) expect(opened).toBeInstanceOf(AppError);
  if (expected) expect(opened).toMatchObject(expected);
  else expect(opened).toBeNull();
  expect(notes).toEqual(said);
});

test.each([
  'example.com',
  'https://example.com:443',
  'example.com:443/path',
  '*.example.com:443',
  '[::1]:80',
])('`egress_allowed: %s` is refused, as it would never be met', async (place) => {
  const { opened } = await without({ egressAllowed: [place] });
  expect(opened).toMatchObject({ reason: 'invalid_input', message: expect.stringContaining(place) });
});
