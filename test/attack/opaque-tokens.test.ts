/**
 * Opaque tokens: the endpoint that is asked about them is down, slow or lies; floods of invented tokens; a verdict that is
 * used longer than it holds, or for another audience or issuer; and signed tokens that are passed off as opaque ones.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type IntrospectionOptions, introspection } from '../../src/authn/introspection/introspection.ts';
import type { Principal } from '../../src/model/principal.ts';
import { eventually } from '../support/eventually.ts';
import { keyLies } from '../support/hostile-keys.ts';
import {
  type AskedOf,
  activeClaims,
  type IntrospectionServer,
  introspectionServer,
  opaqueIssuer,
  say,
} from '../support/introspection-server.ts';
import {
  authenticator,
  base64url,
  clock,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  rejectionOf,
  request,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

const opened: Array<{ close(): unknown }> = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

let key: Signer;
let keys: KeyServer;
beforeAll(async () => {
  key = await signer('k1');
  keys = await keyServer(key.jwk);
});
afterAll(() => keys.close());

/** A gateway's stage whose one issuer signs tokens and hands out opaque ones. */
const open = async (options: Partial<IntrospectionOptions> & { readonly audience?: string } = {}) => {
  const endpoint = await introspectionServer({ good: activeClaims });
  const time = clock();
  const { audience = 'jaaz', ...more } = options;
  const issuers = [opaqueIssuer(endpoint.url, { keys: { url: keys.url }, audience })];
  const reader = introspection({ issuers, now: time.now, timeoutMillis: 300, ...more });
  const authn = authenticator(issuers, { readers: [reader], now: time.now });
  opened.push(authn, endpoint);
  return { endpoint, time, authn, reader };
};

const holding = (endpoint: IntrospectionServer, spared: string) => {
  const held: ServerResponse[] = [];
  endpoint.answer((response: ServerResponse, { form }: AskedOf) => {
    if (form.get('token') === spared) say(response, activeClaims);
    else held.push(response);
  });
  return held;
};

describe('an endpoint that lies', () => {
  const elsewhere = createServer((_request, response) => {
    hits += 1;
    say(response, activeClaims);
  });
  let hits = 0;
  beforeAll(() => new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    elsewhere.closeAllConnections();
    elsewhere.close();
  });

  const answered = (text: string) => (response: ServerResponse) => say(response, text);
  const own: Readonly<Record<string, (response: ServerResponse) => void>> = {
    'says "true"': answered(JSON.stringify({ ...activeClaims, active: 'true' })),
    'says 1': answered(JSON.stringify({ ...activeClaims, active: 1 })),
    'says neither': answered(JSON.stringify({ ...activeClaims, active: undefined })),
    'says both': answered(JSON.stringify(activeClaims).replace('{', '{"active":false,')),
    'names two users': answered(JSON.stringify(activeClaims).replace('{', '{"sub":"root",')),
    'says it in a signed answer': (response) => say(response, key.sign(), 'application/token-introspection+jwt'),
    'says no in an error': (response) => void response.writeHead(400).end('{"active":false}'),
  };

  test('is not believed, whatever it says; nobody is blamed, and the token is shown to nobody else', async () => {
    const place = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    const lies = { ...own, ...keyLies([{ ...activeClaims }], place) };
    const outcomes = await Promise.all(
      Object.entries(lies).map(async ([lie, answer]) => {
        const { endpoint, authn } = await open();
        endpoint.answer(answer);
        return [lie, await outcome(authn, 'good'), await outcome(authn, 'bad')];
      }),
    );
    const unavailable = 'introspection-unavailable 503';
    expect(outcomes).toEqual(Object.keys(lies).map((lie) => [lie, unavailable, unavailable]));
    expect(hits).toBe(0);
  });

  test('ends nothing that it said before, and lengthens nothing', async () => {
    const { endpoint, time, authn } = await open();
    const principal = await authn.verify('good');
    endpoint.answer(own['says neither']);
    time.seconds += 29;
    expect(authn.verify('good')).toBe(principal);
    expect(await authn.prolong(principal)).toBeUndefined();
    time.seconds += 1;
    expect(await outcome(authn, 'good')).toBe('introspection-unavailable 503');
  });

  test('takes no signed token along', async () => {
    const { endpoint, authn } = await open();
    endpoint.answer((response) => void response.writeHead(500).end());
    expect(await outcome(authn, 'good')).toBe('introspection-unavailable 503');
    expect(await outcome(authn, key.sign())).toBe('accepted');
    expect(authn.healthy()).toBe(true);
  });
});

