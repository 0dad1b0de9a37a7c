/** What the demonstration's provider keeps while it runs: logins, grants, codes and tokens. Its end forgets them. */

/** What the provider has to be given for each of its models. */
export interface Shelf {
  upsert(id: string, payload: Payload, expiresIn?: number): Promise<void>;
  find(id: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  findByUserCode(userCode: string): Promise<Payload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

export interface Payload {
  readonly uid?: string;
  readonly userCode?: string;
  readonly grantId?: string;
  /** Seconds; set once a code or a rotated refresh token has been used. */
  consumed?: unknown;
  readonly [field: string]: unknown;
}

interface Kept {
  readonly payload: Payload;
  /** Unix time in milliseconds. */
  readonly endsAtMillis: number;
}

/** Beyond it the oldest go: nobody fills the memory by beginning logins. */
const MOST = 10_000;

/** Returns the maker of shelves; `clients` says what is known of a client, by its id. */
export function memoryShelves(clients: (id: string) => Payload | undefined): (model: string) => Shelf {
  const kept = new Map<string, Kept>();

  const look = (key: string): Payload | undefined => {
    const found = kept.get(key);
    if (found === undefined || found.endsAtMillis > Date.now()) return found?.payload;
    kept.delete(key);
    return undefined;
  };
  const only = async (model: string, holds: (payload: Payload) => boolean): Promise<Payload | undefined> => {
    const found = [...kept].find(([key, { payload }]) => key.startsWith(`${model}:`) && holds(payload));
    return found === undefined ? undefined : look(found[0]);
  };
  const keep = (key: string, one: Kept): void => {
    kept.delete(key);
    kept.set(key, one);
    if (kept.size <= MOST) return;
    for (const [oldest] of kept) {
      kept.delete(oldest);
      if (kept.size <= MOST) return;
    }
  };

  return (model) => ({
    async upsert(id, payload, expiresIn) {
      const endsAtMillis = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000;
      keep(`${model}:${id}`, { payload, endsAtMillis });
    },
    find: async (id) => (model === 'Client' ? clients(id) : look(`${model}:${id}`)),
    findByUid: (uid) => only(model, (payload) => payload.uid === uid),
    findByUserCode: (userCode) => only(model, (payload) => payload.userCode === userCode),
    async consume(id) {
      const payload = look(`${model}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      kept.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of kept) {
        if (payload.grantId === grantId && key.startsWith(`${model}:`)) kept.delete(key);
      }
    },
  });
}
