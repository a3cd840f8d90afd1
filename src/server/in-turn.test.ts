/** Calls that come while the work is under way are answered by one more run of it. */
import { expect, test } from 'vitest';
import { inTurn } from './in-turn.ts';

test('never two at a time, and what was called for meanwhile is done once', async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  let atOnce = 0;
  const call = inTurn(async () => {
    atOnce += 1;
    expect(atOnce).toBe(1);
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    atOnce -= 1;
  });
  call();
  call();
  call();
  gates[0]!.resolve();
  await Promise.resolve().then(() => {});
  await new Promise(setImmediate);
  expect(gates).toHaveLength(2);
  gates[1]!.resolve();
  await call.settled();
  expect(gates).toHaveLength(2);
  call();
  expect(gates).toHaveLength(3);
  gates[2]!.resolve();
  await call.settled();
});
