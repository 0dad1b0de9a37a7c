/** Sessions as the suites of the session need them: rows, logins, a clock that is set, and stores in real files. */
import type { IssuerSettings, LoginSettings } from '../../src/authn/issuer.ts';
import { type Sealer, sealer } from '../../src/authn/seal.ts';
import type { ProvenLogin } from '../../src/authn/session/begin.ts';
import type { Refresh, RefreshOutcome } from '../../src/authn/session/refresh.ts';
import { openSessions, type Sessions, type SessionsOptions } from '../../src/authn/session/sessions.ts';
import type { SessionStore } from '../../src/authn/session/store.ts';
import type { Session } from '../../src/model/session.ts';
import { issuerSettings, NOON } from './token-issuer.ts';

export const START = NOON * 1000;

/** A clock in milliseconds that stands still unless it is moved. */
export const setClock = (millis = START) => {
  const clock = {
    millis,
    now: () => clock.millis,
    forward(by: number): void {
      clock.millis += by;
    },
  };
  return clock;
};

export type SetClock = ReturnType<typeof setClock>;

const SECRET = Buffer.alloc(32, 'secret');
export const testSealer = (...secrets: readonly Buffer[]): Sealer => sealer(secrets.length > 0 ? secrets : [SECRET]);

const loginSettings: LoginSettings = {
  title: 'Main',
  clientId: 'jaaz',
  clientSecret: undefined,
  scopes: ['openid'],
  algorithms: ['ES256'],
  userinfo: false,
  graceMillis: 60_000,
};

/** An issuer whose users log in. */
export const loginIssuer = (
  overrides: Partial<IssuerSettings> = {},
  login: Partial<LoginSettings> = {},
): IssuerSettings =>
  issuerSettings('https://issuer.test/keys', { login: { ...loginSettings, ...login }, ...overrides });

export const provenLogin = (overrides: Partial<ProvenLogin> = {}): ProvenLogin => ({
  issuer: 'main',
  claims: { sub: 'ann', roles: ['editor'] },
  tokens: { refreshToken: 'refresh-0', idToken: 'id-0' },
  providerSessionId: 'sid-1',
  refreshAtMillis: undefined,
  ...overrides,
});

let rows = 0;

/** A row as a store keeps it, each of another digest and id. */
export const row = (overrides: Partial<Session> = {}): { readonly digest: string; readonly session: Session } => {
  rows += 1;
  const session: Session = {
    id: `${rows}`.padStart(24, '0'),
    issuer: 'main',
    user: 'ann',
    roles: ['editor'],
    tenant: undefined,
    providerSessionId: 'sid-1',
    startedAtMillis: START,
    endsAtMillis: START + 3_600_000,
    usedAtMillis: START,
    refreshAtMillis: undefined,
    sealedTokens: undefined,
    version: 0,
    ...overrides,
  };
  return { digest: `digest-${rows}`, session };
};

export const HOUR = 3_600_000;
export const MINUTE = 60_000;

/** Sessions with times that are easy to reckon with: idle after 10 minutes, over after 8 hours. */
export const sessionsOn = (store: SessionStore, options: Partial<SessionsOptions> = {}): Sessions & Revoked => {
  const revoked: string[] = [];
  const sessions = openSessions({
    store,
    sealer: testSealer(),
    issuers: [loginIssuer()],
    idleMillis: 10 * MINUTE,
    lifetimeMillis: 8 * HOUR,
    refresh: async () => 'refused',
    revocations: {
      revokes: () => undefined,
      async add(one) {
        if (one.by === 'session') revoked.push(one.sessionId);
        return { revocation: { ...one, id: 'r', madeAtMillis: 0 }, ended: 0 };
      },
    },
    ...options,
  });
  return { ...sessions, revoked };
};

interface Revoked {
  /** The ids of sessions that were revoked, in order. */
  readonly revoked: readonly string[];
}

/** What a provider says when a session goes on. */
export const goesOn = (overrides: Partial<Exclude<RefreshOutcome, 'refused'>> = {}): RefreshOutcome => ({
  claims: undefined,
  refreshToken: undefined,
  idToken: undefined,
  refreshAtMillis: undefined,
  ...overrides,
});

/** A value of the form of a cookie's, that opens nothing. */
export const unknownValue = (seed = 0): string => String(seed).padStart(43, 'A');

/** A provider that answers when it is told to. */
export const provider = (answer: (token: string) => RefreshOutcome | Promise<RefreshOutcome>) => {
  const shown: string[] = [];
  const refresh: Refresh = async (_issuer, token) => {
    shown.push(token);
    return await answer(token);
  };
  return { shown, refresh };
};

/** A login whose provider has to be asked after a minute. */
export const DUE = provenLogin({ refreshAtMillis: START + MINUTE });

/** What its provider says then. */
export const next = (overrides: Parameters<typeof goesOn>[0] = {}): RefreshOutcome =>
  goesOn({ refreshToken: 'refresh-1', refreshAtMillis: START + 3 * MINUTE, ...overrides });
