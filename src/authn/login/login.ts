/** Logging in at an OpenID provider with a browser, and out again: here, there, or because the provider says so. */
import { LOGIN_PATHS, type Logins } from '../../model/login.ts';
import { Rejection } from '../../model/rejection.ts';
import { boundedMemory, type Span } from '../bounded-memory.ts';
import { type LogoutToken, readLogoutToken } from '../oidc/logout-token.ts';
import type { LoginIssuer } from '../oidc/provider.ts';
import type { Providers } from '../oidc/providers.ts';
import type { Sealer } from '../seal.ts';
import type { BegunSession, ProvenLogin } from '../session/begin.ts';
import type { Sessions } from '../session/sessions.ts';
import type { SessionsOf } from '../session/store.ts';
import { loginNotes, NOTE_MILLIS, randomText } from './note.ts';
import { returnPath } from './return.ts';

export interface LoginsOptions {
  readonly providers: Pick<Providers, 'list' | 'named'>;
  readonly sessions: Pick<Sessions, 'begin' | 'end' | 'endAll'>;
  readonly sealer: Sealer;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** So many logins that came back, and logout tokens, are remembered, of which none may come again. */
const MAX_REMEMBERED = 10_000;

/** Returns what begins, finishes and ends the sessions of those who log in. */
export const logins = ({ providers, sessions, sealer, now = Date.now }: LoginsOptions): Logins => {
  const notes = loginNotes(sealer, now);
  const finished = boundedMemory<true>(MAX_REMEMBERED, now);
  const loggedOut = boundedMemory<true>(MAX_REMEMBERED, now);

  return {
    providers: providers.list,
    async begin({ provider, returnTo, origin }) {
      const at = providers.named(provider);
      const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
      const redirectUri = origin + LOGIN_PATHS.callback;
      const location = await at.authorizationUrl({ redirectUri, state, nonce, verifier });
      const kept = { provider, state, nonce, verifier, redirectUri, returnTo: returnPath(returnTo) };
      return { location, state, note: notes.seal({ ...kept, begunAtMillis: now() }) };
    },
    async finish({ origin, query, note: sealed, earlier }) {
      const note = notes.open(sealed, query.get('state'));
      if (note.redirectUri !== origin + LOGIN_PATHS.callback)
        throw new Rejection('login-failed', 'the login was begun under another address');
      // A provider that gets a code a second time takes back what it gave for the first (RFC 6749, section 4.1.2).
      if (finished.recall(note.state)) throw new Rejection('login-failed', 'the callback came before');
      finished.remember(note.state, true, until(note.begunAtMillis + NOTE_MILLIS));
      const proof = await providers
        .named(note.provider)
        .prove(query, note)
        .catch((error: unknown) => {
          if (isAway(error)) finished.forget(note.state);
          throw error;
        });
      const begun = await begin(sessions, { ...proof, issuer: note.provider });
      if (earlier !== undefined) await sessions.end(earlier);
      return {
        session: begun.value,
        maxAgeSeconds: Math.max(0, Math.floor((begun.session.endsAtMillis - now()) / 1000)),
        returnTo: note.returnTo,
        owner: begun.principal.owner,
      };
    },
    async logOut(session, origin) {
      const ended = await sessions.end(session);
      if (ended === undefined) return undefined;
      const { owner, issuer } = ended.principal;
      const known = providers.list.some(({ name }) => name === issuer);
      const location = known
        ? await providers.named(issuer).endSessionUrl(ended.tokens.idToken, origin + LOGIN_PATHS.loggedOut)
        : undefined;
      return { owner, location };
    },
    async logOutBehind(provider, logoutToken) {
      const at = providers.named(provider);
      const token = await readLogoutToken(logoutToken, { settings: at.settings, keys: await at.keys(), now });
      const key = `${provider}|${token.jti}`;
      if (loggedOut.recall(key)) throw new Rejection('logout-token-invalid', 'the logout token came before');
      const ended = await sessions.endAll(sessionsOf(at.settings, token), token.issuedAtMillis);
      // Not before it is done: a provider that was told of a failure sends the same one again.
      loggedOut.remember(key, true, until(token.endsAtMillis));
      return ended;
    },
  };
};

/** A clock that was set back lets nothing be used twice. */
const until = (untilMillis: number): Span => ({ fromMillis: Number.NEGATIVE_INFINITY, untilMillis });

const isAway = (error: unknown): boolean => error instanceof Rejection && error.reason === 'provider-unavailable';

/** Claims of which nobody can be made are the login's failure: no token was shown that could be refused. */
const begin = async (sessions: Pick<Sessions, 'begin'>, proven: ProvenLogin): Promise<BegunSession> => {
  try {
    return await sessions.begin(proven);
  } catch (error) {
    if (!(error instanceof Rejection) || error.reason !== 'token-claims') throw error;
    throw new Rejection('login-failed', `${proven.issuer} gave what is refused: ${error.message}`);
  }
};

/** Owners have names that the issuer's user claim gives; `sub` says nothing of them where that is another one. */
const sessionsOf = ({ name, claims }: LoginIssuer, { sid, sub }: LogoutToken): SessionsOf => {
  if (sid !== undefined) return { issuer: name, providerSessionId: sid };
  const named = claims.user === 'sub' || claims.user === '/sub';
  if (sub === undefined || !named)
    throw new Rejection(
      'logout-token-invalid',
      `${name} names no session (sid), and users are not called by their sub`,
    );
  return { issuer: name, user: sub };
};
