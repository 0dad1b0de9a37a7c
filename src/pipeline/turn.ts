/**
 * TURNS: what comes together is judged together. The same code then runs for one request after the other while the processor
 * has it at hand, and whoever is written to is woken once for several answers.
 */

/** So often several wait for more at most: under load somebody comes in nearly every turn. */
const MOST_TURNS = 8;
/**
 * With so many nobody waits for another turn: a request that waits has taken nothing of its user's share yet. One turn may
 * bring more.
 */
const ENOUGH = 128;

/**
 * Returns a gate. Each call returns a promise, one for all who wait. Who is alone goes on at the end of the event loop's turn;
 * several wait for others until a turn has brought none, or they are many.
 */
export const turns = (): (() => Promise<void>) => {
  let end: Promise<void> | undefined;
  let waiting = 0;

  const gather = (resolve: () => void): void => {
    let before = 1;
    let left = MOST_TURNS;
    const endOfTurn = (): void => {
      if (waiting > before && waiting < ENOUGH && left > 0) {
        before = waiting;
        left -= 1;
        setImmediate(endOfTurn);
        return;
      }
      end = undefined;
      waiting = 0;
      resolve();
    };
    setImmediate(endOfTurn);
  };

  return () => {
    waiting += 1;
    end ??= new Promise(gather);
    return end;
  };
};
