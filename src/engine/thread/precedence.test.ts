import { describe, expect, test } from 'vitest';
import type { FeedItem } from '../../github/thread-feed.ts';
import { hidden, type Marker } from '../../report/marker.ts';
import { Precedence, patienceMs, type Request, seeOthers } from './precedence.ts';

const claude = { workflow: 'Claude', job: 'claude', attempt: '1' };
const bot = 'github-actions[bot]';
const working = (run: string, more: Partial<Marker> = {}): Marker => ({
  ...claude,
  run,
  working: true,
  ...more,
});
const ended = (run: string, more: Partial<Marker> = {}): Marker => ({ ...claude, run, ...more });

/** A tracking comment; ids count up with the second. */
function comment(
  id: number,
  marker: Marker | string,
  more: { login?: string; kind?: FeedItem['kind'] } = {},
) {
  const { login = bot, kind = 'issue_comment' } = more;
  return {
    kind,
    raw: {
      ...{ id, node_id: `C${id}`, html_url: `#${id}`, user: { login, type: 'Bot' } },
      body: typeof marker === 'string' ? marker : `Text.\n\n${hidden(marker)}`,
      created_at: new Date(Date.UTC(2026, 2, 1) + id * 1000).toISOString(),
    },
  } satisfies FeedItem;
}
const own = comment(20, working('20'));
const ahead = (...others: FeedItem[]) =>
  seeOthers([...others, own], { kind: 'issue_comment', id: 20 })!.ahead.map(({ nodeId }) => nodeId);

describe('a run waits for', () => {
  test.each<[string, FeedItem[], string[]]>([
    ['the earlier one that is at work', [comment(10, working('10'))], ['C10']],
    [
      'all of them, the earliest first',
      [comment(12, working('12')), comment(10, working('10'))],
      ['C10', 'C12'],
    ],
    ['one of another workflow, too', [comment(10, working('10', { workflow: 'Review' }))], ['C10']],
    ['the same job with another value of its matrix', [comment(10, working('20'))], ['C10']],
    [
      'one that answers in a review thread',
      [comment(10, working('10'), { kind: 'review_comment' })],
      ['C10'],
    ],
    ['none that came later', [comment(30, working('30'))], []],
    ['none that has ended', [comment(10, ended('10'))], []],
    ['none whose mark somebody else has copied', [comment(10, working('10'), { login: 'mallory' })], []],
    ['no continuation of a comment', [comment(10, working('10', { part: 2 }))], []],
    ['no earlier attempt of its own, which is over', [comment(10, working('20', { attempt: '0' }))], []],
    ['nobody who only talks', [comment(10, 'We could wait.')], []],
  ])('%s', (_, others, waitsFor) => {
    expect(ahead(...others)).toEqual(waitsFor);
  });

  test('whom it sees once it is seen itself', () => {
    expect(seeOthers([comment(10, working('10'))], { kind: 'issue_comment', id: 20 })).toBeNull();
  });

  test('one of two that met in the same second, and never each for the other', () => {
    const reply = comment(7, working('7'), { kind: 'review_comment' });
    reply.raw.created_at = own.raw.created_at;
    const both = [reply, own];
    const first = seeOthers(both, { kind: 'review_comment', id: 7 })!;
    const second = seeOthers(both, { kind: 'issue_comment', id: 20 })!;
    expect([first.ahead.length, second.ahead.length]).toEqual([0, 1]);
  });
});

describe('while it waits', () => {
  const request: Request = { nodeId: 'ASKED', workflow: 'Claude', job: 'claude' };
  const waiting = (others: FeedItem[], asked = request) => {
    const precedence = new Precedence(
      seeOthers([...others, own], { kind: 'issue_comment', id: 20 })!,
      asked,
      0,
    );
    const hears = (said: Record<string, Marker | string>, now: number) => {
      const bodies = Object.entries(said).map(([id, marker]): [string, string] => [
        id,
        typeof marker === 'string' ? marker : hidden(marker),
      ]);
      precedence.learn(new Map(bodies), now);
      return precedence.step().do;
    };
    return { precedence, hears };
  };
  const one = [comment(10, working('10'))];

  test('it hands its request over to the one that has taken it, and to no other workflow', () => {
    const { precedence, hears } = waiting(one);
    expect(precedence.step()).toMatchObject({ do: 'wait', for: { nodeId: 'C10' } });
    expect(hears({ C10: working('10', { taken: ['OTHER'] }) }, 1)).toBe('wait');
    expect(hears({ C10: working('10', { taken: ['ASKED'] }) }, 2)).toBe('hand over');
    expect(
      waiting(one, { ...request, workflow: 'Docs' }).hears({ C10: working('10', { taken: ['ASKED'] }) }, 2),
    ).toBe('wait');
    expect(
      waiting(one, { ...request, nodeId: null }).hears({ C10: working('10', { taken: ['ASKED'] }) }, 2),
    ).toBe('wait');
  });

  test('it works when that one has ended without it, and knows what it pushed', () => {
    const { precedence, hears } = waiting(one);
    expect(hears({ C10: ended('10', { pushed: 'abc' }) }, 1)).toBe('work');
    expect(precedence.pushed).toEqual(['abc']);
  });

  test('what had been done before it came is not done again', () => {
    expect(waiting([comment(10, ended('10', { taken: ['ASKED'] }))]).precedence.step().do).toBe('hand over');
  });

  test("a comment that does not change is a dead one's, by the clock of the one who waits", () => {
    const { hears } = waiting(one);
    expect(hears({ C10: working('10') }, 1_000)).toBe('wait');
    expect(hears({ C10: working('10') }, patienceMs)).toBe('wait');
    expect(hears({ C10: `5m so far\n${hidden(working('10'))}` }, patienceMs + 500)).toBe('wait');
    expect(hears({ C10: `5m so far\n${hidden(working('10'))}` }, 2 * patienceMs)).toBe('wait');
    // A comment that was deleted says nothing more, either.
    expect(hears({}, 2 * patienceMs + 500)).toBe('work');
  });

  test('it waits for the next when the first has ended, which may take the request in turn', () => {
    const { precedence, hears } = waiting([...one, comment(12, working('12'))]);
    expect(hears({ C10: ended('10'), C12: working('12') }, 1)).toBe('wait');
    expect(precedence.watched).toEqual(['C12']);
    expect(hears({ C12: working('12', { taken: ['ASKED'] }) }, 2)).toBe('hand over');
  });
});
