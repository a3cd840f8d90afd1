/** Bundles the doors into `dist/`: ESM that runs without node_modules, heavy parts in chunks that load when needed. */
import { rm } from 'node:fs/promises';
import { type BuildOptions, build, watch } from 'rolldown';

const options: BuildOptions = {
  input: { main: 'src/action/main.ts', post: 'src/action/post.ts' },
  platform: 'node',
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'chunks/[name].mjs',
    minify: true,
    comments: { legal: true, annotation: false, jsdoc: false },
  },
  logLevel: 'warn',
};

if (process.argv.includes('--watch')) {
  watch(options);
} else {
  await rm('dist', { recursive: true, force: true });
  await build(options);
}
