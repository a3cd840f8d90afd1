import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive, ourselves } from './holder.ts';

test('we are alive, and nobody else of our number is', () => {
  const { pid, pidStarted } = ourselves('here');
  expect(isAlive({ pid, pidStarted })).toBe(true);
  expect(isAlive({ pid, pidStarted: '1' })).toBe(process.platform !== 'linux');
});

test('a process that had ended when it was named holds nothing, whoever gets its number', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  const gone = ourselves('here', 'mark', child.pid);
  expect(isAlive(gone)).toBe(false);
  expect(isAlive({ pid: process.pid, pidStarted: gone.pidStarted })).toBe(process.platform !== 'linux');
});

test.each([0, -1, Number.NaN])('%s is nobody', (pid) => {
  expect(isAlive({ pid, pidStarted: null })).toBe(false);
});
