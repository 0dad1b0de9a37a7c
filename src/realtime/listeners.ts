/**
 * Those who listen as long as they may, whatever they listen to: each is ended with its caller's authority, when that runs
 * out or is taken away.
 */
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import type { Lifetime } from './lifetime.ts';

export interface Listeners {
  /** Calls `ended` once when the authority is over, and says how. Returns a function that takes the listener out; idempotent. */
  add(principal: Principal, ended: (reason: ReasonCode) => void): () => void;
  /** Ends those of these principals, as a revocation does, and returns their number. Whoever begins later is asked too. */
  end(matches: (principal: Principal) => boolean): number;
  readonly size: number;
}

/** Returns a register without listeners. */
export const listeners = (lifetime: Pick<Lifetime, 'watch'>): Listeners => {
  const open = new Map<(reason: ReasonCode) => void, Principal>();
  let isOver: (principal: Principal) => boolean = () => false;
  return {
    add(principal, ended) {
      const leave = (): void => {
        open.delete(end);
        unwatch();
      };
      const end = (reason: ReasonCode): void => {
        leave();
        ended(reason);
      };
      const unwatch = lifetime.watch(principal.expiresAtMillis, () => end('authority-expired'));
      open.set(end, principal);
      // Its token may have been revoked since it was let in: a server can be slow to begin.
      if (isOver(principal)) end('token-revoked');
      return leave;
    },
    end(matches) {
      isOver = matches;
      const found = [...open].filter(([, principal]) => matches(principal));
      for (const [end] of found) end('token-revoked');
      return found.length;
    },
    get size() {
      return open.size;
    },
  };
};
