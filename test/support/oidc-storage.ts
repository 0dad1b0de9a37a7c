/** Where a test's OpenID provider keeps its things: in this process, for as long as they are good. */
import type { Adapter } from 'oidc-provider';

interface Kept {
  readonly payload: Record<string, unknown>;
  readonly endsAtMillis: number;
}

export interface OidcStorage {
  /** Of one kind of things; one for each name. */
  adapter(name: string): Adapter;
  /** Returns what is kept of a kind. */
  all(name: string): ReadonlyArray<Readonly<Record<string, unknown>>>;
}

/** Returns an empty storage. */
export const oidcStorage = (): OidcStorage => {
  const kinds = new Map<string, Map<string, Kept>>();
  const kind = (name: string): Map<string, Kept> => {
    const known = kinds.get(name) ?? new Map<string, Kept>();
    kinds.set(name, known);
    return known;
  };
  const live = (kept: Kept | undefined) =>
    kept !== undefined && kept.endsAtMillis > Date.now() ? kept.payload : undefined;
  const where = (name: string, member: string, value: string) =>
    live([...kind(name).values()].find(({ payload }) => payload[member] === value));

  return {
    all: (name) => [...kind(name).values()].map(({ payload }) => payload),
    adapter: (name) => ({
      upsert: async (id, payload, expiresIn) => {
        const endsAtMillis = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000;
        kind(name).set(id, { payload: { ...payload }, endsAtMillis });
      },
      find: async (id) => live(kind(name).get(id)),
      findByUid: async (uid) => where(name, 'uid', uid),
      findByUserCode: async (userCode) => where(name, 'userCode', userCode),
      consume: async (id) => {
        const kept = kind(name).get(id);
        if (kept !== undefined) kept.payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void kind(name).delete(id),
      revokeByGrantId: async (grantId) => {
        for (const [id, { payload }] of kind(name)) if (payload.grantId === grantId) kind(name).delete(id);
      },
    }),
  };
};