describe('a flood of invented tokens', () => {
  test('drives no good one out of what is remembered, nor itself: one question for each in five seconds', async () => {
    const { endpoint, authn } = await open({ remembered: 50 });
    const principal = await authn.verify('good');
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 40; index += 1) await outcome(authn, `invented-${index}`);
    }
    expect(endpoint.asked).toHaveLength(41);
    for (let index = 0; index < 300; index += 1) await outcome(authn, `more-${index}`);
    expect(authn.verify('good')).toBe(principal);
    expect(endpoint.asked).toHaveLength(341);
  });

  test('at a slow endpoint keeps nobody waiting who was let in before, and is told so at once itself', async () => {
    const { endpoint, time, authn } = await open({ atOnce: 4, waiting: 4, timeoutMillis: 60_000 });
    await authn.verify('good');
    const held = holding(endpoint, 'good');
    const flood = Array.from({ length: 50 }, (_, index) => outcome(authn, `invented-${index}`));
    await eventually(() => held.length === 4);
    time.seconds += 30;
    expect(await outcome(authn, 'good')).toBe('accepted');
    expect(await flood[49]).toBe('introspection-unavailable 503');
    for (const response of held) response.destroy();
    endpoint.answer(undefined);
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter((one) => one === 'token-inactive 401')).toHaveLength(4);
    expect(outcomes.filter((one) => one === 'introspection-unavailable 503')).toHaveLength(46);
  });

  test('from one address keeps nobody out who comes from another one', async () => {
    const { endpoint, authn } = await open({ atOnce: 4, waiting: 4, perAddress: 3, timeoutMillis: 60_000 });
    const held = holding(endpoint, 'good');
    const from = (address: string, token: string) =>
      outcome({ verify: (shown) => authn.identify({ ...request(), address }, shown) as Promise<Principal> }, token);
    const flood = Array.from({ length: 50 }, (_, index) => from('192.0.2.1', `invented-${index}`));
    expect(await flood[49]).toBe('introspection-unavailable 503');
    await eventually(() => held.length === 3);
    expect(await from('192.0.2.2', 'good')).toBe('accepted');
    endpoint.answer(undefined);
    for (const response of held) response.destroy();
    await Promise.all(flood);
    expect(await from('192.0.2.1', 'another')).toBe('token-inactive 401');
  });

  test('of one token is one question', async () => {
    const { endpoint, authn } = await open();
    const outcomes = await Promise.all(Array.from({ length: 500 }, () => outcome(authn, 'invented')));
    expect(new Set(outcomes)).toEqual(new Set(['token-inactive 401']));
    expect(endpoint.asked).toHaveLength(1);
  });
});

describe('many who were let in before', () => {
  const letIn = async (count: number, { endpoint, authn }: Awaited<ReturnType<typeof open>>) => {
    endpoint.answer((response, { form }) => say(response, { ...activeClaims, sub: form.get('token') ?? '' }));
    const principals: Principal[] = [];
    for (let index = 0; index < count; index += 1) principals.push(await authn.verify(`of-${index}`));
    return principals;
  };

  test('go on, all of them, where they are asked about in one moment', async () => {
    const opened = await open({ timeoutMillis: 60_000 });
    const principals = await letIn(500, opened);
    opened.time.seconds += 30;
    const later = await Promise.all(principals.map((one) => opened.authn.prolong(one)));
    expect(later.filter((one) => one === undefined)).toEqual([]);
  });

  test('end together where their issuer hangs, and do not wait for one another', async () => {
    const opened = await open({ atOnce: 1, timeoutMillis: 200 });
    const principals = await letIn(20, opened);
    opened.endpoint.answer(() => undefined);
    opened.time.seconds += 30;
    const before = opened.endpoint.asked.length;
    const later = await Promise.all(principals.map((one) => opened.authn.prolong(one)));
    expect(later.filter((one) => one !== undefined)).toEqual([]);
    expect(opened.endpoint.asked.length - before).toBeLessThanOrEqual(2);
  });
});

