/** What a session that is not in use here opens: it is read, judged and, when its time has come, asked about. */
import type { Principal } from '../../model/principal.ts';
import { Rejection } from '../../model/rejection.ts';
import type { Session } from '../../model/session.ts';
import { retryAfter } from '../challenge.ts';
import type { SessionAsk, Verdict } from './ask.ts';
import type { Found, NearSessions } from './near.ts';
import type { SessionStore } from './store.ts';

export interface SessionOpenOptions {
  readonly store: Pick<SessionStore, 'read'>;
  readonly near: NearSessions;
  readonly asking: Pick<SessionAsk, 'ask'>;
  /** Of an alias: whether such a session is still accepted, and how long it goes on unasked; undefined: there is no login. */
  readonly terms: (issuer: string) => SessionTerms | undefined;
  /** Ends one that may not go on. Never rejects. */
  readonly end: (digest: string, session: Session, why: string) => Promise<void>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly notice: (notice: SessionNotice) => void;
}

export interface SessionTerms {
  accepts(session: Session): boolean;
  readonly graceMillis: number;
}

/** For the log; of each pair the one is said after the other. */
export interface SessionNotice {
  readonly kind:
    | 'sessions-unreadable'
    | 'sessions-readable'
    | 'provider-away'
    | 'provider-back'
    | 'session-ended'
    | 'session-not-removed';
  readonly detail: string;
}

export interface SessionOpen {
  /** Resolves with whose session it is, undefined where there is none; one reading for all who ask at once. */
  open(digest: string): Promise<Principal | undefined>;
  /** What is being read of a session is not true any more: it has ended. */
  spoil(digest: string): void;
}

/** So long sessions that are known here go on without their store. */
const OUTAGE_MILLIS = 300_000;

/** A store that failed is asked again after this time. */
const RETRY_MILLIS = 1000;

interface Opening {
  readonly digest: string;
  /** True: the session has ended since, and what is read of it must not be remembered. */
  spoiled: boolean;
}

/** Returns what opens them. */
export const sessionOpen = (options: SessionOpenOptions): SessionOpen => {
  const { store, near, now } = options;
  const underWay = new Map<string, { readonly opening: Opening; readonly opened: Promise<Principal | undefined> }>();
  const told = teller(options.notice);
  const { isGood, goOn, judged, none, remember } = judge(options, told);

  const opened = async (opening: Opening): Promise<Principal | undefined> => {
    const { digest } = opening;
    let session: Session | undefined;
    let verdict: Verdict | undefined;
    try {
      session = await store.read(digest);
      told.store(true, 'they are read again');
      if (session === undefined || !isGood(digest, session)) return none(opening);
      const { refreshAtMillis } = session;
      if (refreshAtMillis !== undefined && now() >= refreshAtMillis)
        verdict = await options.asking.ask(digest, session);
    } catch (error) {
      return goOn(opening, error);
    }
    return verdict === undefined ? remember(opening, session) : await judged(opening, session, verdict);
  };

  return {
    async open(digest) {
      const known = underWay.get(digest);
      if (known !== undefined) return await known.opened;
      const opening: Opening = { digest, spoiled: false };
      const one = { opening, opened: opened(opening) };
      underWay.set(digest, one);
      try {
        return await one.opened;
      } finally {
        if (underWay.get(digest) === one) underWay.delete(digest);
      }
    },
    spoil(digest) {
      const known = underWay.get(digest);
      if (known !== undefined) known.opening.spoiled = true;
      // Whoever comes now is not told what those are who came before.
      underWay.delete(digest);
      near.forget(digest);
    },
  };
};

type Teller = ReturnType<typeof teller>;

/** Returns what says of a session that was read, or could not be, whether it opens anything. */
const judge = ({ near, terms, now, end }: SessionOpenOptions, told: Teller) => {
  const none = ({ digest }: Opening): undefined => {
    near.forget(digest);
  };

  const remember = (opening: Opening, session: Session, found?: Found): Principal | undefined =>
    opening.spoiled ? undefined : near.remember(opening.digest, session, found);

  const isGood = (digest: string, session: Session): boolean =>
    now() < session.endsAtMillis &&
    now() < near.idleEnd(digest, session) &&
    terms(session.issuer)?.accepts(session) === true;

  const graceEnd = ({ issuer, refreshAtMillis = Number.POSITIVE_INFINITY }: Session): number =>
    refreshAtMillis + (terms(issuer)?.graceMillis ?? 0);

  /** The store is away: who is known here goes on for a while. */
  const goOn = (opening: Opening, cause: unknown): Principal | undefined => {
    told.store(false, String(cause));
    const known = near.find(opening.digest);
    const endMillis = known === undefined ? 0 : Math.min(known.readAtMillis + OUTAGE_MILLIS, graceEnd(known.session));
    if (known !== undefined && now() < endMillis && isGood(opening.digest, known.session)) {
      const askAgainAtMillis = Math.min(now() + RETRY_MILLIS, endMillis);
      return remember(opening, known.session, { read: false, askAgainAtMillis });
    }
    const headers = retryAfter(RETRY_MILLIS);
    throw new Rejection('sessions-unavailable', `sessions: ${String(cause)}`, { cause, headers });
  };

  const judged = async (opening: Opening, session: Session, verdict: Verdict): Promise<Principal | undefined> => {
    if (verdict.is === 'gone') return none(opening);
    if (verdict.is === 'over') {
      await end(opening.digest, verdict.session, verdict.detail);
      return none(opening);
    }
    if (verdict.is === 'on') {
      told.provider(session.issuer, true, 'it can be asked again');
      return isGood(opening.digest, verdict.session) ? remember(opening, verdict.session) : none(opening);
    }
    told.provider(session.issuer, false, verdict.detail);
    const askAgainAtMillis = Math.min(verdict.askAgainAtMillis, graceEnd(session));
    if (now() < askAgainAtMillis) return remember(opening, session, { askAgainAtMillis });
    const headers = retryAfter(verdict.askAgainAtMillis - now());
    throw new Rejection('provider-unavailable', `the provider of ${session.issuer}: ${verdict.detail}`, { headers });
  };

  return { none, remember, isGood, goOn, judged };
};

/** Says what changed, once. */
const teller = (notice: (notice: SessionNotice) => void) => {
  const away = new Set<string>();
  let readable = true;
  return {
    store(isReadable: boolean, detail: string): void {
      if (isReadable === readable) return;
      readable = isReadable;
      notice({ kind: isReadable ? 'sessions-readable' : 'sessions-unreadable', detail });
    },
    provider(issuer: string, answers: boolean, detail: string): void {
      if (answers !== away.has(issuer)) return;
      if (answers) away.delete(issuer);
      else away.add(issuer);
      notice({ kind: answers ? 'provider-back' : 'provider-away', detail: `${issuer}: ${detail}` });
    },
  };
};
