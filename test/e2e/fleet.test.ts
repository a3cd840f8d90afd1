import { expect, test } from 'vitest';
import { diligent } from './chaos-claude.ts';
import { setFleet } from './fleet.ts';
import { allDone, checkEnd, follow, heldBy, openIssue, type Wished, watchSessions } from './fleet-story.ts';

test('two workers and a web: a worker dies with its sessions, and everything is done once, in order', async () => {
  await using fleet = await setFleet({
    repositories: 3,
    env: { MAX_SESSIONS: '3', MAX_SESSIONS_PER_REPOSITORY: '3' },
  });
  fleet.model.script(diligent({ lingerMs: 300 }));
  await fleet.host('web', 'web');
  const doomed = await fleet.host('doomed', 'worker');
  await fleet.host('other', 'worker');
  const life = watchSessions(fleet);
  const all: Wished[] = [];
  for (let index = 0; index < 12; index += 1)
    all.push(await openIssue(fleet, fleet.repositories[index % 3]!));
  // In the middle: its Claudes are at work, one with what is not pushed yet.
  const held = await fleet.until('the doomed worker works on three threads', async () => {
    const keys = await heldBy(fleet, doomed.dataDir);
    return keys.length === 3 && keys;
  });
  await fleet.until('Claude has done something there', async () => {
    const [row] = await fleet.database.query<{ count: number }>(
      `select count(*)::int as count from transcript where thread_key = any($1) and entry like '%tool_result%made task%'`,
      [held],
    );
    return row!.count > 0;
  });
  expect(await doomed.die()).toBeGreaterThan(0);
  for (const wished of all) for (const _ of [1, 2]) await follow(fleet, wished);
  await allDone(fleet, all, 150_000);
  life.stop();
  for (const wished of all) await checkEnd(fleet, wished);
  expect(life.worst()).toBe('');
  expect(fleet.github.violations).toEqual([]);
}, 240_000);
