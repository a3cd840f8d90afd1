/** `forgehand`, for programs: Claude Code with a prompt. */
export { AppError } from '../words/errors.ts';
export type { Conclusion, Reason, Usage } from '../words/result.ts';
export { type RunClaudeOptions, type RunClaudeResult, runClaude } from './run-claude.ts';
