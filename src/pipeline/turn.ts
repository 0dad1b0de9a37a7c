/**
 * TURNS: what comes in one turn of the event loop is judged together at its end. The same code then runs for one request
 * after the other while the processor has it at hand, and whoever is written to is woken once for several answers.
 */

/** Returns a gate. Each call returns a promise that resolves at the end of the event loop's turn, one for all who wait. */
export const turns = (): (() => Promise<void>) => {
  let end: Promise<void> | undefined;
  return () => {
    end ??= new Promise((resolve) => {
      setImmediate(() => {
        end = undefined;
        resolve();
      });
    });
    return end;
  };
};
