/** Work that many call for: one run at a time, and one more after it when somebody called meanwhile. */

export interface InTurn {
  (): void;
  /** Resolves when nothing runs any more. */
  settled(): Promise<void>;
}

/** @param work must not throw. */
export function inTurn(work: () => Promise<void>): InTurn {
  let running: Promise<void> | null = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await work();
    } while (again);
    running = null;
  };
  const call = () => {
    if (running) again = true;
    else running = run();
  };
  return Object.assign(call, { settled: async () => void (await running) });
}
