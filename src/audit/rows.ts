/** Rows of a report by a key that anybody may choose: so many at most, and one for all that come later. */
export interface Rows<Row> {
  /** The row of a key: the one there is, a fresh one, or that of the others. */
  of(key: string, fresh: () => Row): Row;
  list(): readonly Row[];
  /** What did not get a row of its own; undefined when everything did. */
  others(): Row | undefined;
}

/** Returns no rows yet. `makeOthers` returns the row of the others, when it is needed. */
export const boundedRows = <Row>(max: number, makeOthers: () => Row): Rows<Row> => {
  const rows = new Map<string, Row>();
  let others: Row | undefined;
  return {
    of(key, fresh) {
      const known = rows.get(key);
      if (known !== undefined) return known;
      if (rows.size >= max) {
        others ??= makeOthers();
        return others;
      }
      const row = fresh();
      rows.set(key, row);
      return row;
    },
    list: () => [...rows.values()],
    others: () => others,
  };
};

/** Returns all rows in an order, that of the others last. */
export const ordered = <Row>(rows: Rows<Row>, order: (a: Row, b: Row) => number): Row[] => {
  const others = rows.others();
  const list = [...rows.list()].sort(order);
  return others === undefined ? list : [...list, others];
};

/** Most often first. */
export const byCount = (a: { readonly count: number }, b: { readonly count: number }): number => b.count - a.count;

export const OTHERS = '(others)';
