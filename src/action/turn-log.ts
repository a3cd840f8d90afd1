/** Shows in the job's log what Claude does while it works: names only, unless everything was asked for. */
import type { Log } from '../words/log.ts';
import type { Job } from './job.ts';

interface Message {
  type?: string;
  subtype?: string;
  model?: string;
  claude_code_version?: string;
  attempt?: number;
  max_retries?: number;
  error_status?: number | null;
  message?: { content?: unknown };
}

/** Tool inputs and results may hold anything, and logs of public repositories are public. */
export function turnLog(job: Job, log: Log): (message: unknown) => void {
  const started = Date.now();
  let shown = '';
  const full = job.config.showFullOutput || job.debug;
  return (message) => {
    if (full) log.info(JSON.stringify(message));
    const line = describe(message as Message);
    // Claude Code says anew at each turn who it is.
    if (line === shown) return;
    shown = line ?? shown;
    if (line) log.info(`${String(Math.round((Date.now() - started) / 100) / 10).padStart(6)} s  ${line}`);
  };
}

function describe(message: Message): string | null {
  if (message.type === 'system' && message.subtype === 'init') {
    return `Claude Code ${message.claude_code_version} works with ${message.model}`;
  }
  if (message.type === 'system' && message.subtype === 'api_retry') {
    const status = message.error_status ? `status ${message.error_status}` : 'a broken connection';
    return `the model answered with ${status}; attempt ${message.attempt} of ${message.max_retries}`;
  }
  if (message.type !== 'assistant' || !Array.isArray(message.message?.content)) return null;
  const tools = (message.message.content as { type?: string; name?: string }[]).filter(
    ({ type }) => type === 'tool_use',
  );
  return tools.length > 0 ? `uses ${tools.map(({ name }) => name).join(', ')}` : null;
}
