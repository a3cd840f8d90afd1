/** The `forgehand` command: one file per subcommand. */
import { complain } from './complain.ts';

const usage = `Usage: forgehand <command>

  serve     takes GitHub's webhooks and works on them
            --role all|web|worker   only the door, or only the work; several servers share one DATABASE_URL
  stop      ends the server, its sessions and its PostgreSQL
  dispatch  starts a task in a repository's workflow and follows it; see \`forgehand dispatch --help\`
  version   prints Forgehand's version

Everything else is set by environment variables or in \`.env\`; see docs/configuration.md.`;

const [command, ...args] = process.argv.slice(2);
process.exit(await run());

async function run(): Promise<number> {
  switch (command) {
    case 'serve':
      return (await import('./serve.ts')).serveCommand(args);
    case 'stop':
      return (await import('./stop.ts')).stopCommand();
    case 'dispatch':
      return (await import('./dispatch.ts')).dispatchCommand(args);
    // Started by the server for each thread at work.
    case 'session':
      return (await import('../server/session/main.ts')).runSession(args).catch(complain);
    // Runs on the test kit, from a clone only.
    case 'demo':
      return (await import('./demo.ts')).demo(args);
    case 'version':
    case '--version':
      console.log((await import('./version.ts')).version());
      return 0;
    case undefined:
    case 'help':
    case '--help':
      console.log(usage);
      return 0;
    default:
      console.error(`forgehand: there is no command \`${command}\`.\n\n${usage}`);
      return 2;
  }
}
