/** Signing keys in this process alone, for as long as it runs: for tests, and where nothing is to be kept. */
import type { SigningKeyStore, StoredSigningKey } from '../../authn/assertion/store.ts';

/** Returns an empty store. Nobody else changes it, so its listeners hear nothing. */
export function memorySigningKeys(): SigningKeyStore {
  const keys = new Map<string, StoredSigningKey>();
  const inOrder = (): StoredSigningKey[] =>
    [...keys.values()].sort((a, b) => a.signsFromMillis - b.signsFromMillis || (a.id < b.id ? -1 : 1));

  return {
    all: async () => inOrder(),
    async change(decide) {
      const { make, retire, remove } = decide(inOrder());
      if (make.some(({ id }) => keys.has(id))) throw new TypeError('there is a signing key of this id already');
      for (const id of remove) keys.delete(id);
      for (const { id, atMillis } of retire) {
        const key = keys.get(id);
        if (key !== undefined) keys.set(id, { ...key, retiredAtMillis: atMillis });
      }
      for (const key of make) keys.set(key.id, key);
      return inOrder();
    },
    onChange: () => undefined,
  };
}
