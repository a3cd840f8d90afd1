/** `.env.example` from both tables of settings, so that variables, defaults and descriptions have one source. */
import { groups } from './variable-groups.ts';

/** A contract test compares it with the file. */
export function envExample(): string {
  const parts = groups().map(({ title, intro, variables }) => {
    const lines = variables.map(({ name, isSecret, preset, fallback, description }) => {
      const otherwise = preset || !fallback ? '' : ` Default: ${fallback}.`;
      const file = isSecret ? ` Or ${name}_FILE.` : '';
      // A list of several lines is one quoted value in a `.env` file.
      const value = preset.includes('\n') || preset.includes('#') ? `"${preset}"` : preset;
      const text = `${description}${otherwise}${file}`.replaceAll('`', '');
      return `${comment(text)}\n${value
        .split('\n')
        .map((line, index) => (index ? `# ${line}` : `# ${name}=${line}`))
        .join('\n')}`;
    });
    return `${rule(title)}${intro ? `\n${comment(intro)}` : ''}\n\n${lines.join('\n\n')}`;
  });
  return `# Written by \`npm run generate\` from src/server/settings.ts and src/words/settings.ts.
# Copy it to .env and uncomment what you need. What is commented out shows the default.

# Needed: a credential for Claude and one for GitHub.
ANTHROPIC_API_KEY=
GITHUB_TOKEN=

${parts.join('\n\n\n')}
`;
}

function rule(title: string): string {
  return `# --- ${title} ${'-'.repeat(Math.max(3, 100 - title.length))}`;
}

/** Lines of at most 110 characters. */
function comment(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)!;
    if (last && last.length + word.length > 106) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines.map((line) => `# ${line}`).join('\n');
}
