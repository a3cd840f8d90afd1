/** The page `docs/inputs.md`, and the tables of the base-action's README: every input and output, from the settings. */
import { baseOutputs, outputs } from '../src/action/outputs.ts';
import type { Setting } from '../src/words/checks.ts';
import { baseInputs } from '../src/words/prompt-settings.ts';
import { settings } from '../src/words/settings.ts';

/** A contract test compares it with the file. */
export function inputsPage(): string {
  return `# Inputs and outputs

Written by \`npm run generate\` from the settings in \`src/words/settings.ts\`. Inputs that an input of
\`anthropics/claude-code-action@v1\` has the same name as have the same default and meaning; see [migrating](migrating.md).
The [base-action](../base-action/README.md) has a table of its own.

${tables(settings, outputs)}
`;
}

/** The README with its tables as the settings say; the rest of it is written by hand. */
export function baseReadme(current: string): string {
  const declared = Object.fromEntries(baseOutputs.map((name) => [name, outputs[name]]));
  return current.replace(
    /(<!-- tables: `npm run generate` -->\n)[\s\S]*(<!-- end of tables -->)/,
    (_, start: string, end: string) => `${start}\n${tables(baseInputs, declared)}\n\n${end}`,
  );
}

function tables(inputs: Record<string, Setting<unknown>>, declared: Record<string, string>): string {
  const rows = Object.entries(inputs).map(
    ([name, { preset, description }]) => `| \`${name}\` | ${shown(preset)} | ${cell(description)} |`,
  );
  const outputRows = Object.entries(declared).map(
    ([name, description]) => `| \`${name}\` | ${cell(description)} |`,
  );
  return `## Inputs

| input | default | meaning |
|---|---|---|
${rows.join('\n')}

## Outputs

| output | meaning |
|---|---|
${outputRows.join('\n')}`;
}

function shown(preset: string): string {
  return preset ? `\`${cell(preset.replaceAll('\n', ', '))}\`` : '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
