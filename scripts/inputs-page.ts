/** The page `docs/inputs.md`: every input and output of the action, from the settings. */
import { outputs } from '../src/action/outputs.ts';
import { settings } from '../src/words/settings.ts';

/** A contract test compares it with the file. */
export function inputsPage(): string {
  const inputs = Object.entries(settings).map(
    ([name, { preset, description }]) => `| \`${name}\` | ${shown(preset)} | ${cell(description)} |`,
  );
  const declared = Object.entries(outputs).map(
    ([name, description]) => `| \`${name}\` | ${cell(description)} |`,
  );
  return `# Inputs and outputs

Written by \`npm run generate\` from the settings in \`src/words/settings.ts\`. Inputs that an input of
\`anthropics/claude-code-action@v1\` has the same name as have the same default and meaning; see [migrating](migrating.md).

## Inputs

| input | default | meaning |
|---|---|---|
${inputs.join('\n')}

## Outputs

| output | meaning |
|---|---|
${declared.join('\n')}
`;
}

function shown(preset: string): string {
  return preset ? `\`${cell(preset.replaceAll('\n', ', '))}\`` : '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
