/**
 * A real OpenID provider on loopback for tests. It believes whoever says who they are (`?user=` on its login page), and
 * clients are registered once the gateway's address is known.
 */
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClientMetadata, type Configuration, type Context, type Grant, Provider } from 'oidc-provider';
import type { IssuerSettings, LoginSettings } from '../../src/authn/issuer.ts';
import { LOGIN_PATHS } from '../../src/model/login.ts';
import { oidcStorage } from './oidc-storage.ts';

export interface TestProviderOptions {
  readonly algorithm?: 'RS256' | 'ES256';
  /** True: every login comes with a refresh token, which each use replaces. */
  readonly refreshTokens?: boolean;
  readonly accessTokenSeconds?: number;
  readonly idTokenSeconds?: number;
  /** Whether the ID token holds the claims of all scopes, or only the userinfo endpoint tells them. */
  readonly claimsIn?: 'id-token' | 'userinfo';
  /** Beside `sub`; roles and a name made of the user's by default. */
  readonly claims?: (user: string) => Readonly<Record<string, unknown>>;
  /** Where it takes a client's secret, as its metadata says. */
  readonly secretIn?: 'header' | 'body';
  /** Where it listens; a free port by default. */
  readonly port?: number;
}

export interface ClientOptions {
  /** Its alias at the gateway. */
  readonly alias?: string;
  readonly clientId?: string;
  /** Undefined: a public client. */
  readonly clientSecret?: string | undefined;
}

/** Handles a request in the provider's place; returns false to leave it to the provider. */
export type Interception = (request: IncomingMessage, response: ServerResponse) => boolean | undefined;

export interface TestProvider {
  readonly issuer: string;
  readonly port: number;
  /** The paths that were asked, oldest first. */
  readonly asked: string[];
  /** Registers the gateway of an origin as a client; again with another one. */
  register(origin: string, options?: ClientOptions): Promise<void>;
  /** Settings for gateway.yaml's `issuers`, to go with `register` of the same options. */
  settings(options?: ClientOptions, overrides?: SettingsOverrides): IssuerSettings & { readonly login: LoginSettings };
  /** From now on requests come here first; undefined: no more. */
  intercept(interception: Interception | undefined): void;
  /** Logs a user out everywhere, as the provider's own page does: it takes back tokens, and tells no client. */
  readonly revokeAll: () => Promise<void>;
  close(): Promise<void>;
}

export interface SettingsOverrides extends Partial<Omit<IssuerSettings, 'login'>> {
  readonly login?: Partial<LoginSettings>;
}

const CLIENT_SECRET = 'a secret of the tests, thirty-two characters and more';

/** Nobody is called so: the provider refuses to log this one in. */
export const DENIED = 'denied';

const defaultClaims = (user: string) => ({ name: `User ${user}`, roles: user === 'root' ? ['admin'] : ['member'] });

const methodOf = ({ secretIn }: TestProviderOptions) =>
  secretIn === 'body' ? 'client_secret_post' : 'client_secret_basic';

const keys = new Map<string, object>();

/** One key of a kind for all of a process: another provider's signature must not be all that tells its tokens apart. */
const keyFor = (algorithm: 'RS256' | 'ES256'): object => {
  const known = keys.get(algorithm);
  if (known !== undefined) return known;
  const { privateKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm, kid: `key-${algorithm}` };
  keys.set(algorithm, key);
  return key;
};

/** Everything that is asked for is granted at once: consent is not what these tests are about. */
const grantAll = async ({ oidc }: Context): Promise<Grant | undefined> => {
  const accountId = oidc.session?.accountId;
  if (accountId === undefined || oidc.client === undefined) return undefined;
  const grant = new oidc.provider.Grant({ accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope('openid profile offline_access');
  await grant.save();
  return grant;
};

const configuration = (options: TestProviderOptions, adapter: NonNullable<Configuration['adapter']>): Configuration => {
  const { algorithm = 'RS256', accessTokenSeconds = 3600, idTokenSeconds = 3600, claims = defaultClaims } = options;
  const names = [...new Set([...Object.keys(claims('ann')), 'name', 'roles'])];
  return {
    adapter,
    jwks: { keys: [keyFor(algorithm)] },
    clientAuthMethods: [methodOf(options), 'none'],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    cookies: { keys: ['a key of the tests'] },
    scopes: ['openid', 'profile', 'offline_access'],
    claims: { openid: ['sub'], profile: names },
    conformIdTokenClaims: options.claimsIn === 'userinfo',
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = `<!doctype html>${form.replace('</form>', '<button name="logout" value="yes">Log out</button></form>')}`;
        },
      },
    },
    findAccount: (_context, id) =>
      id === DENIED ? undefined : { accountId: id, claims: () => ({ sub: id, ...claims(id) }) },
    loadExistingGrant: grantAll,
    issueRefreshToken: () => options.refreshTokens === true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    renderError: (context, out) => {
      context.type = 'json';
      context.body = JSON.stringify(out);
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: idTokenSeconds,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    fetch: (url, init) => {
      const { dispatcher: _dispatcher, ...rest } = init as RequestInit & { dispatcher?: unknown };
      return fetch(url, rest);
    },
  };
};

