/** Latencies, counted in steps of 10 microseconds up to a second. */

const STEPS_PER_MILLI = 100;
const MAX_MILLIS = 1000;

export interface Histogram {
  add(millis: number): void;
  count(): number;
  /** The least latency in milliseconds below which the share of all is; 0 when there are none. */
  percentile(share: number): number;
}

export const createHistogram = (): Histogram => {
  const steps = new Uint32Array(MAX_MILLIS * STEPS_PER_MILLI + 1);
  let count = 0;
  return {
    add(millis) {
      const step = Math.min(Math.floor(millis * STEPS_PER_MILLI), steps.length - 1);
      steps[step] = (steps[step] ?? 0) + 1;
      count += 1;
    },
    count: () => count,
    percentile(share) {
      let below = 0;
      for (const [step, here] of steps.entries()) {
        below += here;
        if (count > 0 && below >= count * share) return (step + 1) / STEPS_PER_MILLI;
      }
      return 0;
    },
  };
};
