/**
 * Revocations, told to the other replicas at once. Nothing of them is in Redis: a message says that there is something to
 * read. Where it is lost, the store is looked at as ever, within its own bound.
 */
import { randomUUID } from 'node:crypto';
import type { RevocationStore } from '../../authn/revocation.ts';
import type { RedisConnection } from './connect.ts';

export interface AnnouncedRevocationsOptions {
  readonly connection: RedisConnection;
  readonly store: RevocationStore;
}

/** Returns the store, and begins to listen to the other replicas. */
export function announcedRevocations({ connection, store }: AnnouncedRevocationsOptions): RevocationStore {
  const channel = `${connection.keyPrefix}revoked`;
  const self = randomUUID();
  const listeners: Array<() => void> = [];
  const read = (): void => {
    for (const listener of listeners) listener();
  };

  connection.subscribe(channel, {
    onMessage: (from) => (from === self ? undefined : read()),
    onLost: () => undefined,
    // What was said meanwhile was not heard.
    onHeard: read,
  });

  /** Not waited for: what was written holds here, and elsewhere within the store's bound. */
  const announce = (): void => void connection.call('PUBLISH', channel, self).catch(() => undefined);

  return {
    ...store,
    async add(revocation) {
      await store.add(revocation);
      announce();
    },
    async remove(id) {
      const removed = await store.remove(id);
      if (removed) announce();
      return removed;
    },
    onChange(listener) {
      listeners.push(listener);
      store.onChange(listener);
    },
  };
}
