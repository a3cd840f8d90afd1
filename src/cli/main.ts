/** The `forgehand` command: one file per subcommand. */

const [command, ...args] = process.argv.slice(2);

if (command === 'demo') {
  const { demo } = await import('./demo.ts');
  process.exitCode = await demo(args);
} else {
  console.log(`Usage: forgehand demo [--keep]

  demo   a local GitHub, a mention, and the built action answering it, end to end
         --keep   leave the local GitHub running afterwards, to look at its pages

With ANTHROPIC_API_KEY set, the demo works with the real model instead of a scripted one.`);
  process.exitCode = command === undefined || command === 'help' || command === '--help' ? 0 : 2;
}
