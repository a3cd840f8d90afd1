import { expect, test } from 'vitest';
import { explain } from './fence-support.ts';

test.each([
  ['bwrap: setting up uid map: Permission denied', /AppArmor/, /apparmor_restrict_unprivileged_userns=0/],
  [
    'bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted',
    /AppArmor/,
    /AppArmor profile with `userns,`/,
  ],
  [
    'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)',
    /no further user namespaces/,
    /user\.max_user_namespaces/,
  ],
  [
    "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
    /\/proc is masked, as in a container/,
    /systempaths=unconfined/,
  ],
  [
    'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces.',
    /user namespaces are forbidden/,
    /seccomp=unconfined/,
  ],
  ['unshare: unshare failed: Operation not permitted', /user namespaces are forbidden/, /seccomp=unconfined/],
  ['bwrap: Unknown option --disable-userns', /older than 0\.8/, /0\.8 or later/],
  ['spawn setpriv ENOENT', /not installed/, /util-linux/],
  ['bwrap: something new', /bubblewrap does not work here \(bwrap: something new\)/, /sandbox: off/],
])('%s is said in words', (said, why, remedy) => {
  const support = explain(said);
  expect(support).toMatchObject({
    usable: false,
    why: expect.stringMatching(why),
    remedy: expect.stringMatching(remedy),
  });
  // Whoever knows better should see what was said.
  expect(JSON.stringify(support)).toContain(said.slice(0, 30));
});
