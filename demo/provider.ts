/**
 * The demonstration's OpenID provider: a real one (oidc-provider), with three accounts and no passwords. It signs with the
 * key of the demonstration's tokens, so that whoever logs in owns what the tokens of the same name own.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Configuration, Context } from 'oidc-provider';
import {
  DEMO_ALIAS,
  DEMO_PROVIDER_PORT,
  type DemoIssuer,
  issuerFolder,
  openDemoIssuer,
  rememberedAddress,
} from './issuer.ts';
import { keptSecret } from './kept.ts';
import { accountOf } from './provider-accounts.ts';
import { Provider } from './provider-library.ts';
import { LOGIN_PATH, loginPages } from './provider-login.ts';
import { memoryShelves, type Payload } from './provider-memory.ts';
import { errorPage, loggedOutPage, logoutPage, PAGE_HEADERS } from './provider-pages.ts';

export interface DemoProviderOptions {
  /** Its keys and secrets are kept below it. */
  readonly dataDir: string;
  /**
   * The port to listen on. 0: that of the last time, or any. Undefined: that of the last time, or the usual one; any where it
   * is taken.
   */
  readonly port?: number | undefined;
  /** How long an access token holds, and with it a session until the gateway asks again. */
  readonly accessTokenSeconds?: number;
  /** Is told of what goes wrong inside, and of gateways that did not take a logout. */
  readonly report?: (error: Error) => void;
}

export interface DemoProvider {
  /** Signs its tokens; its `url` is the provider's. */
  readonly issuer: DemoIssuer;
  /** How the gateway shows who it is. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Lets people log in at gateways that browsers know under these addresses. The first is told of logouts. */
  admit(gatewayUrls: readonly string[]): void;
  close(): Promise<void>;
}

const CLIENT_ID = 'jaaz-gateway';
const DAY_SECONDS = 86_400;

/** Starts it on loopback; it is called `localhost`, because the gateway is 127.0.0.1 and cookies know no ports. */
export async function startDemoProvider(options: DemoProviderOptions): Promise<DemoProvider> {
  const { dataDir } = options;
  let answer: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => answer(request, response));
  await listen(server, portsOf(options));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  try {
    const issuer = await openDemoIssuer(dataDir, url);
    const folder = issuerFolder(dataDir);
    const secret = await keptSecret(join(folder, 'client-secret.txt'));
    const cookieKey = await keptSecret(join(folder, 'cookie-key.txt'));
    let gateways: readonly string[] = [];
    const clients = (id: string) => (id === CLIENT_ID ? clientOf(gateways, secret) : undefined);
    answer = answersOf(new Provider(url, settings({ ...options, issuer, cookieKey, clients })), options);
    return {
      issuer,
      client: { id: CLIENT_ID, secret },
      admit(gatewayUrls) {
        gateways = gatewayUrls;
      },
      close: () => closed(server),
    };
  } catch (error) {
    await closed(server);
    throw error;
  }
}

function answersOf(provider: Provider, { report = () => undefined }: DemoProviderOptions): RequestListener {
  provider.on('server_error', (_context, error) => report(asError(error)));
  provider.on('backchannel.error', (_context, error) => report(asError(error)));
  // Koa would print it.
  provider.on('error', (error) => report(asError(error)));
  const answerProtocol = provider.callback();
  const answerLogin = loginPages(provider);
  return (request, response) => {
    if (request.url?.startsWith(LOGIN_PATH)) {
      answerLogin(request, response).catch((error: unknown) => {
        report(asError(error));
        giveUp(response);
      });
    } else answerProtocol(request, response);
  };
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

function giveUp(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(500, PAGE_HEADERS).end(errorPage('Something went wrong here.'));
}

/** What the provider knows of the gateway; undefined until there is one. */
function clientOf([first, ...others]: readonly string[], secret: string): Payload | undefined {
  if (first === undefined) return undefined;
  const all = [first, ...others];
  return {
    client_id: CLIENT_ID,
    client_secret: secret,
    client_name: 'the gateway',
    redirect_uris: all.map((url) => `${url}/auth/callback`),
    post_logout_redirect_uris: all.map((url) => `${url}/auth/logged-out`),
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    backchannel_logout_uri: `${first}/auth/backchannel-logout/${DEMO_ALIAS}`,
    backchannel_logout_session_required: true,
  };
}

interface Inside extends DemoProviderOptions {
  readonly issuer: DemoIssuer;
  readonly cookieKey: string;
  readonly clients: (id: string) => Payload | undefined;
}

function settings({ issuer, cookieKey, clients, accessTokenSeconds = 300 }: Inside): Configuration {
  return {
    adapter: memoryShelves(clients),
    jwks: { keys: [issuer.signingKey] },
    cookies: { keys: [cookieKey] },
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub', 'roles'], profile: ['name'] },
    // The roles stand in the ID token itself, not only behind one more request.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    findAccount,
    interactions: { url: (_context, { uid }) => `${LOGIN_PATH}${uid}` },
    loadExistingGrant: ownGrant,
    // A refresh token is given without being asked for, ends with the login here, and is good once.
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => true,
    rotateRefreshToken: true,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true, logoutSource: showLogout, postLogoutSuccessSource: showLoggedOut },
    },
    renderError: async (context, { error_description: description }) =>
      show(context, errorPage(description ?? 'The request cannot be answered.')),
    // Its own guard lets no logout reach loopback, where the gateway is.
    fetch: (url, { dispatcher: _guard, ...init }: RequestInit & { dispatcher?: unknown }) => fetch(url, init),
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      IdToken: accessTokenSeconds,
      Interaction: 3600,
      Grant: 14 * DAY_SECONDS,
      RefreshToken: 14 * DAY_SECONDS,
      Session: 14 * DAY_SECONDS,
    },
  };
}

async function findAccount(_context: unknown, user: string) {
  const account = accountOf(user);
  if (account === undefined) return undefined;
  const { name, roles } = account;
  return { accountId: user, claims: async () => ({ sub: user, name, roles: [...roles] }) };
}

/** The gateway is the operator's own: nobody is asked whether it may know who they are. */
async function ownGrant({ oidc }: Context) {
  const { client, session, provider } = oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const kept = known === undefined ? undefined : await provider.Grant.find(known);
  if (kept !== undefined) return kept;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile offline_access');
  await grant.save();
  return grant;
}

async function showLogout(context: Context, form: string): Promise<void> {
  show(context, logoutPage(accountOf(context.oidc.session?.accountId)?.name ?? 'nobody', form));
}

async function showLoggedOut(context: Context): Promise<void> {
  show(context, loggedOutPage());
}

function show(context: Context, html: string): void {
  context.set({ ...PAGE_HEADERS });
  context.body = html;
}

/** The ports to try, in their order. */
function portsOf({ dataDir, port }: DemoProviderOptions): readonly [number, ...number[]] {
  if (port !== undefined && port !== 0) return [port];
  const address = rememberedAddress(dataDir);
  if (address !== undefined) return [Number(new URL(address).port), 0];
  return port === 0 ? [0] : [DEMO_PROVIDER_PORT, 0];
}

async function listen(server: Server, [port, ...others]: readonly [number, ...number[]]): Promise<void> {
  const [next, ...rest] = others;
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    if (next === undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await listen(server, [next, ...rest]);
  }
}

async function closed(server: Server): Promise<void> {
  const ended = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await ended;
}
