/** Revocations in this process alone, for as long as it runs: for tests, and where nothing is to be kept. */
import type { RevocationStore } from '../../authn/revocation.ts';
import type { Revocation } from '../../model/revocation.ts';

/** Returns an empty store. Nobody else changes it, so its listeners hear nothing. */
export function memoryRevocations(now: () => number = Date.now): RevocationStore {
  const rows = new Map<string, Revocation>();
  const isOver = ({ untilMillis }: Revocation): boolean => untilMillis !== undefined && untilMillis <= now();

  return {
    all: async () =>
      [...rows.values()]
        .filter((row) => !isOver(row))
        .sort((a, b) => a.madeAtMillis - b.madeAtMillis || (a.id < b.id ? -1 : 1)),
    async add(revocation) {
      if (rows.has(revocation.id)) throw new TypeError(`there is a revocation ${revocation.id} already`);
      rows.set(revocation.id, revocation);
    },
    remove: async (id) => rows.delete(id),
    async purge() {
      for (const row of rows.values()) if (isOver(row)) rows.delete(row.id);
    },
    onChange: () => undefined,
  };
}
