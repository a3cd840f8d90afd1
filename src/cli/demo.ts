/** `forgehand demo`: shows Forgehand at work on a local GitHub, as a server or as the Action. */
import { parseArgs } from 'node:util';

const usage = `Usage: forgehand demo [--action] [--keep]

  An issue on a local GitHub, answered by the built server with a draft pull request; then everything is ended.

  --action  the Action instead: a mention, answered by the built action
  --keep    leave everything running to look at, until Ctrl-C

With ANTHROPIC_API_KEY set, Claude is the real model instead of a scripted one.`;

/** Answers the exit code: 0 when what was asked is done. */
export async function demo(args: string[]): Promise<number> {
  const flags = flagsOf(args);
  if (!flags || flags.help) {
    console.log(usage);
    return flags ? 0 : 2;
  }
  if (flags.action) return (await import('./demo-action.ts')).demoAction(flags.keep);
  return (await import('./demo-server.ts')).demoServer(flags.keep);
}

function flagsOf(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args, options: { action: flag, keep: flag, help: flag } }).values;
  } catch (error) {
    console.error(`forgehand demo: ${(error as Error).message}`);
    return null;
  }
}