describe('a verdict', () => {
  test('is that of one configuration: for another audience the same token is not good', async () => {
    const [one, other] = [await open(), await open({ audience: 'jaaz-two' })];
    expect(await outcome(one.authn, 'good')).toBe('accepted');
    expect(await outcome(other.authn, 'good')).toBe('token-audience 401');
  });

  test.each([
    [{ iss: 'https://other.test/' }, 'token-issuer 401'],
    [{ aud: 'another' }, 'token-audience 401'],
    [{ aud: undefined }, 'token-audience 401'],
    [{ token_type: 'DPoP' }, 'token-type 401'],
    [{ exp: goodClaims.iat }, 'token-expired 401'],
    [{ sub: ['ann'] }, 'token-claims 401'],
    [{ sub: 'a\u0000' }, 'token-claims 401'],
  ])('is not good for a token of which is said %j', async (more, expected) => {
    const { endpoint, authn } = await open();
    endpoint.tokens.set('good', { ...activeClaims, ...more });
    expect(await outcome(authn, 'good')).toBe(expected);
  });

  test('is not good for a token that is said to end at no time that there is', async () => {
    const { endpoint, authn } = await open();
    const text = JSON.stringify(activeClaims).replace(/"exp":\d+/, '"exp":1e999');
    endpoint.answer((response) => say(response, text));
    expect(await outcome(authn, 'good')).toBe('token-claims 401');
  });

  test('outlives no revocation at the issuer by more than its age, on requests and for what is open', async () => {
    const { endpoint, time, authn } = await open();
    const principal = await authn.verify('good');
    endpoint.tokens.delete('good');
    expect(principal.expiresAtMillis - time.now()).toBe(30_000);
    expect(await authn.prolong(principal)).toBeUndefined();
    time.seconds += 30;
    expect(await outcome(authn, 'good')).toBe('token-inactive 401');
    expect(await rejectionOf(() => authn.recheck(principal))).toMatchObject({ reason: 'token-expired' });
  });
});

describe('a signed token that is passed off as an opaque one', () => {
  test('is asked about nowhere, however it is spoilt, even where the answer would be yes', async () => {
    const { endpoint, authn } = await open();
    endpoint.answer((response) => say(response, activeClaims));
    const forger = await signer('k1');
    const none = `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(goodClaims))}.`;
    for (const token of [
      none,
      forger.sign(),
      key.sign({ aud: 'x' }),
      key.sign({ exp: 1 }),
      'a.b.c',
      '..',
      `${key.sign()}=`,
    ]) {
      expect(await outcome(authn, token)).toMatch(/^token-[a-z]+ 401$/);
    }
    expect(endpoint.asked).toEqual([]);
  });
});

test('a gateway that can ask nobody takes no opaque token', async () => {
  const { authn } = await open();
  const signedOnly = authenticator([issuerSettings(keys.url)]);
  opened.push(signedOnly);
  expect(await outcome(signedOnly, 'good')).toBe('token-malformed 401');
  expect(await outcome(authn, 'good')).toBe('accepted');
});

test('no token stands in what the audit is told', async () => {
  const { endpoint, authn } = await open();
  const details: string[] = [];
  const token = 'tok-1234567890';
  for (const answer of [undefined, (response: ServerResponse) => void response.writeHead(500).end(token)]) {
    endpoint.answer(answer);
    const { message, cause } = await rejectionOf(() => authn.verify(`${token}${details.length}`));
    details.push(`${message} ${JSON.stringify(cause)}`);
  }
  expect(details).toHaveLength(2);
  expect(details.join()).not.toContain(token);
});
