/** Whether a session goes on, as its provider says, and what becomes of it by that. */
import type { Person } from '../../model/person.ts';
import type { Session } from '../../model/session.ts';
import type { JsonMembers } from '../strict-json.ts';
import type { SessionStore } from './store.ts';
import type { TokenSealer } from './tokens.ts';

/**
 * Asks the provider of an issuer (its alias) whether a session goes on, with the refresh token that it gave. Settles within
 * half a minute; rejects when the provider cannot be asked.
 */
export type Refresh = (issuer: string, refreshToken: string) => Promise<RefreshOutcome>;

export type RefreshOutcome = 'refused' | Refreshed;

export interface Refreshed {
  /** Verified claims of the user, where the provider gave any; undefined: they are as they were. */
  readonly claims: JsonMembers | undefined;
  /** Undefined: the one before goes on being good. */
  readonly refreshToken: string | undefined;
  /** Undefined: the one before. */
  readonly idToken: string | undefined;
  /** Unix time in milliseconds from which the provider has to be asked again; undefined: never. */
  readonly refreshAtMillis: number | undefined;
}

export interface SessionRefreshOptions {
  readonly store: Pick<SessionStore, 'read' | 'replace'>;
  readonly tokens: TokenSealer;
  readonly refresh: Refresh;
  /** Returns whom claims of an issuer name, or throws. */
  readonly personIn: (issuer: string, claims: JsonMembers) => Person;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** What asking came to. */
export type Answer =
  /** It goes on, as the session is now. */
  | { readonly is: 'on'; readonly session: Session }
  /** It is not there any more. */
  | { readonly is: 'gone' }
  /** It may not go on; `detail` holds nothing secret. */
  | { readonly is: 'over'; readonly session: Session; readonly detail: string }
  /** The provider cannot tell. */
  | { readonly is: 'unknown'; readonly detail: string };

export interface SessionRefresh {
  /**
   * Asks the provider about a session as it was read, and keeps what it gives. For who holds the lease. Rejects with the
   * store's error.
   */
  refreshed(digest: string, session: Session): Promise<Answer>;
  /** What is known here of a session is not true any more. */
  forget(digest: string): void;
}

/** What the provider gave and the store did not take is remembered of so many sessions. */
const MAX_UNKEPT = 10_000;

/** Sooner is not asked again, whatever the provider says. */
const MIN_TERM_MILLIS = 1000;

/** Returns what asks, and remembers what could not be kept. */
export const sessionRefresh = (options: SessionRefreshOptions): SessionRefresh => {
  const { store } = options;
  const unkept = new Map<string, Session>();

  const keep = async (digest: string, session: Session): Promise<Answer> => {
    unkept.delete(digest);
    let replaced: boolean;
    try {
      replaced = await store.replace(digest, session);
    } catch (error) {
      // The refresh token before is used up: what came instead is kept here until the store takes it.
      if (unkept.size < MAX_UNKEPT) unkept.set(digest, session);
      throw error;
    }
    if (replaced) return { is: 'on', session };
    // Ended meanwhile; or written after all, before the reply was lost.
    return standing(await store.read(digest));
  };

  return {
    async refreshed(digest, session) {
      const given = unkept.get(digest);
      if (given !== undefined) return await keep(digest, given);
      const refreshToken = options.tokens.open(session)?.refreshToken;
      if (refreshToken === undefined)
        return { is: 'over', session, detail: 'there is no refresh token that can be read' };
      let outcome: RefreshOutcome;
      try {
        outcome = await options.refresh(session.issuer, refreshToken);
      } catch (error) {
        return { is: 'unknown', detail: String(error) };
      }
      if (outcome === 'refused') return { is: 'over', session, detail: 'the provider refused to go on' };
      const next = following(session, outcome, options);
      return typeof next === 'string' ? { is: 'over', session, detail: next } : await keep(digest, next);
    },
    forget: (digest) => void unkept.delete(digest),
  };
};

const standing = (session: Session | undefined): Answer =>
  session === undefined ? { is: 'gone' } : { is: 'on', session };

/** Returns the session as it goes on, or why it may not. */
const following = (session: Session, given: Refreshed, options: SessionRefreshOptions): Session | string => {
  const { tokens, personIn, now } = options;
  const { id, issuer, user } = session;
  let person: Person = session;
  try {
    if (given.claims !== undefined) person = personIn(issuer, given.claims);
  } catch (error) {
    return `what the provider says of the user is not accepted: ${String(error)}`;
  }
  if (person.user !== user) return 'the provider names another user';
  const before = tokens.open(session);
  const { refreshAtMillis } = given;
  return {
    ...session,
    roles: person.roles,
    tenant: person.tenant,
    refreshAtMillis: refreshAtMillis === undefined ? undefined : Math.max(refreshAtMillis, now() + MIN_TERM_MILLIS),
    sealedTokens: tokens.seal(id, {
      refreshToken: given.refreshToken ?? before?.refreshToken,
      idToken: given.idToken ?? before?.idToken,
    }),
    version: session.version + 1,
  };
};
