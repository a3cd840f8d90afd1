/** What is installed, here and on a runner, is what was tested: exact versions, with integrity, of one origin. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const { dependencies, devDependencies, optionalDependencies = {} } = read('package.json');
const named: Record<string, string> = { ...dependencies, ...devDependencies, ...optionalDependencies };
const locked = Object.entries(read('package-lock.json').packages as Record<string, Locked>).filter(
  ([path]) => path !== '',
);

interface Locked {
  version: string;
  integrity?: string;
  inBundle?: boolean;
}

test('every dependency is named by an exact version, and that one is locked', () => {
  expect(Object.entries(named).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
    [],
  );
  const versions = Object.fromEntries(locked.map(([path, { version }]) => [path, version]));
  for (const [name, version] of Object.entries(named)) expect(versions[`node_modules/${name}`]).toBe(version);
});

test('everything that is installed is checked by its digest', () => {
  expect(locked.length).toBeGreaterThan(50);
  // What comes inside of another package is covered by that one's.
  const unchecked = locked.filter(
    ([, { integrity, inBundle }]) => !inBundle && !integrity?.startsWith('sha512-'),
  );
  expect(unchecked).toEqual([]);
});
