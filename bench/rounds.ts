/** Rounds: all contenders in each, and each time in another order, so that what disturbs the machine disturbs all alike. */

/** Returns the middle of the values, NaN when there are none. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
};

/** Returns the list, begun at another place. */
export const rotated = <T>(list: readonly T[], by: number): readonly T[] => {
  const cut = by % Math.max(1, list.length);
  return [...list.slice(cut), ...list.slice(0, cut)];
};
