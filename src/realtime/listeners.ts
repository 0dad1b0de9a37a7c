/**
 * Those who listen as long as they may, whatever they listen to: each is ended with its caller's authority, when that runs
 * out or is taken away.
 */
import { endOf } from '../model/authority.ts';
import type { Principal } from '../model/principal.ts';
import type { Authorised, Lifetime } from './lifetime.ts';

export interface Listeners {
  /**
   * Tells what becomes of the authority: that it goes on, or once that it is over, and how. Returns a function that takes
   * the listener out; idempotent.
   */
  add(principal: Principal, listener: Authorised): () => void;
  /** Ends those of these principals, as a revocation does, and returns their number. Whoever begins later is asked too. */
  end(matches: (principal: Principal) => boolean): number;
  readonly size: number;
}

interface Open {
  principal: Principal;
  /** Ends it for what was taken back. */
  readonly revoke: () => void;
}

/** Returns a register without listeners. */
export const listeners = (lifetime: Pick<Lifetime, 'watch'>): Listeners => {
  const open = new Set<Open>();
  let isOver: (principal: Principal) => boolean = () => false;
  return {
    add(principal, listener) {
      const leave = (): void => {
        open.delete(one);
        unwatch();
      };
      const one: Open = {
        principal,
        revoke() {
          leave();
          listener.ended(endOf(one.principal, 'revoked'));
        },
      };
      const unwatch = lifetime.watch(principal, {
        prolonged(later) {
          one.principal = later;
          listener.prolonged(later);
        },
        ended(reason) {
          leave();
          listener.ended(reason);
        },
      });
      open.add(one);
      // Its token may have been revoked since it was let in: a server can be slow to begin.
      if (isOver(principal)) one.revoke();
      return leave;
    },
    end(matches) {
      isOver = matches;
      const found = [...open].filter(({ principal }) => matches(principal));
      for (const { revoke } of found) revoke();
      return found.length;
    },
    get size() {
      return open.size;
    },
  };
};
