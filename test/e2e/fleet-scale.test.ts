/** Many issues on many servers, one of which dies in the middle, and all of which are replaced while comments keep coming. */
import { describe, expect, test } from 'vitest';
import { diligent } from './chaos-claude.ts';
import { setFleet } from './fleet.ts';
import { allDone, checkEnd, follow, heldBy, openIssue, type Wished, watchSessions } from './fleet-story.ts';

const issues = Number(process.env.FORGEHAND_TEST_ISSUES ?? 200);
const repositories = Math.ceil(issues / 10);
/** Each issue starts two or three processes of Claude Code one after the other. */
const patienceMs = 120_000 + issues * 20_000;

describe('npm run test:scale', () => {
  test(
    `${issues} issues, three workers, two webs: a worker dies, the others are replaced, nothing is lost`,
    async () => {
      const env = { MAX_SESSIONS: '4', MAX_SESSIONS_PER_REPOSITORY: '3' };
      await using fleet = await setFleet({ repositories, env });
      fleet.model.script(diligent());
      for (const name of ['web-1', 'web-2']) await fleet.host(name, 'web');
      const workers = [];
      for (const name of ['worker-1', 'worker-2', 'worker-3']) workers.push(await fleet.host(name, 'worker'));
      const [doomed, ...others] = workers;
      const life = watchSessions(fleet);
      const all: Wished[] = [];
      for (let index = 0; index < issues; index += 1)
        all.push(await openIssue(fleet, fleet.repositories[index % repositories]!));

      const done = async () => {
        const [row] = await fleet.database.query<{ count: number }>(
          `select count(*)::int as count from messages where state = 'done'`,
        );
        return row!.count;
      };
      await fleet.until('a fifth is done', async () => (await done()) >= issues / 5, patienceMs);
      await fleet.until(
        'the doomed worker works',
        async () => (await heldBy(fleet, doomed!.dataDir)).length > 1,
      );
      expect(await doomed!.die()).toBeGreaterThan(0);

      // A rolling restart, also of the machine that came back, while people go on writing.
      let restarts: Promise<void> | null = (async () => {
        for (const host of [...fleet.hosts.filter((one) => one !== doomed), doomed!]) {
          await host.end('SIGTERM');
          await host.start();
        }
      })().finally(() => {
        restarts = null;
      });
      for (let index = 0; restarts || index < issues / 2; index += 1) {
        await follow(fleet, all[(index * 7) % issues]!);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      await restarts;
      expect(others).toHaveLength(2);
      await allDone(fleet, all, patienceMs);
      life.stop();
      for (const wished of all) await checkEnd(fleet, wished);
      expect(life.worst()).toBe('');
      expect(fleet.github.violations).toEqual([]);
      const undecided = await fleet.database.query('select id from deliveries where verdict is null');
      expect(undecided).toEqual([]);
    },
    patienceMs * 3,
  );

  test('the threads of a dead host are taken up by another within 45 seconds', async () => {
    await using fleet = await setFleet({ repositories: 1, env: { MAX_SESSIONS: '4' } });
    fleet.model.script(diligent({ lingerMs: 5_000 }));
    await fleet.host('web', 'web');
    const doomed = await fleet.host('doomed', 'worker');
    const all = [
      await openIssue(fleet, fleet.repositories[0]!),
      await openIssue(fleet, fleet.repositories[0]!),
    ];
    await fleet.until('both are at work', async () => {
      const rows = await fleet.database.query(`select from threads where activity = 'working'`);
      return rows.length === 2;
    });
    const other = await fleet.host('other', 'worker');
    await doomed.die();
    const died = Date.now();
    await fleet.until(
      'both are with the other host',
      async () => (await heldBy(fleet, other.dataDir)).length === 2,
    );
    const seconds = (Date.now() - died) / 1000;
    console.log(`A dead host's threads were taken up after ${seconds.toFixed(1)} s.`);
    expect(seconds).toBeLessThan(45);
    await allDone(fleet, all, 120_000);
    for (const wished of all) await checkEnd(fleet, wished);
  }, 300_000);
});
