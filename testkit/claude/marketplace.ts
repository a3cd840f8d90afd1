/** A marketplace of plugins as files of a repository. */

/** Marketplace `octo-tools` with the plugin `greeter`, whose command `/greeter:greet` has its arguments at the end. */
export function octoMarketplace(directory: string): Record<string, string> {
  const files = {
    '.claude-plugin/marketplace.json': JSON.stringify({
      name: 'octo-tools',
      owner: { name: 'octo-org' },
      plugins: [{ name: 'greeter', source: './greeter', description: 'Greets.' }],
    }),
    'greeter/.claude-plugin/plugin.json': JSON.stringify({ name: 'greeter', version: '1.0.0' }),
    'greeter/commands/greet.md': '---\ndescription: Greets.\n---\nGREETING-OF-THE-PLUGIN for $ARGUMENTS\n',
  };
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]));
}
