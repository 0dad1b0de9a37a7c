import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type IntrospectionNotice,
  type IntrospectionOptions,
  introspection,
} from '../../../src/authn/introspection/introspection.ts';
import type { IssuerSettings } from '../../../src/authn/issuer.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type AskedOf,
  activeClaims,
  type IntrospectionServer,
  introspectionServer,
  opaqueIssuer,
  say,
} from '../../support/introspection-server.ts';
import { clock, issuerSettings, NOON, outcome, rejectionOf, signer } from '../../support/token-issuer.ts';

const opened: IntrospectionServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

const introspectionAt = (url: string, maxAgeMillis: number) => ({
  ...{ url, clientId: 'gateway', clientSecret: 'secret', maxAgeMillis },
});

interface OpenOptions extends Partial<IntrospectionOptions> {
  readonly tokens?: Readonly<Record<string, object>>;
  readonly settings?: Partial<IssuerSettings>;
  readonly maxAgeMillis?: number;
}

const open = async ({ tokens, settings, maxAgeMillis = 30_000, ...options }: OpenOptions = {}) => {
  const server = await introspectionServer({ good: activeClaims, ...tokens });
  opened.push(server);
  const time = clock();
  const notices: IntrospectionNotice[] = [];
  const reader = introspection({
    issuers: [opaqueIssuer(server.url, { ...settings, introspection: introspectionAt(server.url, maxAgeMillis) })],
    now: time.now,
    notice: (notice) => notices.push(notice),
    ...options,
  });
  const askedFor = (token: string): number => server.asked.filter(({ form }) => form.get('token') === token).length;
  return { server, time, reader, notices, askedFor };
};

describe('which tokens it reads', () => {
  test.each(['x', 'a.b', 'a.b.c.d', 'a.b.c.d.e', '2YotnFZFEjr1zCsicMWpAA', '..x.'])('%s', async (token) => {
    expect((await open()).reader.reads(token)).toBe(true);
  });

  test('none that is signed, or meant to be, and no API key', async () => {
    const { reader } = await open();
    for (const token of [(await signer('k1')).sign(), 'a.b.c', '..', 'jgk_', 'JGK_x', 'jgk_0123456789ab_x.y']) {
      expect(reader.reads(token), token).toBe(false);
    }
  });
});

