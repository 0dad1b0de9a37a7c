/**
 * Sessions in use, remembered here for a moment: what makes a request with a cookie cost no more than one with a token. The
 * store is the truth; a copy is looked at again after seconds, and loses to whatever ended its session meanwhile.
 */
import type { Principal } from '../../model/principal.ts';
import type { Session } from '../../model/session.ts';
import { principalOf } from '../claims.ts';

export interface SessionTimes {
  /** Unused for so long, a session ends. */
  readonly idleMillis: number;
  /** So long a copy is believed. */
  readonly nearMillis: number;
  /** So often, at most, is a use written down. */
  readonly touchMillis: number;
}

export interface NearOptions {
  readonly times: SessionTimes;
  readonly maxEntries: number;
  /** Writes a use down; it is tried again with a later one. */
  readonly touch: (digest: string, usedAtMillis: number) => Promise<void>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** What is remembered of one session. */
export interface Near {
  /** The provider's tokens are read from the store when they are needed, and stay out of here. */
  readonly session: Session;
  readonly principal: Principal;
  /** When the store was asked last, in Unix time in milliseconds. */
  readonly readAtMillis: number;
}

export interface NearSessions {
  /** Returns the principal of a session that need not be looked at again yet. */
  recall(digest: string): Principal | undefined;
  /** Like `recall`, for a request: the session is in use. */
  recallForUse(digest: string): Principal | undefined;
  /** Notes a use, and returns the principal as it is then; undefined where nothing is remembered. */
  use(digest: string): Principal | undefined;
  find(digest: string): Near | undefined;
  /** Returns the moment at which a session ends if it is not used any more, by all that is known here. */
  idleEnd(digest: string, session: Session): number;
  /**
   * Remembers what was read just now, or what goes on without having been read, and returns its principal: the same object
   * as long as nothing changed. Without an answer of the provider it holds until `askAgainAtMillis`.
   */
  remember(digest: string, session: Session, found?: Found): Principal;
  forget(digest: string): void;
  /** Returns the digest under which a principal of this memory was found. */
  digestOf(principal: Principal): string | undefined;
  /** Writes down the uses that were not. */
  flush(): void;
  readonly size: number;
}

export interface Found {
  /** False: the store could not be asked. */
  readonly read?: boolean;
  /** When the provider, or the store, is asked again. */
  readonly askAgainAtMillis?: number;
}

interface Entry {
  session: Session;
  principal: Principal;
  readAtMillis: number;
  freshUntilMillis: number;
  askAgainAtMillis: number;
  usedAtMillis: number;
  /** The use from which the principal's idle time counts: the store knows of it, or is being told. */
  heldAtMillis: number;
  /** When a use is written down next. */
  touchAtMillis: number;
}

/** A use that could not be written down is tried again after this time. */
const RETRY_MILLIS = 1000;

/** Returns an empty memory. */
export const nearSessions = (options: NearOptions): NearSessions => {
  const { times, maxEntries, now } = options;
  const entries = new Map<string, Entry>();
  const { principalFor, digestOf } = principals(times);
  const { writeUse, used } = uses(options, principalFor);

  const fresh = (digest: string, nowMillis: number): Entry | undefined => {
    const entry = entries.get(digest);
    if (entry === undefined || nowMillis >= entry.freshUntilMillis) return undefined;
    return nowMillis < entry.principal.expiresAtMillis ? entry : undefined;
  };

  const makeRoom = (): void => {
    for (const [digest, entry] of entries) {
      if (entries.size < maxEntries) return;
      entries.delete(digest);
      if (isUnwritten(entry)) writeUse(digest, entry);
    }
  };

  return {
    recall: (digest) => fresh(digest, now())?.principal,
    recallForUse(digest) {
      const nowMillis = now();
      const entry = fresh(digest, nowMillis);
      return entry === undefined ? undefined : used(digest, entry, nowMillis);
    },
    use(digest) {
      const entry = entries.get(digest);
      return entry === undefined ? undefined : used(digest, entry, now());
    },
    find: (digest) => entries.get(digest),
    idleEnd: (digest, { usedAtMillis }) =>
      Math.max(usedAtMillis, entries.get(digest)?.usedAtMillis ?? usedAtMillis) + times.idleMillis,
    remember(digest, session, found = {}) {
      const nowMillis = now();
      const before = entries.get(digest);
      const fields = entryFields({ session, before, nowMillis, times }, found);
      const entry: Entry = { ...fields, principal: principalFor(digest, fields, before?.principal) };
      // Behind the others, so that what was not read for longest makes room first.
      entries.delete(digest);
      makeRoom();
      entries.set(digest, entry);
      if (nowMillis >= entry.principal.expiresAtMillis && isUnwritten(entry)) writeUse(digest, entry);
      return entry.principal;
    },
    forget: (digest) => void entries.delete(digest),
    digestOf,
    flush() {
      for (const [digest, entry] of entries) if (isUnwritten(entry)) writeUse(digest, entry);
    },
    get size() {
      return entries.size;
    },
  };
};

const isUnwritten = ({ usedAtMillis, heldAtMillis }: Entry): boolean => usedAtMillis > heldAtMillis;

type PrincipalFor = (digest: string, entry: Omit<Entry, 'principal'>, before: Principal | undefined) => Principal;

const principals = ({ idleMillis }: SessionTimes) => {
  const digests = new WeakMap<Principal, string>();

  /** The same object where it would say the same: whoever holds it for long shares it. */
  const principalFor: PrincipalFor = (digest, { session, heldAtMillis, askAgainAtMillis }, before) => {
    const { refreshAtMillis = Number.POSITIVE_INFINITY, endsAtMillis } = session;
    const askAt = Math.max(refreshAtMillis, askAgainAtMillis);
    const expiresAtMillis = Math.min(heldAtMillis + idleMillis, endsAtMillis, askAt);
    if (before?.expiresAtMillis === expiresAtMillis && saysTheSame(before, session)) return before;
    const principal = principalOf(session.issuer, session, {
      sessionId: session.id,
      issuedAtMillis: session.startedAtMillis,
      expiresAtMillis,
    });
    digests.set(principal, digest);
    return principal;
  };

  return { principalFor, digestOf: (principal: Principal) => digests.get(principal) };
};

const saysTheSame = ({ roles, tenant }: Principal, session: Session): boolean =>
  tenant === session.tenant &&
  roles.length === session.roles.length &&
  roles.every((role, index) => role === session.roles[index]);

const uses = ({ times: { touchMillis }, touch, now }: NearOptions, principalFor: PrincipalFor) => {
  const writeUse = (digest: string, entry: Entry): void => {
    entry.heldAtMillis = entry.usedAtMillis;
    entry.touchAtMillis = entry.usedAtMillis + touchMillis;
    entry.principal = principalFor(digest, entry, entry.principal);
    touch(digest, entry.usedAtMillis).catch(() => {
      entry.touchAtMillis = Math.min(entry.touchAtMillis, now() + RETRY_MILLIS);
    });
  };

  const used = (digest: string, entry: Entry, nowMillis: number): Principal => {
    entry.usedAtMillis = nowMillis;
    if (nowMillis >= entry.touchAtMillis) writeUse(digest, entry);
    return entry.principal;
  };

  return { writeUse, used };
};

interface Reading {
  readonly session: Session;
  readonly before: Entry | undefined;
  readonly nowMillis: number;
  readonly times: SessionTimes;
}

const entryFields = (
  { session, before, nowMillis, times }: Reading,
  { read = true, askAgainAtMillis = 0 }: Found,
): Omit<Entry, 'principal'> => {
  const { usedAtMillis } = session;
  const untilMillis = nowMillis + times.nearMillis;
  return {
    session: { ...session, sealedTokens: undefined },
    readAtMillis: read ? nowMillis : (before?.readAtMillis ?? nowMillis),
    freshUntilMillis: read ? untilMillis : Math.min(untilMillis, askAgainAtMillis),
    askAgainAtMillis,
    usedAtMillis: Math.max(usedAtMillis, before?.usedAtMillis ?? 0),
    heldAtMillis: Math.max(usedAtMillis, before?.heldAtMillis ?? 0),
    touchAtMillis: Math.max(usedAtMillis + times.touchMillis, before?.touchAtMillis ?? 0),
  };
};
