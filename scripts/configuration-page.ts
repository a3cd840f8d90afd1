/** The page `docs/configuration.md`: every variable of the server, from both tables of settings. */
import { groups } from './variable-groups.ts';

/** A contract test compares it with the file. */
export function configurationPage(): string {
  const tables = groups().map(
    ({ title, intro, variables }) => `## ${title}

${intro ? `${intro}\n\n` : ''}| variable | default | meaning |
|---|---|---|
${variables
  .map(
    ({ name, isSecret, preset, fallback, description }) =>
      `| \`${name}\`${isSecret ? ' 🔑' : ''} | ${shown(preset) || cell(fallback)} | ${cell(description)} |`,
  )
  .join('\n')}`,
  );
  return `# Configuration of the server

Written by \`npm run generate\` from the settings in \`src/server/settings.ts\` and \`src/words/settings.ts\`.

\`forgehand serve\` reads the environment, and a file \`.env\` in the directory that it is started in (a variable that the
environment has wins over the file; an empty one counts as unset). 🔑 marks secrets: each can be given as \`NAME_FILE\`, the
path of a file that holds it; so can the provider's \`ANTHROPIC_AUTH_TOKEN\`, \`AWS_SECRET_ACCESS_KEY\` and their like. \`~\` at
the start of a path is the home directory. Wrong and missing variables stop the start, which names all of them at once.

With \`DATABASE_URL\`, several servers can share one database. Then \`GITHUB_WEBHOOK_SECRET\` must be set, the same for each; an
\`OPERATOR_TOKEN\` that is not set is made once and kept in the database, so that one link works with each. Each server on a
machine needs a \`DATA_DIR\` of its own.

${tables.join('\n\n')}
`;
}

function shown(preset: string): string {
  return preset ? `\`${cell(preset.replaceAll('\n', ', '))}\`` : '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
