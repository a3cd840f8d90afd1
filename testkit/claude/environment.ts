/** The smallest environment in which the real Claude Code binary works against a scripted Claude, and where that binary is. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * The whole environment of a Claude Code process (it replaces `process.env`, so that nothing of the machine leaks in).
 * @param model the scripted Claude, or any URL and key.
 * @param home directory that becomes HOME and holds Claude Code's configuration; made when missing.
 */
export function claudeEnvironment(
  model: { url: string; key: string },
  home: string,
  more: Record<string, string> = {},
): Record<string, string> {
  const configuration = join(home, '.claude');
  mkdirSync(configuration, { recursive: true });
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    CLAUDE_CONFIG_DIR: configuration,
    ...modelEnvironment(model),
    ...more,
  };
}

/**
 * Only the variables that lead Claude Code to the model and keep it from every other host: for a process that has a
 * PATH and a HOME already, such as a job of the mini runner.
 */
export function modelEnvironment(model: { url: string; key: string }): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: model.key,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    // Without it Claude Code refuses bypassPermissions to root, which containers and CI often run as.
    IS_SANDBOX: '1',
  };
}

/**
 * Absolute path of the Claude Code binary that the Agent SDK brings for this platform.
 * @throws when the optional platform package is not installed.
 */
export function claudeBinary(): string {
  const name = process.platform === 'win32' ? 'claude.exe' : 'claude';
  const platform = `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}`;
  const resolve = createRequire(import.meta.url).resolve;
  for (const candidate of [`${platform}/${name}`, `${platform}-musl/${name}`]) {
    try {
      return resolve(candidate);
    } catch {
      // The next candidate may be the installed one.
    }
  }
  throw new Error(`Claude Code is not installed for this platform: ${platform} is missing.`);
}
