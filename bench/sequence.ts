/** Whether the numbers of a stream came in order and each once. */

export interface Sequence {
  /** Takes the next number that came. */
  take(sequence: number): 'in-order' | 'doubled' | 'overtaken';
  /** Different numbers that came. */
  readonly taken: number;
  /** Returns how many of the numbers below `end` have not come. */
  missing(end: number): number;
}

/** Returns the check of a stream whose numbers begin with 0. */
export const createSequence = (): Sequence => {
  let next = 0;
  const late = new Set<number>();
  let taken = 0;
  return {
    take(sequence) {
      if (sequence < next) {
        if (!late.delete(sequence)) return 'doubled';
        taken += 1;
        return 'overtaken';
      }
      for (; next < sequence; next += 1) late.add(next);
      next += 1;
      taken += 1;
      return 'in-order';
    },
    get taken() {
      return taken;
    },
    missing: (end) => late.size + Math.max(0, end - next),
  };
};
