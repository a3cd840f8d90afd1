/** Takes secrets out of text that leaves: known values, and the shapes of well-known credentials. */

/** The shapes of credentials that must never be published, with the name that a refusal shows. */
export const secretShapes: { name: string; pattern: RegExp }[] = [
  { name: 'GitHub token', pattern: /\bgh[pousr]_[A-Za-z0-9]{36,251}\b/g },
  { name: 'GitHub fine-grained token', pattern: /\bgithub_pat_[A-Za-z0-9_]{22,255}\b/g },
  { name: 'Anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,}/g },
  { name: 'AWS access key id', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { name: 'Slack token', pattern: /\bxox[abpsr]-[A-Za-z0-9-]{10,}/g },
  {
    name: 'private key',
    pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----|$)/g,
  },
  {
    name: 'JSON Web Token',
    // From the beginning of a word, taken as a whole: tried at every `eyJ` of a long line, it would take hours.
    pattern:
      /(?<![\w-])(?=(?:[\w-]*-)?eyJ[\w-]{10})(?=([\w-]+))\1\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g,
  },
];

/** A value too short to be taken for a secret: replacing it would mangle ordinary text. */
const shortestSecret = 8;

/** Replaces secrets by `***`; otherwise byte-exact, so that suggestions arrive as they were written. */
export type Redact = (text: string) => string;

/** @param known secret values of this run; read at each call, so that refreshed tokens are covered. */
export function redactor(known: Iterable<string>): Redact {
  return (text) => {
    let clean = text;
    for (const value of [...known].sort((a, b) => b.length - a.length)) {
      if (value.length >= shortestSecret) clean = clean.replaceAll(value, '***');
    }
    for (const { pattern } of secretShapes) clean = clean.replace(pattern, '***');
    return clean;
  };
}
