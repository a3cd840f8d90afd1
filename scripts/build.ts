/** Bundles the doors into `dist/`: ESM that runs without node_modules, heavy parts in chunks that load when needed. */
import { rm } from 'node:fs/promises';
import { type BuildOptions, build, watch } from 'rolldown';

/** One build a door: shared chunks would cost the start of each of them a file more to find and read. */
const doors = ['main', 'post'].map(
  (name): BuildOptions => ({
    input: { [name]: `src/action/${name}.ts` },
    platform: 'node',
    output: {
      dir: 'dist',
      format: 'esm',
      entryFileNames: '[name].mjs',
      chunkFileNames: `${name}/[name].mjs`,
      minify: true,
      comments: { legal: true, annotation: false, jsdoc: false },
    },
    logLevel: 'warn',
  }),
);

if (process.argv.includes('--watch')) {
  watch(doors);
} else {
  await rm('dist', { recursive: true, force: true });
  await Promise.all(doors.map((door) => build(door)));
}