describe('an opaque token', () => {
  test('is whose its issuer says', async () => {
    const { reader, server } = await open();
    expect(await reader.verify('good')).toMatchObject({ owner: 'main|ann', expiresAtMillis: (NOON + 30) * 1000 });
    expect(await outcome(reader, 'unheard-of')).toBe('token-inactive 401');
    expect(server.asked).toHaveLength(2);
  });

  test('is asked about once for all who show it at the same time', async () => {
    const { reader, server } = await open();
    const found = await Promise.all(Array.from({ length: 50 }, () => reader.verify('good')));
    expect(new Set(found).size).toBe(1);
    expect(server.asked).toHaveLength(1);
  });

  test('is remembered, without a promise, until the answer is too old', async () => {
    const { reader, server, time } = await open();
    const principal = await reader.verify('good');
    time.seconds += 29.999;
    expect(reader.verify('good')).toBe(principal);
    time.seconds += 0.001;
    server.tokens.delete('good');
    expect(await outcome(reader, 'good')).toBe('token-inactive 401');
    expect(server.asked).toHaveLength(2);
  });

  test('is remembered no longer than it lasts, tolerance included', async () => {
    const tokens = { short: { ...activeClaims, exp: NOON + 10 } };
    const { reader, time, askedFor } = await open({ tokens, settings: { clockToleranceSeconds: 5 } });
    expect(await reader.verify('short')).toMatchObject({ expiresAtMillis: (NOON + 10) * 1000 });
    time.seconds += 14.999;
    await reader.verify('short');
    expect(askedFor('short')).toBe(1);
    time.seconds += 0.001;
    expect(await outcome(reader, 'short')).toBe('token-expired 401');
    expect(askedFor('short')).toBe(2);
  });

  test('counts from when it was asked about, however long the answer took', async () => {
    const { reader, server, time } = await open();
    server.answer((response) => {
      time.seconds += 2;
      say(response, activeClaims);
    });
    expect(await reader.verify('good')).toMatchObject({ expiresAtMillis: (NOON + 30) * 1000 });
  });

  test('that is not good is asked about again after five seconds', async () => {
    const { reader, server, time } = await open();
    expect(await outcome(reader, 'late')).toBe('token-inactive 401');
    server.tokens.set('late', activeClaims);
    time.seconds += 4.999;
    expect(await outcome(reader, 'late')).toBe('token-inactive 401');
    expect(server.asked).toHaveLength(1);
    time.seconds += 0.001;
    expect(await outcome(reader, 'late')).toBe('accepted');
  });

  test('is remembered less long where that is configured', async () => {
    const { reader, askedFor, time } = await open({ maxAgeMillis: 2000 });
    expect(await reader.verify('good')).toMatchObject({ expiresAtMillis: (NOON + 2) * 1000 });
    time.seconds += 2;
    await reader.verify('good');
    expect(askedFor('good')).toBe(2);
  });

  test('in a clock that was set back is asked about again', async () => {
    const { reader, server, time } = await open();
    await reader.verify('good');
    time.seconds -= 1;
    server.tokens.delete('good');
    expect(await outcome(reader, 'good')).toBe('token-inactive 401');
  });

  test.each(['', 'a b', 'a\nb', 'a%00', 'ä', 'a=b', '{"token":1}'])(
    'is sent nowhere when it cannot be one: %j',
    async (token) => {
      const { reader, server } = await open();
      expect(await outcome(reader, token)).toBe('token-malformed 401');
      expect(await outcome(reader, 'x'.repeat(8193))).toBe('token-too-large 401');
      expect(server.asked).toEqual([]);
    },
  );
});

describe('prolonging', () => {
  test('asks again, and returns the principal as it is by then', async () => {
    const { reader, server, time } = await open();
    const before = await reader.verify('good');
    time.seconds += 29.8;
    server.tokens.set('good', { ...activeClaims, roles: ['admin'] });
    const later = await reader.prolong(before);
    expect(later).toMatchObject({ owner: 'main|ann', roles: ['admin'], expiresAtMillis: (NOON + 59.8) * 1000 });
    expect(reader.verify('good')).toBe(later);
    // Whoever lives by the one before need not ask once more.
    expect(reader.prolong(before)).toBe(later);
    expect(server.asked).toHaveLength(2);
  });

  test('is one question for all who live by the token', async () => {
    const { reader, server } = await open();
    const before = await reader.verify('good');
    const later = await Promise.all(Array.from({ length: 50 }, () => reader.prolong(before)));
    expect([new Set(later).size, server.asked.length]).toEqual([1, 2]);
  });

  test('ends the authority of a token that was taken back, at once also for requests', async () => {
    const { reader, server } = await open();
    const before = await reader.verify('good');
    server.tokens.delete('good');
    expect(await reader.prolong(before)).toBeUndefined();
    expect(await outcome(reader, 'good')).toBe('token-inactive 401');
    expect(reader.prolong(before)).toBeUndefined();
    expect(server.asked).toHaveLength(2);
  });

  test('ends it where the issuer cannot be asked, and where it says that the token is another’s', async () => {
    const { reader, server } = await open();
    const before = await reader.verify('good');
    server.answer((response) => void response.writeHead(500).end());
    expect(await reader.prolong(before)).toBeUndefined();
    server.answer(undefined);
    server.tokens.set('good', { ...activeClaims, sub: 'bob' });
    expect(await reader.prolong(before)).toBeUndefined();
  });

  test('knows nobody else’s principals', async () => {
    const [one, other] = [await open(), await open()];
    expect(one.reader.prolong(await other.reader.verify('good'))).toBeUndefined();
  });
});

