/**
 * Asking a provider about a session: once, however many requests wait for it and on however many replicas. Refresh tokens
 * rotate, so that to ask twice with one of them is to lose the session (RFC 9700, section 4.14.2).
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Session } from '../../model/session.ts';
import { boundedMemory } from '../bounded-memory.ts';
import { together } from '../together.ts';
import type { Answer, SessionRefresh } from './refresh.ts';
import type { SessionStore } from './store.ts';

export interface SessionAskOptions {
  readonly store: Pick<SessionStore, 'read' | 'lease' | 'giveBack'>;
  readonly refresh: SessionRefresh;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** How long is waited for an answer, whoever asks. Default 10,000 milliseconds. */
  readonly waitMillis?: number | undefined;
}

export type Verdict = Exclude<Answer, { readonly is: 'unknown' }> | Unknown;

/** Nobody can tell; before the moment (Unix time in milliseconds) nobody is asked again here. */
interface Unknown {
  readonly is: 'unknown';
  readonly askAgainAtMillis: number;
  readonly detail: string;
}

export interface SessionAsk {
  /** Asks about a session as it was read, and resolves in time. Rejects with the store's error. */
  ask(digest: string, session: Session): Promise<Verdict>;
  /** Waits for nobody any more. */
  close(): void;
}

const WAIT_MILLIS = 10_000;

/** Longer than any answer takes. One that crashed while it asked holds the others up for so long. */
const LEASE_MILLIS = 60_000;

/** Between two looks at what another replica is told. */
const LOOK_MILLIS = 50;

/** Returns what asks, as one holder of leases. */
export const sessionAsk = ({ store, refresh, now, waitMillis = WAIT_MILLIS }: SessionAskOptions): SessionAsk => {
  const holder = randomUUID();
  /** Of these the provider has been asked, and has not answered. */
  const unanswered = new Set<string>();
  const { rest, resting } = rests(now);
  const closing = new AbortController();

  const askProvider = async (digest: string, session: Session): Promise<Verdict> => {
    const answer = await refresh.refreshed(digest, session);
    if (answer.is !== 'unknown') return answer;
    await store.giveBack(digest, holder);
    return rest(digest, answer.detail);
  };

  /** Where there is no answer in time, asking goes on for whoever comes next. */
  const askInTime = async (digest: string, session: Session, byMillis: number): Promise<Verdict> => {
    unanswered.add(digest);
    const verdict = askProvider(digest, session).finally(() => unanswered.delete(digest));
    const found = await inTime(verdict, byMillis - performance.now(), closing.signal);
    return found ?? rest(digest, 'there was no answer in time');
  };

  /** Resolves as soon as somebody knows. */
  const lookOrAsk = async (digest: string, before: Session): Promise<Verdict> => {
    if (unanswered.has(digest)) return rest(digest, 'there is no answer yet');
    const byMillis = performance.now() + waitMillis;
    for (;;) {
      const mine = await store.lease(digest, holder, now() + LEASE_MILLIS);
      // Read under the lease: it may have been given back by who was told just now.
      const session = await store.read(digest);
      if (session === undefined || session.version !== before.version) {
        refresh.forget(digest);
        if (mine) await store.giveBack(digest, holder);
        return session === undefined ? { is: 'gone' } : { is: 'on', session };
      }
      if (mine) return await askInTime(digest, session, byMillis);
      if (performance.now() >= byMillis || closing.signal.aborted)
        return rest(digest, 'another replica asks and has no answer yet');
      await pause(LOOK_MILLIS, undefined, { ref: false });
    }
  };

  const askTogether = together(lookOrAsk);
  return {
    async ask(digest, session) {
      const rested = resting(digest);
      if (rested !== undefined) return rested;
      return await askTogether(digest, session);
    },
    close: () => closing.abort(),
  };
};

/** So long a provider that could not be asked about a session is not asked about it again. */
const REST_MILLIS = 5000;

const MAX_RESTS = 10_000;

/** Returns a memory of what cannot be told at the moment. */
const rests = (now: () => number) => {
  const known = boundedMemory<Unknown>(MAX_RESTS, now);
  return {
    rest(digest: string, detail: string): Unknown {
      const fromMillis = now();
      const untilMillis = fromMillis + REST_MILLIS;
      const unknown: Unknown = { is: 'unknown', askAgainAtMillis: untilMillis, detail };
      known.remember(digest, unknown, { fromMillis, untilMillis });
      return unknown;
    },
    resting: known.recall,
  };
};

/** Settles as the verdict does, or resolves with undefined when the time is over. */
const inTime = async (
  verdict: Promise<Verdict>,
  millis: number,
  closing: AbortSignal,
): Promise<Verdict | undefined> => {
  const settled = new AbortController();
  const signal = AbortSignal.any([settled.signal, closing]);
  const late = pause(Math.max(0, millis), undefined, { signal, ref: false }).catch(() => undefined);
  try {
    return await Promise.race([verdict, late]);
  } finally {
    settled.abort();
  }
};
