import { expect, test } from 'vitest';
import { everyOther, points } from './chaos-points.ts';
import { victims } from './chaos-victims.ts';

const all = Object.values(points).flat();

test('there is a point for every step of a delivery’s life, each with a name of its own', () => {
  expect(all.length).toBeGreaterThanOrEqual(25);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

test('by default 25 of them at least are played', () => {
  expect(everyOther.length).toBeGreaterThanOrEqual(25);
});

test.each(victims)('by default %s dies at four points at least', (victim) => {
  expect(everyOther.filter((point) => point.victims[0] === victim).length).toBeGreaterThanOrEqual(4);
});
