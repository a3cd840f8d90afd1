/** The hook that makes pushes obey GitHub's rules: protected branches, workflow files, maintainers of forks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const script = `#!/bin/sh
# Rules of one push, from the environment that the server gives it.
zero=0000000000000000000000000000000000000000
while read old new ref; do
  branch=\${ref#refs/heads/}
  for protected in $KIT_PROTECTED; do
    if [ "$branch" = "$protected" ]; then
      echo "error: GH006: Protected branch update failed for $ref." >&2
      exit 1
    fi
  done
  if [ -n "$KIT_ONLY" ]; then
    allowed=
    for only in $KIT_ONLY; do [ "$branch" = "$only" ] && allowed=1; done
    [ -n "$allowed" ] || { echo "error: You may only push to: $KIT_ONLY" >&2; exit 1; }
  fi
  if [ -n "$KIT_NO_WORKFLOWS" ] && [ "$new" != "$zero" ]; then
    changed=$(git log --format= --name-only "$new" --not --all -- .github/workflows | head -n 1)
    if [ -n "$changed" ]; then
      echo "refusing to allow a GitHub App to create or update workflow \\\`$changed\\\` without \\\`workflows\\\` permission" >&2
      exit 1
    fi
  fi
done
exit 0
`;

/** Puts the hook into a bare repository. */
export function installHook(directory: string): void {
  writeFileSync(join(directory, 'hooks', 'pre-receive'), script, { mode: 0o755 });
}