describe('while the issuer cannot be asked', () => {
  const broken = (response: ServerResponse) => void response.writeHead(500).end();

  test('a token is refused with 503, with the time after which asking again makes sense, and nothing is remembered', async () => {
    const { reader, server } = await open();
    server.answer(broken);
    expect(await rejectionOf(() => reader.verify('good'))).toMatchObject({
      reason: 'introspection-unavailable',
      status: 503,
      headers: ['Retry-After', '5'],
      message: 'the introspection of main answered with 500',
      cause: undefined,
    });
    server.answer(undefined);
    expect(await outcome(reader, 'good')).toBe('accepted');
  });

  test('what it said before holds, and no longer than it would have', async () => {
    const { reader, server, time } = await open();
    await reader.verify('good');
    server.answer(broken);
    time.seconds += 29;
    expect(await outcome(reader, 'good')).toBe('accepted');
    time.seconds += 1;
    expect(await outcome(reader, 'good')).toBe('introspection-unavailable 503');
  });

  test('the operator is told once, and once when it is over', async () => {
    const { reader, server, notices } = await open();
    server.answer(broken);
    for (const token of ['a', 'b', 'c']) await outcome(reader, token);
    expect([reader.healthy(), notices]).toEqual([
      false,
      [{ issuer: 'main', kind: 'introspection-failed', detail: 'answered with 500' }],
    ]);
    server.answer(undefined);
    for (const token of ['a', 'b', 'c']) await outcome(reader, token);
    expect([reader.healthy(), notices[1]]).toEqual([
      true,
      { issuer: 'main', kind: 'introspection-works', detail: 'answers again' },
    ]);
    expect(notices).toHaveLength(2);
  });

  test('nobody waits for longer than the limit', async () => {
    const { reader, server } = await open({ timeoutMillis: 60 });
    server.answer(() => undefined);
    const begun = performance.now();
    expect(await outcome(reader, 'good')).toBe('introspection-unavailable 503');
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe('how many are asked about at once', () => {
  test('is bounded, the next wait, and more are refused with 503', async () => {
    const { reader, server } = await open({ atOnce: 3, waiting: 2 });
    const held: Array<readonly [ServerResponse, AskedOf]> = [];
    server.answer((response, asked) => held.push([response, asked]));
    const asking = Array.from({ length: 7 }, (_, index) => outcome(reader, `t${index}`));
    expect(await asking[5]).toBe('introspection-unavailable 503');
    expect(await rejectionOf(() => reader.verify('t8'))).toMatchObject({ headers: ['Retry-After', '1'] });
    await eventually(() => held.length === 3);
    server.answer((response) => say(response, activeClaims));
    for (const [response] of held) say(response, { active: false });
    const inactive = 'token-inactive 401';
    const full = 'introspection-unavailable 503';
    expect(await Promise.all(asking)).toEqual([inactive, inactive, inactive, 'accepted', 'accepted', full, full]);
    expect(reader.healthy()).toBe(true);
  });
});

describe('the settings', () => {
  const [one, other] = [
    opaqueIssuer('http://127.0.0.1/'),
    opaqueIssuer('http://127.0.0.1/', { name: 'b', issuer: 'b' }),
  ];
  const lasting = (maxAgeMillis: number): IssuerSettings =>
    opaqueIssuer('', { introspection: introspectionAt('https://x.test/', maxAgeMillis) });

  test.each<[string, IssuerSettings[]]>([
    ['no issuer with an introspection', [issuerSettings('http://127.0.0.1/')]],
    ['two of them', [one, other]],
    ['an age below a second', [lasting(999)]],
    ['an age above five minutes', [lasting(300_001)]],
    ['an age that is none', [lasting(Number.NaN)]],
    ['an URL in the clear', [opaqueIssuer('http://issuer.test/')]],
  ])('are refused with %s', (_, issuers) => {
    expect(() => introspection({ issuers })).toThrow(TypeError);
  });

  test('are fine with one of several issuers, and an age of five minutes', () => {
    expect(() => introspection({ issuers: [issuerSettings('http://127.0.0.1/'), lasting(300_000)] })).not.toThrow();
  });
});