/** Serves the one page of the provider on which somebody says who they are. */
const logInAt = async (provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const user = new URL(request.url ?? '', provider.issuer).searchParams.get('user');
  if (user === null) {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(
      '<!doctype html><title>Provider</title><form><label>User <input name="user"></label><button>Log in</button></form>',
    );
    return;
  }
  const result =
    user === DENIED
      ? { error: 'access_denied', error_description: 'the user said no' }
      : { login: { accountId: user } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
};

const clientIdOf = ({ clientId = 'gateway' }: ClientOptions): string => clientId;
const secretOf = (options: ClientOptions): string | undefined =>
  'clientSecret' in options ? options.clientSecret : CLIENT_SECRET;

/** As the provider registers a client. */
const clientOf = (origin: string, client: ClientOptions, options: TestProviderOptions): ClientMetadata => {
  const secret = secretOf(client);
  return {
    client_id: clientIdOf(client),
    ...(secret === undefined ? {} : { client_secret: secret }),
    token_endpoint_auth_method: secret === undefined ? 'none' : methodOf(options),
    id_token_signed_response_alg: options.algorithm ?? 'RS256',
    redirect_uris: [origin + LOGIN_PATHS.callback],
    post_logout_redirect_uris: [origin + LOGIN_PATHS.loggedOut],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    backchannel_logout_uri: `${origin}${LOGIN_PATHS.backChannelLogout}${client.alias ?? 'main'}`,
    backchannel_logout_session_required: true,
  };
};

interface SettingsParts {
  readonly client: ClientOptions;
  readonly overrides: SettingsOverrides;
  readonly options: TestProviderOptions;
  readonly issuer: string;
}

const settingsOf = ({ client, overrides, options, issuer }: SettingsParts) => {
  const { login, ...others } = overrides;
  const { algorithm = 'RS256', claimsIn } = options;
  return {
    name: client.alias ?? 'main',
    issuer,
    audience: [],
    algorithms: [algorithm],
    keys: undefined,
    claims: { user: 'sub', roles: 'roles' },
    types: ['jwt', 'at+jwt'],
    clockToleranceSeconds: 5,
    ...others,
    login: {
      title: 'Test provider',
      clientId: clientIdOf(client),
      clientSecret: secretOf(client),
      scopes: ['openid', 'profile'],
      algorithms: [algorithm],
      userinfo: claimsIn === 'userinfo',
      graceMillis: 60_000,
      ...login,
    },
  };
};

/** Resolves when the provider listens. */
export const openTestProvider = async (options: TestProviderOptions = {}): Promise<TestProvider> => {
  const storage = oidcStorage();
  const asked: string[] = [];
  let interception: Interception | undefined;
  let provider: Provider | undefined;
  let handle: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    asked.push(path);
    if (interception?.(request, response) === true || provider === undefined) return;
    if (path.startsWith('/interaction/')) {
      logInAt(provider, request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    } else handle?.(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  provider = new Provider(issuer, configuration(options, storage.adapter));
  handle = provider.callback();

  return {
    issuer,
    port,
    asked,
    register: (origin, client = {}) =>
      storage.adapter('Client').upsert(clientIdOf(client), clientOf(origin, client, options)),
    settings: (client = {}, overrides = {}) => settingsOf({ client, overrides, options, issuer }),
    intercept(next) {
      interception = next;
    },
    async revokeAll() {
      const grants = storage.all('Grant').map(({ jti }) => String(jti));
      for (const kind of ['AccessToken', 'RefreshToken', 'Session']) {
        for (const grantId of grants) await storage.adapter(kind).revokeByGrantId(grantId);
        if (kind === 'Session')
          for (const { jti } of storage.all(kind)) await storage.adapter(kind).destroy(String(jti));
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
