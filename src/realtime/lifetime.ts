/**
 * Nothing that lives on outlives the authority by which it was let in: sockets, raw WebSockets and event streams are all
 * watched here. What is known of an authority may run out before the authority itself does, as that of a session that is
 * in use: so at that moment it is asked for once more.
 */
import { endOf } from '../model/authority.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import { type Deadlines, deadlines } from './deadlines.ts';

/** Told what becomes of an authority. */
export interface Authorised {
  /** It goes on: this is the principal from now on, of the same owner, with other roles perhaps. */
  prolonged(principal: Principal): void;
  /** It is over, and this is why. Called once, and nothing is told after it. */
  ended(reason: ReasonCode): void;
}

export interface Lifetime {
  /** Tells what becomes of a principal's authority, until it has ended. Returns a function that takes it back; idempotent. */
  watch(principal: Principal, authorised: Authorised): () => void;
  /** Resolves with the principal as it is by now; undefined where its authority is over, or nobody can say. Never rejects. */
  current(principal: Principal): Promise<Principal | undefined>;
  /** Ends or asks about what is due. The timer does this by itself. */
  tick(): void;
  /** The number that is watched. */
  readonly size: number;
  close(): void;
}

export interface LifetimeOptions {
  readonly now?: () => number;
  readonly slotMillis?: number;
  /**
   * Returns the principal as it is by now, or undefined when its authority is over; may throw or reject with a Rejection.
   * Unless it is given, every authority is over when it expires.
   */
  readonly prolong?: (principal: Principal) => Principal | undefined | Promise<Principal | undefined>;
  /** Between two questions that nobody could answer. */
  readonly retryMillis?: number;
  /** For how long an answer is waited for; then the authority is over. */
  readonly patienceMillis?: number;
  /**
   * Told, of each that was ended, by how many milliseconds that was too late; early is 0. `unanswered`: nobody could say
   * whether it was over.
   */
  readonly late?: (millis: number, because: 'expiry' | 'unanswered') => void;
}

/** One that is watched. */
interface Watched {
  principal: Principal;
  readonly authorised: Authorised;
  /** Takes back what is waited for next; undefined while it is being asked. */
  next: (() => void) | undefined;
  /** Takes back the end of patience; undefined while nobody is asked. */
  giveUp: (() => void) | undefined;
}

interface Parts extends Required<Pick<LifetimeOptions, 'now' | 'prolong' | 'retryMillis' | 'patienceMillis'>> {
  readonly late: LifetimeOptions['late'];
  readonly timer: Deadlines;
  /** Those that have not ended and were not taken back. */
  readonly open: Set<Watched>;
}

/** Returns what watches authorities. Nobody is asked before the first is due. */
export const lifetime = (options: LifetimeOptions = {}): Lifetime => {
  const { now = Date.now, prolong = () => undefined, retryMillis = 1_000, patienceMillis = 60_000, late } = options;
  const timer = deadlines(options);
  const open = new Set<Watched>();
  const parts: Parts = { now, prolong, retryMillis, patienceMillis, late, timer, open };
  return {
    watch(principal, authorised) {
      const one: Watched = { principal, authorised, next: undefined, giveUp: undefined };
      open.add(one);
      askWhenDue(parts, one);
      return () => leave(parts, one);
    },
    async current(principal) {
      if (principal.expiresAtMillis > now()) return principal;
      try {
        const found = await prolong(principal);
        return isLater(parts, found, principal) ? found : undefined;
      } catch {
        return undefined;
      }
    },
    tick: timer.tick,
    get size() {
      return open.size;
    },
    close() {
      open.clear();
      timer.close();
    },
  };
};

const askWhenDue = (parts: Parts, one: Watched): void => {
  one.next = parts.timer.at(one.principal.expiresAtMillis, () => ask(parts, one));
};

const ask = (parts: Parts, one: Watched): void => {
  one.next = undefined;
  let found: ReturnType<Parts['prolong']>;
  try {
    found = parts.prolong(one.principal);
  } catch (error) {
    failed(parts, one, error);
    return;
  }
  // At once where that is possible: an authority that cannot be prolonged ends in the slot in which it is due.
  if (!(found instanceof Promise)) {
    answered(parts, one, found);
    return;
  }
  waitFor(parts, one);
  void found.then(
    (principal) => answered(parts, one, principal),
    (error: unknown) => failed(parts, one, error),
  );
};

const answered = (parts: Parts, one: Watched, found: Principal | undefined): void => {
  if (!parts.open.has(one)) return;
  if (!isLater(parts, found, one.principal)) {
    end(parts, one, 'expiry');
    return;
  }
  one.giveUp?.();
  one.giveUp = undefined;
  one.principal = found;
  askWhenDue(parts, one);
  one.authorised.prolonged(found);
};

/** Only who cannot say at the moment is asked again; whatever else fails is no yes. */
const failed = (parts: Parts, one: Watched, error: unknown): void => {
  if (!parts.open.has(one)) return;
  if (!(error instanceof Rejection && error.status >= 500)) {
    end(parts, one, 'expiry');
    return;
  }
  waitFor(parts, one);
  one.next = parts.timer.at(parts.now() + parts.retryMillis, () => ask(parts, one));
};

const isLater = ({ now }: Parts, found: Principal | undefined, { owner }: Principal): found is Principal =>
  found !== undefined && found.owner === owner && found.expiresAtMillis > now();

const waitFor = (parts: Parts, one: Watched): void => {
  const { timer, now, patienceMillis } = parts;
  one.giveUp ??= timer.at(now() + patienceMillis, () => end(parts, one, 'unanswered'));
};

const end = (parts: Parts, one: Watched, because: 'expiry' | 'unanswered'): void => {
  leave(parts, one);
  const { principal, authorised } = one;
  authorised.ended(endOf(principal, 'expired'));
  // Asked of the clock each time: where thousands end at once, the last of them waits for the others.
  parts.late?.(Math.max(0, parts.now() - principal.expiresAtMillis), because);
};

const leave = ({ open }: Parts, one: Watched): void => {
  open.delete(one);
  one.next?.();
  one.giveUp?.();
};
