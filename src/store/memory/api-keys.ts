/** API keys in this process alone, for as long as it runs: for tests, and where nothing is to be kept. */
import type { ApiKeyStore, KeptApiKey } from '../../authn/api-keys.ts';

/** Returns an empty store. Nobody else changes it, so its listeners hear nothing. */
export function memoryApiKeys(): ApiKeyStore {
  const rows = new Map<string, KeptApiKey>();
  return {
    all: async () => [...rows.values()].sort((a, b) => a.madeAtMillis - b.madeAtMillis || (a.id < b.id ? -1 : 1)),
    async add(key, most) {
      if (rows.has(key.id)) throw new TypeError(`there is an API key ${key.id} already`);
      if (rows.size >= most) return false;
      rows.set(key.id, key);
      return true;
    },
    remove: async (id) => rows.delete(id),
    async purge(beforeMillis) {
      for (const { id, expiresAtMillis } of rows.values()) if (expiresAtMillis < beforeMillis) rows.delete(id);
    },
    onChange: () => undefined,
  };
}
