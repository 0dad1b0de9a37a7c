/**
 * The sockets as browsers meet them: real sessions in a store in memory, real tokens, revocations that end what is open, and
 * one clock for all of them.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authenticate } from '../../src/authn/authenticate.ts';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { openRevocations } from '../../src/authn/revocation.ts';
import { sealer } from '../../src/authn/seal.ts';
import { openSessions, type SessionsOptions } from '../../src/authn/session/sessions.ts';
import type { SessionStore } from '../../src/authn/session/store.ts';
import { identifier } from '../../src/gateway-sockets.ts';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import type { Principal } from '../../src/model/principal.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import type { Identify } from '../../src/server/socket-handshake.ts';
import { keySource } from '../../src/store/keys/source.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { memorySessions } from '../../src/store/memory/sessions.ts';
import { testIssuer } from './issuer.ts';
import { openPollingDoor } from './polling-door.ts';
import type { openDoor } from './socket-door.ts';

const MINUTE = 60_000;
export const IDLE_MILLIS = 30 * MINUTE;

const LOGIN: IssuerSettings['login'] = {
  title: 'Test',
  clientId: 'gateway',
  clientSecret: undefined,
  scopes: ['openid'],
  algorithms: ['RS256'],
  userinfo: false,
  graceMillis: MINUTE,
};

/** A page's own script opens a socket. */
const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

export interface SessionPlaneOptions {
  readonly refresh?: SessionsOptions['refresh'];
  /** What stands in front of the store. */
  readonly store?: (store: SessionStore) => SessionStore;
}

export type SessionPlane = Awaited<ReturnType<typeof sessionPlane>>;

/** Who is calling, and for how long: all that the doors are given of it. */
export const sessionPlane = async ({ refresh, store = (one) => one }: SessionPlaneOptions = {}) => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-sessions-'));
  const clock = { now: Date.now() };
  const now = (): number => clock.now;
  const issuer = await testIssuer(directory);
  const issuers = [{ ...issuer.settings, login: LOGIN }];
  const revocations = await openRevocations({ store: memoryRevocations(now), now });
  const sessions = openSessions({
    store: store(memorySessions(now)),
    sealer: sealer([randomBytes(32)]),
    ...{ issuers, revocations, now },
    idleMillis: IDLE_MILLIS,
    lifetimeMillis: 600 * MINUTE,
    refresh: refresh ?? (async () => 'refused'),
  });
  const site = { url: undefined, origins: ['https://app.example'] };
  const authenticator = authenticate({ issuers, source: keySource, sessions, revocations, site, now });
  const failed: string[] = [];
  const lags: Array<readonly [millis: number, because: string]> = [];
  const watched = lifetime({
    ...{ now, slotMillis: 20, prolong: authenticator.prolong },
    late: (millis, because) => lags.push([millis, because]),
  });
  const identify: Identify = identifier({
    authenticator,
    limit: { failed: async (address) => void failed.push(address) },
  });
  const values = new Map<string, string>();
  return {
    ...{ clock, now, issuer, sessions, revocations, watched, identify, failed, lags },
    /** Resolves with the headers that a page of the gateway's own sends once this user has logged in. */
    async logIn(user: string, refreshAtMillis?: number) {
      const { value } = await sessions.begin({
        issuer: 'test',
        claims: JSON.parse(JSON.stringify({ sub: user })),
        tokens: { refreshToken: refreshAtMillis === undefined ? undefined : 'r', idToken: undefined },
        providerSessionId: undefined,
        refreshAtMillis,
      });
      values.set(user, value);
      return { ...OWN_PAGE, cookie: `${SESSION_COOKIE}=${value}` };
    },
    /** Ends the session that this user began last, as a logout does. */
    logOut: async (user: string) => void (await sessions.end(values.get(user) ?? '')),
    /** Has what was revoked end what a door holds, as the composition does. */
    ending: (door: { end(matches: (one: Principal) => boolean): number }) =>
      revocations.onRevoked(() => door.end((one) => revocations.revokes(one) !== undefined)),
    stop() {
      sessions.close();
      authenticator.close();
      revocations.close();
      watched.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

export type SessionDoor = Awaited<ReturnType<typeof openSessionDoor>>;

/** The Socket.IO endpoint in front of them, where clients may poll. */
export const openSessionDoor = async (
  options: SessionPlaneOptions & { readonly door?: Parameters<typeof openDoor>[0] } = {},
) => {
  const plane = await sessionPlane(options);
  const { identify, now, watched } = plane;
  const door = await openPollingDoor({ identify, now, lifetime: watched, ...options.door });
  plane.ending(door);
  return {
    ...plane,
    ...door,
    tell: (text: string, owner = 'test|alice') => door.tell(text, owner),
    async stop() {
      await door.stop();
      plane.stop();
    },
  };
};
