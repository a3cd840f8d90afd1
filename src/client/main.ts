/** `forgehand/client`, for backends: starts tasks, and verifies the progress that comes back. */
export { AppError } from '../words/errors.ts';
export {
  isTerminal,
  type ProgressEvent,
  type ProgressResult,
  type ProgressStatus,
} from '../words/progress.ts';
export { type DispatchOptions, dispatchTask } from './dispatch-task.ts';
export { progressSchema } from './progress-schema.ts';
export { RefusedError } from './refusal.ts';
export { type ProgressRequest, type ProgressTrust, verifyProgress } from './verify-progress.ts';
