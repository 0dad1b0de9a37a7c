/**
 * Returns work that is done once for all who ask for the same (by its key) while it is under way. What was done is not
 * remembered.
 */
export const together = <About, T>(
  work: (key: string, about: About) => Promise<T>,
): ((key: string, about: About) => Promise<T>) => {
  const underWay = new Map<string, Promise<T>>();
  return (key, about) => {
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const working = work(key, about).finally(() => underWay.delete(key));
    underWay.set(key, working);
    return working;
  };
};
