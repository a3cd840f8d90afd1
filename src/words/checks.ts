/** What a setting's text may be, and what it becomes: the checks that the table of settings is made of. */
// The small zod: this is read at the start of every run, also of those that are not for Claude.
import * as z from 'zod/mini';
import { Secret } from './secret.ts';

/** One setting. `preset` is the default as a person would write it; '' means unset. */
export interface Setting<T> {
  check: z.ZodMiniType<T, string>;
  preset: string;
  description: string;
}

export const setting = <T>(
  check: z.ZodMiniType<T, string>,
  preset: string,
  description: string,
): Setting<T> => ({
  check,
  preset,
  description,
});

export const text = z.string();
export const trimmed = z.string().check(z.trim());
/** At least one character that is not white space. */
export const required = z.string().check(z.trim(), z.minLength(1, 'must not be empty'));
export const optionalText = into((value) => value.trim() || null);
export const secret = into((value) => (value.trim() ? new Secret(value.trim()) : null));
export const commaList = into((value) => items(value, /[,\n]/));
export const lines = into((value) => items(value, /\n/));
/** Of a line that does not fit its number is told, as it may hold a login. @param what each line must be */
export const linesLike = (pattern: RegExp, what: string) =>
  z.pipe(
    lines,
    z.transform((given, context) => {
      for (const [index, line] of given.entries())
        if (line.length > 512 || !pattern.test(line))
          context.issues.push({ code: 'custom', input: line, message: `line ${index + 1} must be ${what}` });
      return given;
    }),
  );
export const userId = z.string().check(z.trim(), z.regex(/^\d+$/, 'must be a numeric user id'));
export const url = z.pipe(trimmed, z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }));
export const flag = z.pipe(
  z.pipe(z.string().check(z.trim(), z.toLowerCase()), z.enum(['true', 'false'], 'must be `true` or `false`')),
  z.transform((value) => value === 'true'),
);
export const choice = <const T extends readonly [string, ...string[]]>(...options: T) =>
  z.pipe(trimmed, z.enum(options, `must be one of ${options.map((option) => `\`${option}\``).join(', ')}`));
/** Some of these, at least one, whatever their case. */
export const choices = <const T extends readonly [string, ...string[]]>(...options: T) =>
  z.pipe(
    commaList,
    z.transform((given, context) =>
      given.map((item): T[number] => {
        const found = options.find((option) => option === item.toUpperCase());
        const among = options.map((option) => `\`${option}\``).join(', ');
        if (!found)
          context.issues.push({
            code: 'custom',
            input: item,
            message: `\`${item}\` must be one of ${among}`,
          });
        return found ?? options[0];
      }),
    ),
  );
export const positive = (what: string) =>
  z.pipe(trimmed.check(z.refine(isPositive, `must be ${what} above 0`)), z.transform(Number));
export const optionalPositive = (what: string) =>
  z.pipe(
    trimmed.check(
      z.refine((value) => value === '' || isPositive(value), `must be ${what} above 0, or empty for none`),
    ),
    z.transform((value) => (value === '' ? null : Number(value))),
  );
export const permissions = z.pipe(
  z.string(),
  z.transform((value, context) => {
    const wanted: Record<string, string> = {};
    for (const line of items(value, /\n/)) {
      const match = /^([a-z_]+)\s*:\s*(read|write|admin)$/.exec(line);
      if (match) wanted[match[1]!] = match[2]!;
      else
        context.issues.push({
          code: 'custom',
          input: line,
          message: `line \`${line}\` must be \`permission: read\` or \`permission: write\``,
        });
    }
    return wanted;
  }),
);

/** Text that is always valid, and what it becomes. */
function into<T>(change: (value: string) => T) {
  return z.pipe(z.string(), z.transform(change));
}

function isPositive(value: string): boolean {
  return Number(value) > 0 && Number.isFinite(Number(value));
}

function items(value: string, separator: RegExp): string[] {
  return value
    .split(separator)
    .map((item) => item.trim())
    .filter(Boolean);
}
