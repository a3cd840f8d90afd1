/** Tells several reporters as one; what one of them throws is a warning, never the end of a task. */
import type { Reporter } from '../words/result.ts';

/** @param warn shows a warning where the person who set things up looks */
export function reportTo(reporters: Reporter[], warn: (message: string) => void): Reporter {
  const all = async (what: string, tell: (reporter: Reporter) => Promise<void>) => {
    await Promise.all(
      reporters.map((reporter) =>
        tell(reporter).catch((error: Error) => {
          warn(`The ${reporter.name} could not show that the task ${what}: ${error.message}`);
        }),
      ),
    );
  };
  return {
    name: 'reporters',
    started: () => all('started', (reporter) => reporter.started()),
    progress: (progress) => all('goes on', (reporter) => reporter.progress(progress)),
    finished: (result) => all('ended', (reporter) => reporter.finished(result)),
  };
}
