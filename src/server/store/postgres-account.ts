/** Who the embedded PostgreSQL runs as: it refuses to be root, so as root an account that exists is borrowed. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, parse, resolve } from 'node:path';
import { AppError } from '../../words/errors.ts';

export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** In this order; an account is never created. */
const candidates = ['postgres', 'nobody', 'daemon', 'www-data'];

/**
 * The account for PostgreSQL; null when we are not root and it simply runs as we do.
 * @param data the cluster: once it exists, its owner decides, also when a better account turns up later.
 */
export function postgresAccount(data: string): Account | null {
  const own = process.getuid?.() ?? -1;
  const accounts = readAccounts();
  const owner = existsSync(data) ? statSync(data) : null;
  if (own !== 0) {
    if (own > 0 && accounts.length && !accounts.some(({ uid }) => uid === own)) {
      throw unusable(`the user id ${own} has no entry in /etc/passwd, and PostgreSQL insists on one`);
    }
    if (owner && own > 0 && owner.uid !== own) {
      throw unusable(`${data} belongs to another user (id ${owner.uid})`);
    }
    return null;
  }
  if (owner && owner.uid !== 0) {
    const known = accounts.find(({ uid }) => uid === owner.uid);
    if (!known) throw unusable(`${data} belongs to user id ${owner.uid}, which has no entry in /etc/passwd`);
    return { ...known, gid: owner.gid };
  }
  const found = candidates.map((name) => accounts.find((account) => account.name === name)).find(Boolean);
  const account = found ?? accounts.find(({ uid }) => uid > 0);
  if (!account) throw unusable('PostgreSQL does not run as root, and this machine has no other account');
  return account;
}

/** True when `account` can get into `directory`, its parents included, by their plain permissions. */
export function canEnter(account: Account, directory: string): boolean {
  const path = resolve(directory);
  const { mode, uid, gid } = statSync(path);
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if (!(mode & bit)) return false;
  return path === parse(path).root || canEnter(account, dirname(path));
}

function readAccounts(): Account[] {
  let text = '';
  try {
    text = readFileSync('/etc/passwd', 'utf8');
  } catch {
    // Another system's directory of users; its own tools are asked by PostgreSQL.
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name!, uid: Number(uid), gid: Number(gid) }));
}

function unusable(why: string): AppError {
  return new AppError('invalid_input', `The embedded PostgreSQL cannot start: ${why}.`, {
    remedy: 'Run Forgehand as another user, or set DATABASE_URL to a PostgreSQL of yours.',
  });
}
