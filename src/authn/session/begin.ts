/**
 * How a session begins: under a value that is new, not by a login that has been ended since, and never too many of one user.
 */
import { hash, randomBytes } from 'node:crypto';
import type { Person } from '../../model/person.ts';
import type { Principal } from '../../model/principal.ts';
import { Rejection } from '../../model/rejection.ts';
import type { Session, SessionTokens } from '../../model/session.ts';
import { principalOf } from '../claims.ts';
import type { Revocations } from '../revocation.ts';
import { type JsonMembers, member } from '../strict-json.ts';
import type { NearSessions } from './near.ts';
import type { KeptSession, SessionStore } from './store.ts';
import type { TokenSealer } from './tokens.ts';

/** What a login at a provider came to, verified. */
export interface ProvenLogin {
  /** The alias of the issuer. */
  readonly issuer: string;
  /** Verified claims of the user: those of the ID token, and of the userinfo endpoint where it is asked. */
  readonly claims: JsonMembers;
  readonly tokens: SessionTokens;
  readonly providerSessionId: string | undefined;
  /**
   * Unix time in milliseconds from which the provider has to be asked again; undefined: never. Without a refresh token it
   * cannot be asked, and the session ends then.
   */
  readonly refreshAtMillis: number | undefined;
}

export interface BegunSession {
  /** The value of its cookie, which is told once. */
  readonly value: string;
  readonly session: Session;
  readonly principal: Principal;
}

/** Ends a session; its revocation is kept until a moment, the session's own end unless another is given. */
export type EndKept = (kept: KeptSession, note: string, untilMillis?: number) => Promise<void>;

export interface BeginOptions {
  readonly store: Pick<SessionStore, 'insert' | 'find' | 'remove' | 'loggedOutAt'>;
  readonly near: Pick<NearSessions, 'remember'>;
  readonly tokens: TokenSealer;
  readonly personIn: (issuer: string, claims: JsonMembers) => Person;
  readonly lifetimeMillis: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly endKept: EndKept;
  readonly revocations: Pick<Revocations, 'revokes'>;
}

const VALUE_BYTES = 32;
const ID_BYTES = 12;

/** Returns the function that begins sessions. It rejects: token-claims, tenant-refused, login-failed, sessions-unavailable. */
export const beginner = (options: BeginOptions): ((login: ProvenLogin) => Promise<BegunSession>) => {
  const { store, near, revocations } = options;
  const endSurplus = surplusEnder(options);
  return async (login) => {
    // Never one that was brought: a value that somebody planted would be known to him (session fixation).
    const value = randomBytes(VALUE_BYTES).toString('base64url');
    const digest = digestOf(value);
    const session = newSession(login, options);
    // It would open nothing, and its browser would be sent to and fro between the page and the provider.
    if (revocations.revokes(principalOfNew(session)) !== undefined)
      throw new Rejection('login-failed', 'sessions of the user that begin now are revoked');
    await endSurplus(session);
    await available(async () => store.insert(digest, session));
    // After it can be found: a logout that comes now ends it, and one that came before has left its note.
    if (await available(() => isLoggedOut(store, session, login.claims))) {
      await available(() => store.remove(digest));
      throw new Rejection('login-failed', `${session.issuer} has logged the user out meanwhile`);
    }
    return { value, session, principal: near.remember(digest, session) };
  };
};

/** Returns under what a session is kept whose cookie has this value. */
export const digestOf = (value: string): string => hash('sha256', value, 'base64url');

/** Resolves as the work on a store does, or rejects: sessions-unavailable. */
export const available = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    throw new Rejection('sessions-unavailable', `sessions: ${String(cause)}`, { cause, headers: ['Retry-After', '1'] });
  }
};

const newSession = (login: ProvenLogin, { tokens, personIn, lifetimeMillis, now }: BeginOptions): Session => {
  const { issuer, providerSessionId, refreshAtMillis } = login;
  const person = personIn(issuer, login.claims);
  const [id, startedAtMillis] = [randomBytes(ID_BYTES).toString('hex'), now()];
  return {
    ...{ id, issuer, ...person, providerSessionId, startedAtMillis, refreshAtMillis },
    endsAtMillis: startedAtMillis + lifetimeMillis,
    usedAtMillis: startedAtMillis,
    sealedTokens: tokens.seal(id, login.tokens),
    version: 0,
  };
};

const principalOfNew = (session: Session): Principal => {
  const { id: sessionId, startedAtMillis: issuedAtMillis, endsAtMillis: expiresAtMillis } = session;
  return principalOf(session.issuer, session, { sessionId, issuedAtMillis, expiresAtMillis });
};

/** Both times are of the provider's clock. In one second, none of them can be said to be the later one. */
const isLoggedOut = async (
  { loggedOutAt }: Pick<SessionStore, 'loggedOutAt'>,
  { issuer, user, providerSessionId }: Session,
  claims: JsonMembers,
): Promise<boolean> => {
  const issued = member(claims, 'iat');
  const issuedAtMillis = typeof issued === 'number' ? issued * 1000 : Number.NEGATIVE_INFINITY;
  const told = await Promise.all([
    loggedOutAt({ issuer, user }),
    providerSessionId === undefined ? undefined : loggedOutAt({ issuer, providerSessionId }),
  ]);
  return told.some((toldAtMillis) => toldAtMillis !== undefined && issuedAtMillis <= toldAtMillis);
};

/** Of one user so many go on: what logs in again and again fills neither the store nor the list of revocations. */
const MAX_OF_USER = 100;

/** Longer than any replica goes on with what it remembers; the row is gone before. */
const SURPLUS_MILLIS = 600_000;

const surplusEnder = ({ store, endKept, now }: BeginOptions) => {
  return async ({ issuer, user }: Session): Promise<void> => {
    const kept = await available(() => store.find({ issuer, user }));
    if (kept.length < MAX_OF_USER) return;
    const latestFirst = kept.toSorted((one, other) => other.session.usedAtMillis - one.session.usedAtMillis);
    const untilMillis = (endsAtMillis: number): number => Math.min(endsAtMillis, now() + SURPLUS_MILLIS);
    await Promise.all(
      latestFirst
        .slice(MAX_OF_USER - 1)
        .map((one) => endKept(one, 'its user has too many', untilMillis(one.session.endsAtMillis))),
    );
  };
};
