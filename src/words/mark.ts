/** How the processes of a run are found again by the end of it, whatever became of the one that started them. */

/** The variable that every process of a run inherits; its value is unique to the run. */
export const runMark = 'FORGEHAND_RUN';

/** Value for what main starts for itself (git, npm): ended by `post` only, as main waits for these. */
export function hostMark(mark: string): string {
  return `${mark}-host`;
}
