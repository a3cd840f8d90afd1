/** Both `action.yml` from the settings, so that inputs, defaults and descriptions have one source. */
import { baseOutputs, outputs } from '../src/action/outputs.ts';
import type { Setting } from '../src/words/checks.ts';
import { baseInputs } from '../src/words/prompt-settings.ts';
import { settings } from '../src/words/settings.ts';

/** The whole text of `action.yml`; a contract test compares it with the file. */
export function actionYml(): string {
  return text({
    sources: 'src/words/settings.ts and src/action/outputs.ts',
    name: 'Forgehand',
    description:
      'Puts Claude Code to work on GitHub - mention it on an issue or pull request and it answers where it was asked.',
    inputs: settings,
    outputs,
    main: 'dist/main.mjs',
    post: 'dist/post.mjs',
  });
}

/** The same for `base-action/action.yml`. */
export function baseActionYml(): string {
  return text({
    sources: 'src/words/prompt-settings.ts and src/action/outputs.ts',
    name: 'Forgehand base action',
    description: 'Runs Claude Code with a prompt.',
    inputs: baseInputs,
    outputs: Object.fromEntries(baseOutputs.map((name) => [name, outputs[name]])),
    main: '../dist/base.mjs',
    post: '../dist/base-post.mjs',
  });
}

interface ActionText {
  sources: string;
  name: string;
  description: string;
  inputs: Record<string, Setting<unknown>>;
  outputs: Record<string, string>;
  main: string;
  post: string;
}

function text(action: ActionText): string {
  const inputs = Object.entries(action.inputs).map(([name, { preset, description }]) =>
    [
      `  ${name}:`,
      `    description: ${quoted(description)}`,
      '    required: false',
      ...(preset ? [`    default: ${quoted(preset)}`] : []),
    ].join('\n'),
  );
  const declared = Object.entries(action.outputs).map(
    ([name, description]) => `  ${name}:\n    description: ${quoted(description)}`,
  );
  return `# Written by \`npm run generate\` from ${action.sources}.
name: ${action.name}
description: ${action.description}
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
  main: ${action.main}
  post: ${action.post}
  post-if: always()
`;
}

/** JSON strings are YAML strings. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
