/** The settings as one checked object, read from whatever a door has them in. */
import type * as z from 'zod/mini';
import { settings } from './settings.ts';

export type SettingName = keyof typeof settings;

export type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : S;

/** All settings, checked, under their camelCase names. */
export type Config = {
  [Name in SettingName as Camel<Name>]: z.output<(typeof settings)[Name]['check']>;
};

/** A value that does not fit, to be reported only once it is known that the event is for Claude. */
export interface ConfigProblem {
  name: SettingName;
  message: string;
}

/**
 * Checks raw values (missing or empty means the default). A value that does not fit is reported and replaced by its
 * default, so that an event which is not for Claude can end quietly whatever else is wrong.
 */
export function readConfig(raw: (name: SettingName) => string | undefined): {
  config: Config;
  problems: ConfigProblem[];
} {
  const config: Record<string, unknown> = {};
  const problems: ConfigProblem[] = [];
  for (const [key, { check, preset }] of Object.entries(settings)) {
    const name = key as SettingName;
    const given = check.safeParse(raw(name) || preset);
    if (!given.success) {
      problems.push({ name, message: given.error.issues.map((issue) => issue.message).join('; ') });
    }
    config[camelCase(name)] = given.success ? given.data : check.parse(preset);
  }
  return { config: config as Config, problems };
}

/** `trigger_phrase` → `triggerPhrase`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
