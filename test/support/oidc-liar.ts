/** An OpenID provider made by hand, which does everything right until it is told to lie. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IssuerSettings, LoginSettings } from '../../src/authn/issuer.ts';
import { type Signer, signer } from './token-issuer.ts';

export interface Lies {
  /** Over what its metadata says. */
  metadata?: Readonly<Record<string, unknown>>;
  /** Answers in the place of one of its paths. */
  answers?: Readonly<Record<string, (response: ServerResponse, request: IncomingMessage) => void>>;
  /** Over the claims and the header of its ID tokens. */
  claims?: Readonly<Record<string, unknown>>;
  header?: Readonly<Record<string, unknown>>;
  /** Makes the ID token out of the good one's parts. */
  idToken?: (header: object, claims: object) => string;
  /** Over what its token endpoint says. */
  tokens?: Readonly<Record<string, unknown>>;
  userinfo?: Readonly<Record<string, unknown>>;
  /** Changes the query with which the browser comes back. */
  callback?: (query: URLSearchParams) => void;
  /** From now on its keys are these. */
  keys?: readonly object[];
}

export interface Liar {
  readonly issuer: string;
  readonly signer: Signer;
  lies: Lies;
  /** The paths that were asked, oldest first. */
  readonly asked: string[];
  /** The forms that its token endpoint was sent. */
  readonly forms: URLSearchParams[];
  settings(login?: Partial<LoginSettings>, overrides?: Partial<IssuerSettings>): IssuerSettings;
  close(): Promise<void>;
}

const LIAR_CLIENT = 'gateway';
export const LIAR_SECRET = 'the secret of a client, long enough to sign with HS256';

const bodyOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
};

export const sendJson = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

const metadataOf = (issuer: string): object => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  userinfo_endpoint: `${issuer}/me`,
  end_session_endpoint: `${issuer}/end`,
  response_types_supported: ['code'],
  authorization_response_iss_parameter_supported: true,
});

interface Saying {
  readonly lies: Lies;
  readonly issuer: string;
  readonly keys: Signer;
}

/** Sends the browser back at once: whoever it is, it is `mallory`'s provider that says so. */
const sayYes = (response: ServerResponse, query: URLSearchParams, { lies, issuer }: Saying): void => {
  const back = new URL(query.get('redirect_uri') ?? '');
  back.search = new URLSearchParams({
    code: Buffer.from(query.get('nonce') ?? '').toString('hex'),
    state: query.get('state') ?? '',
    iss: issuer,
  }).toString();
  lies.callback?.(back.searchParams);
  response.writeHead(303, { location: back.href }).end();
};

const sayTokens = (response: ServerResponse, form: URLSearchParams, { lies, issuer, keys }: Saying): void => {
  const now = Math.floor(Date.now() / 1000);
  const nonce = Buffer.from(form.get('code') ?? '', 'hex').toString();
  const good = { iss: issuer, aud: LIAR_CLIENT, sub: 'mallory', iat: now, exp: now + 300, nonce, sid: 's-1' };
  const claims = { ...good, ...lies.claims };
  const header = { alg: 'ES256', kid: 'k', ...lies.header };
  const idToken = lies.idToken?.(header, claims) ?? keys.signText(JSON.stringify(header), JSON.stringify(claims));
  const tokens = { access_token: 'an-access-token', token_type: 'Bearer', expires_in: 300, id_token: idToken };
  sendJson(response, { ...tokens, ...lies.tokens });
};

const settingsOf =
  (issuer: string): Liar['settings'] =>
  (login, overrides) => ({
    name: 'main',
    issuer,
    audience: [],
    algorithms: ['ES256'],
    keys: undefined,
    claims: { user: 'sub', roles: 'roles' },
    types: ['jwt'],
    clockToleranceSeconds: 5,
    ...overrides,
    login: {
      title: 'A liar',
      clientId: LIAR_CLIENT,
      clientSecret: LIAR_SECRET,
      scopes: ['openid'],
      algorithms: ['ES256'],
      userinfo: false,
      graceMillis: 0,
      ...login,
    },
  });

/** Resolves when it listens. */
export const openLiar = async (lies: Lies = {}): Promise<Liar> => {
  const keys = await signer('k', 'ES256');
  const asked: string[] = [];
  const forms: URLSearchParams[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '', liar.issuer);
    asked.push(pathname);
    const form = await bodyOf(request);
    if (pathname === '/token') forms.push(form);
    const saying = { lies: liar.lies, issuer: liar.issuer, keys };
    const lie = liar.lies.answers?.[pathname];
    if (lie !== undefined) lie(response, request);
    else if (pathname === '/auth') sayYes(response, searchParams, saying);
    else if (pathname === '/token') sayTokens(response, form, saying);
    else if (pathname === '/keys') sendJson(response, { keys: liar.lies.keys ?? [keys.jwk] });
    else if (pathname === '/me') sendJson(response, { sub: 'mallory', ...liar.lies.userinfo });
    else if (pathname === '/.well-known/openid-configuration')
      sendJson(response, { ...metadataOf(liar.issuer), ...liar.lies.metadata });
    else response.writeHead(404).end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const liar: Liar = {
    issuer,
    signer: keys,
    lies,
    asked,
    forms,
    settings: settingsOf(issuer),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return liar;
};
