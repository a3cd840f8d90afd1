/** Whether the fence works on this machine, found out before anything is started. */
import { probeFence } from '../claude/fence-support.ts';
import { AppError } from '../words/errors.ts';
import type { Log } from '../words/log.ts';
import type { Configuration } from './configuration.ts';

/** What is said of the fence, in a few words. @throws AppError `sandbox_unavailable` when it is required and missing. */
export async function checkFence({ engine }: Configuration, log: Log): Promise<string> {
  if (engine.sandbox === 'off') {
    log.warning(
      'SANDBOX is off: Claude works without a fence, with the files of its workspace and without commands.',
    );
    return 'off';
  }
  const support = await probeFence();
  if (support.usable) return 'bubblewrap';
  const remedy = support.remedy.replaceAll('`sandbox: off`', '`SANDBOX=off`');
  if (engine.sandbox === 'required') {
    throw new AppError(
      'sandbox_unavailable',
      `There is no fence for Claude on this machine: ${support.why}.`,
      {
        remedy: `${remedy} Or set SANDBOX=auto, for a Claude that runs no commands.`,
      },
    );
  }
  log.warning(`Claude works without a fence: ${support.why}. ${remedy}`);
  return `none: ${support.why}`;
}
