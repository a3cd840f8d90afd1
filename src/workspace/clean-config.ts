/** The repository configuration that Claude works with: what describes the repository, nothing that runs or authenticates. */
import { git, type Identity } from './git.ts';

/** One line of configuration: `remote.origin.url` and its value; null for a key without `=`. */
export interface ConfigEntry {
  key: string;
  value: string | null;
}

/** By section, what may stay. Names are lower-case as git prints them; the subsection is not looked at here. */
const kept: Record<string, string[]> = {
  core: [
    ...[
      'repositoryformatversion',
      'filemode',
      'bare',
      'logallrefupdates',
      'ignorecase',
      'precomposeunicode',
      'symlinks',
    ],
    ...[
      'autocrlf',
      'eol',
      'safecrlf',
      'longpaths',
      'protectntfs',
      'protecthfs',
      'sparsecheckout',
      'sparsecheckoutcone',
    ],
  ],
  extensions: ['objectformat', 'partialclone', 'worktreeconfig', 'noop', 'preciousobjects', 'refstorage'],
  remote: ['url', 'fetch', 'promisor', 'partialclonefilter', 'tagopt', 'prune'],
  branch: ['remote', 'merge', 'rebase', 'description'],
  submodule: ['active', 'url', 'branch', 'update'],
  index: ['sparse', 'version'],
};

/** Git LFS as it installs itself: needed for a sensible `git add`, and harmless in exactly these words. */
const lfs: Record<string, string> = {
  'filter.lfs.clean': 'git-lfs clean -- %f',
  'filter.lfs.smudge': 'git-lfs smudge -- %f',
  'filter.lfs.process': 'git-lfs filter-process',
  'filter.lfs.required': 'true',
};

/** Reads one configuration file without following its includes. @throws AppError `git_failed` when it is malformed. */
export async function readConfigFile(file: string): Promise<ConfigEntry[]> {
  const { stdout } = await git(['config', '--file', file, '--no-includes', '--list', '-z']);
  return stdout
    .split('\0')
    .filter(Boolean)
    .map((entry) => {
      const end = entry.indexOf('\n');
      return end < 0
        ? { key: entry, value: null }
        : { key: entry.slice(0, end), value: entry.slice(end + 1) };
    });
}

/** The text of a configuration that holds the harmless entries only: no credentials, includes, hooks, filters, helpers. */
export function cleanConfig(entries: ConfigEntry[]): string {
  return entries
    .filter(isKept)
    .map(({ key, value }) => {
      const { section, subsection, name } = parts(key);
      const head = subsection === null ? `[${section}]` : `[${section} ${quoted(subsection)}]`;
      return `${head}\n\t${name} = ${quoted(name === 'url' ? withoutUser(value ?? '') : (value ?? 'true'))}\n`;
    })
    .join('');
}

/** The section that says who commits. */
export function userSection({ name, email }: Identity): string {
  return `[user]\n\tname = ${quoted(name)}\n\temail = ${quoted(email)}\n`;
}

/** The files that `include.path` and `includeIf.*.path` name, as written. */
export function includedFiles(entries: ConfigEntry[]): string[] {
  return entries
    .filter(({ key }) => /^include(?:if\..*)?\.path$/is.test(key))
    .flatMap(({ value }) => value ?? []);
}

function isKept({ key, value }: ConfigEntry): boolean {
  const { section, subsection, name } = parts(key);
  if (/[\0\n\r]/.test(`${subsection ?? ''}${value ?? ''}`)) return false;
  // `!command` runs in `git submodule update`.
  if (section === 'submodule' && name === 'update' && value?.startsWith('!')) return false;
  return kept[section]?.includes(name) || lfs[key] === value;
}

/** `remote.origin.url` → remote, origin, url. A subsection may itself contain dots. */
function parts(key: string): { section: string; subsection: string | null; name: string } {
  const first = key.indexOf('.');
  const last = key.lastIndexOf('.');
  return {
    section: key.slice(0, first).toLowerCase(),
    subsection: first === last ? null : key.slice(first + 1, last),
    name: key.slice(last + 1).toLowerCase(),
  };
}

function withoutUser(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/i, '$1');
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
