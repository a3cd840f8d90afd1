/** `action.yml` from the settings, so that inputs, defaults and descriptions have one source. */
import { outputs } from '../src/action/outputs.ts';
import { settings } from '../src/words/settings.ts';

/** The whole text of `action.yml`; a contract test compares it with the file. */
export function actionYml(): string {
  const inputs = Object.entries(settings).map(([name, { preset, description }]) =>
    [
      `  ${name}:`,
      `    description: ${quoted(description)}`,
      '    required: false',
      ...(preset ? [`    default: ${quoted(preset)}`] : []),
    ].join('\n'),
  );
  const declared = Object.entries(outputs).map(
    ([name, description]) => `  ${name}:\n    description: ${quoted(description)}`,
  );
  return `# Written by \`npm run generate\` from src/words/settings.ts and src/action/outputs.ts.
name: Forgehand
description: Puts Claude Code to work on GitHub - mention it on an issue or pull request and it answers where it was asked.
author: Forgehand
branding:
  icon: tool
  color: orange
inputs:
${inputs.join('\n')}
outputs:
${declared.join('\n')}
runs:
  using: node24
  main: dist/main.mjs
  post: dist/post.mjs
  post-if: always()
`;
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
