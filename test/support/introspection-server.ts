/** An introspection endpoint on port 0 that answers as it is told, and the settings that lead to it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { issuerSettings, NOON } from './token-issuer.ts';

export interface AskedOf {
  readonly method: string | undefined;
  readonly authorization: string | undefined;
  readonly form: URLSearchParams;
}

export interface IntrospectionServer {
  readonly url: string;
  readonly asked: readonly AskedOf[];
  /** What it says of these tokens from now on; of all others it says that they are not active. */
  readonly tokens: Map<string, object>;
  /** From now on answers like this; undefined: by `tokens` again. */
  answer(handler: ((response: ServerResponse, asked: AskedOf) => void) | undefined): void;
  close(): Promise<void>;
}

/** What a good answer says. */
export const activeClaims = { active: true, aud: 'jaaz', sub: 'ann', iat: NOON - 10, exp: NOON + 3600 };

export const introspectionServer = async (
  tokens: Readonly<Record<string, object>> = {},
): Promise<IntrospectionServer> => {
  const asked: AskedOf[] = [];
  const known = new Map(Object.entries(tokens));
  let handle: ((response: ServerResponse, asked: AskedOf) => void) | undefined;
  const server = createServer(async (request: IncomingMessage, response) => {
    const text = (await request.toArray()).join('');
    const { method, headers } = request;
    const one = { method, authorization: headers.authorization, form: new URLSearchParams(text) };
    asked.push(one);
    if (handle !== undefined) handle(response, one);
    else say(response, known.get(one.form.get('token') ?? '') ?? { active: false });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`,
    asked,
    tokens: known,
    answer(handler) {
      handle = handler;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Answers with a JSON value, or with a text that is to pass for one. */
export const say = (response: ServerResponse, value: object | string, type = 'application/json'): void => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  response.writeHead(200, { 'content-type': type }).end(text);
};

/** An issuer whose tokens are opaque; remembered for 30 seconds. */
export const opaqueIssuer = (url: string, more: Partial<IssuerSettings> = {}): IssuerSettings =>
  issuerSettings('', {
    keys: undefined,
    introspection: { url, clientId: 'gateway', clientSecret: 'secret', maxAgeMillis: 30_000 },
    ...more,
  });
