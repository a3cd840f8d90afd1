/** What a setting's text may be, and what it becomes: the checks that the table of settings is made of. */
import { z } from 'zod';
import { Secret } from './secret.ts';

/** One setting. `preset` is the default as a person would write it; '' means unset. */
export interface Setting<T> {
  check: z.ZodType<T, string>;
  preset: string;
  description: string;
}

export const setting = <T>(check: z.ZodType<T, string>, preset: string, description: string): Setting<T> => ({
  check,
  preset,
  description,
});

export const text = z.string();
export const optionalText = z.string().transform((value) => value.trim() || null);
export const secret = z.string().transform((value) => (value.trim() ? new Secret(value.trim()) : null));
export const commaList = z.string().transform((value) => items(value, /[,\n]/));
export const lines = z.string().transform((value) => items(value, /\n/));
export const flag = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum(['true', 'false'], 'must be `true` or `false`'))
  .transform((value) => value === 'true');
export const choice = <const T extends readonly [string, ...string[]]>(...options: T) =>
  z
    .string()
    .trim()
    .pipe(z.enum(options, `must be one of ${options.map((option) => `\`${option}\``).join(', ')}`));
export const positive = (what: string) =>
  z
    .string()
    .trim()
    .refine((value) => Number(value) > 0 && Number.isFinite(Number(value)), `must be ${what} above 0`)
    .transform(Number);
export const optionalPositive = (what: string) =>
  z
    .string()
    .trim()
    .refine(
      (value) => value === '' || (Number(value) > 0 && Number.isFinite(Number(value))),
      `must be ${what} above 0, or empty for none`,
    )
    .transform((value) => (value === '' ? null : Number(value)));
export const permissions = z.string().transform((value, context) => {
  const wanted: Record<string, string> = {};
  for (const line of items(value, /\n/)) {
    const match = /^([a-z_]+)\s*:\s*(read|write|admin)$/.exec(line);
    if (match) wanted[match[1]!] = match[2]!;
    else context.addIssue(`line \`${line}\` must be \`permission: read\` or \`permission: write\``);
  }
  return wanted;
});

function items(value: string, separator: RegExp): string[] {
  return value
    .split(separator)
    .map((item) => item.trim())
    .filter(Boolean);
}
