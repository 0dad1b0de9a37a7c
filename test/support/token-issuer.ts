/** Issuers for tests: real keys, real key servers on port 0, and tokens that may be as wrong as their header says. */
import { constants, createPublicKey, KeyObject, sign as signBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, type JWK } from 'jose';
import { type AuthenticateOptions, type Authenticator, authenticate } from '../../src/authn/authenticate.ts';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { ENFORCED } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { CanonicalRequest } from '../../src/model/request.ts';
import type { Route, RouteMatch } from '../../src/model/route.ts';
import { keySource } from '../../src/store/keys/source.ts';

/** Noon of a day in 2026, in seconds: the hour at which all tokens of these tests are looked at. */
export const NOON = 1_790_000_000;

export const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

const signature = (algorithm: string, input: string, key: KeyObject): Buffer => {
  const data = Buffer.from(input);
  const digest = `sha${algorithm.slice(2)}`;
  if (algorithm === 'EdDSA') return signBytes(null, data, key);
  if (algorithm.startsWith('ES')) return signBytes(digest, data, { key, dsaEncoding: 'ieee-p1363' });
  if (algorithm.startsWith('RS')) return signBytes(digest, data, key);
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return signBytes(digest, data, { key, ...padding });
};

export interface Signer {
  /** The public half, as the issuer publishes it. */
  readonly jwk: JWK;
  readonly privateKey: KeyObject;
  /** Signs any two texts, however wrong, as header and payload. */
  signText(header: string, payload: string): string;
  /** Signs the good claims, changed as told, under a good header, changed as told. */
  sign(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string;
}

export const goodClaims = {
  iss: 'https://issuer.test/',
  aud: 'jaaz',
  sub: 'ann',
  iat: NOON - 10,
  exp: NOON + 300,
};

/** Returns a signer with a key of one's own making, which may be a weak one. */
export const signerWith = (privateKey: KeyObject, kid: string, algorithm: string): Signer => {
  const signText = (header: string, payload: string): string => {
    const input = `${base64url(header)}.${base64url(payload)}`;
    return `${input}.${base64url(signature(algorithm, input, privateKey))}`;
  };
  return {
    jwk: { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' },
    privateKey,
    signText,
    sign: (claims = {}, header = {}) =>
      signText(
        JSON.stringify({ alg: algorithm, kid, typ: 'JWT', ...header }),
        JSON.stringify({ ...goodClaims, ...claims }),
      ),
  };
};

export const signer = async (kid: string, algorithm = 'ES256'): Promise<Signer> => {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return signerWith(KeyObject.from(privateKey), kid, algorithm);
};

export interface KeyServer {
  readonly url: string;
  readonly hits: () => number;
  /** From now on answers with these keys. */
  publish(...keys: readonly object[]): void;
  /** From now on answers like this. */
  answer(handler: (response: ServerResponse) => void): void;
  close(): Promise<void>;
}

export const keyServer = async (...keys: readonly object[]): Promise<KeyServer> => {
  let hits = 0;
  let handle: (response: ServerResponse) => void;
  const publish = (...published: readonly object[]): void => {
    handle = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }));
    };
  };
  publish(...keys);
  const server = createServer((_request, response) => {
    hits += 1;
    handle(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    hits: () => hits,
    publish,
    answer: (handler) => {
      handle = handler;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

export const issuerSettings = (url: string, overrides: Partial<IssuerSettings> = {}): IssuerSettings => ({
  name: 'main',
  issuer: 'https://issuer.test/',
  audience: 'jaaz',
  algorithms: ['ES256'],
  keys: { url },
  claims: { user: 'sub', roles: 'roles' },
  types: ['jwt', 'at+jwt'],
  clockToleranceSeconds: 0,
  ...overrides,
});

export interface Clock {
  readonly now: () => number;
  seconds: number;
}

export const clock = (): Clock => {
  const state = { seconds: NOON, now: () => state.seconds * 1000 };
  return state;
};

/** The stage with real key sources; timers far enough away that only the clock matters. */
export const authenticator = (
  issuers: readonly IssuerSettings[],
  options: Partial<AuthenticateOptions> = {},
): Authenticator => authenticate({ issuers, source: keySource, now: () => NOON * 1000, ...options });

export interface Shown {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case; Host and Authorization are there besides. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly secure?: boolean;
}

export const request = (authorization?: string, shown: Shown = {}): CanonicalRequest => {
  const { method = 'GET', path = '/api/canvas/list', query = {}, headers = {}, secure = true } = shown;
  const credentials = authorization === undefined ? {} : { authorization };
  return {
    id: 'r-1',
    method,
    path,
    query: new Map(Object.entries(query)),
    headers: new Map(Object.entries({ host: 'gateway.example', ...credentials, ...headers })),
    address: '192.0.2.1',
    secure,
    hasBody: false,
  } as unknown as CanonicalRequest;
};

export const match = (route: Partial<Route> = {}): RouteMatch => ({
  route: {
    id: 'canvas.list',
    rollout: ENFORCED,
    method: 'GET',
    segments: [],
    access: 'user',
    roles: [],
    when: undefined,
    limits: { user: [], address: [] },
    run: undefined,
    query: new Set(),
    queryOperations: new Map(),
    body: { kind: 'none' },
    uses: [],
    references: undefined,
    operations: [],
    forwardTo: undefined,
    cache: undefined,
    fixed: undefined,
    answer: { kind: 'stream', relative: [] },
    hidden: undefined,
    answerHeaders: new Map(),
    timeoutMillis: 1000,
    ...route,
  },
  parameters: {},
});

/** Returns the Rejection of a call that refuses, at once or later; fails when it does not refuse. */
export const rejectionOf = async (call: () => unknown): Promise<Rejection> => {
  try {
    await call();
  } catch (error) {
    if (error instanceof Rejection) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

/** Returns `reason status` of what a token comes to, or `accepted`. */
export const outcome = async (authn: { verify(token: string): Principal | Promise<Principal> }, token: string) => {
  try {
    await authn.verify(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof Rejection) return `${error.reason} ${error.status}`;
    throw error;
  }
};
