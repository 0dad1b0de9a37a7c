import { afterEach, describe, expect, test } from 'vitest';
import { type Asserted, type Assertions, KEYS_PATH } from '../../../src/authn/assertion/assertion.ts';
import { memorySigningKeys } from '../../../src/store/memory/signing-keys.ts';
import { eventually } from '../../support/eventually.ts';
import { freshSealer, keySetOf, NOON_MILLIS, openAssertions, readAssertion, somebody } from '../../support/signing.ts';

const open: Assertions[] = [];
const opened = async (...options: Parameters<typeof openAssertions>): Promise<Assertions> => {
  const one = await openAssertions(...options);
  open.push(one);
  return one;
};
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const about = (more: Partial<Asserted> = {}): Asserted => ({
  ...{ principal: somebody(), method: 'GET', target: '/api/canvas/c?page=2', requestId: 'r-1' },
  ...more,
});

describe.each(['ES256', 'EdDSA'] as const)('an assertion with %s', (algorithm) => {
  test('says who is calling for what, to whoever knows the published keys', async () => {
    const one = await opened({ algorithm });
    const principal = somebody('Zoë', ['editor', 'a,b'], 'acme');
    const { payload, header } = await readAssertion(one.sign(about({ principal })), keySetOf(one));
    expect(payload).toEqual({
      ...{ iss: 'jaaz-gateway', aud: 'jaaz', sub: 'corp|Zoë', user: 'Zoë', roles: ['editor', 'a,b'], tenant: 'acme' },
      ...{ iat: NOON_MILLIS / 1000, exp: NOON_MILLIS / 1000 + 60 },
      ...{ jti: 'r-1', htm: 'GET', target: '/api/canvas/c?page=2' },
    });
    expect(header).toEqual({ alg: algorithm, typ: 'jaaz-assertion+jwt', kid: keySetOf(one).keys[0]?.kid });
  });

  test('is nobody’s who has other keys, and nothing of it can be changed', async () => {
    const one = await opened({ algorithm });
    const token = one.sign(about());
    await expect(readAssertion(token, keySetOf(await opened({ algorithm })))).rejects.toThrow('no applicable key');
    const [head, , signature] = token.split('.');
    const other = one.sign(about({ principal: somebody('bob') })).split('.')[1];
    await expect(readAssertion(`${head}.${other}.${signature}`, keySetOf(one))).rejects.toThrow('signature');
  });
});

test('one holds for its lifetime, and not a moment less where that falls within a second', async () => {
  const at = NOON_MILLIS + 999;
  const one = await opened({ lifetimeMillis: 1_000, now: () => at });
  const token = one.sign(about());
  await readAssertion(token, keySetOf(one), at + 1_000);
  await expect(readAssertion(token, keySetOf(one), at + 2_001)).rejects.toThrow('"exp"');
});

test('a tenant is named only where there is one', async () => {
  const one = await opened();
  const { payload } = await readAssertion(one.sign(about()), keySetOf(one));
  expect(payload).not.toHaveProperty('tenant');
  expect(payload.roles).toEqual([]);
});

describe('what is published', () => {
  test('is public halves for signatures, and no private member of any key', async () => {
    for (const algorithm of ['ES256', 'EdDSA'] as const) {
      const { keys } = keySetOf(await opened({ algorithm }));
      expect(keys).toHaveLength(1);
      const members = algorithm === 'ES256' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x'];
      expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'kid', 'use', ...members].sort());
      expect(keys[0]).toMatchObject({ alg: algorithm, use: 'sig' });
    }
  });

  test('is at a fixed place, for everybody, and may be remembered for five minutes', async () => {
    const { endpoint } = await opened();
    expect(endpoint).toMatchObject({ method: 'GET', path: KEYS_PATH, form: false });
    expect(KEYS_PATH).toBe('/.well-known/jaaz-gateway/jwks.json');
    const answer = await endpoint.answer({ request: {} as never, form: new Map(), parameter: undefined });
    const headers = ['content-type', 'application/jwk-set+json', 'cache-control', 'public, max-age=300'];
    expect(answer).toMatchObject({ status: 200, headers });
  });

  test('may be remembered for less where keys change faster than that', async () => {
    const { endpoint } = await opened({ rotateMillis: 80_000 });
    const answer = await endpoint.answer({ request: {} as never, form: new Map(), parameter: undefined });
    expect(answer.headers.at(-1)).toBe('public, max-age=10');
  });
});

test('what was signed before the key changed is good until it expires, and what is signed after is, too', async () => {
  let now = NOON_MILLIS;
  const one = await opened({ now: () => now, rotateMillis: 100_000, everyMillis: 2 });
  const first = keySetOf(one).keys[0]?.kid;
  now += 76_000;
  await eventually(() => keySetOf(one).keys.length === 2);
  const remembered = keySetOf(one);
  const before = one.sign(about());
  expect((await readAssertion(before, remembered, now)).header.kid).toBe(first);
  // Longer than the lead of 25 s: the other one signs.
  now += 26_000;
  const after = one.sign(about());
  const read = await readAssertion(after, remembered, now);
  expect(read.header.kid).not.toBe(first);
  await readAssertion(before, keySetOf(one), now);
  // A lifetime, and five minutes for clocks that differ.
  now += 359_000;
  await eventually(() => keySetOf(one).keys.some(({ kid }) => kid !== first && kid !== read.header.kid));
  now += 2_000;
  await eventually(() => !keySetOf(one).keys.some(({ kid }) => kid === first));
});

test('another process on the same store signs with the same key', async () => {
  const both = { store: memorySigningKeys(), sealer: freshSealer() };
  const [one, other] = [await opened(both), await opened(both)];
  expect(keySetOf(other)).toEqual(keySetOf(one));
  await readAssertion(other.sign(about()), keySetOf(one));
});

test.each([
  ['a header that is not its own', { header: 'x-user-id' }],
  ['a header that clients send', { header: 'authorization' }],
  ['a header with more than a name in it', { header: 'x-a\r\nx-b' }],
  ['no audience', { audience: '' }],
  ['a lifetime of no second', { lifetimeMillis: 999 }],
  ['keys that change before what they signed is over', { rotateMillis: 59_999 }],
])('cannot be made with %s', async (_, options) => {
  await expect(openAssertions(options)).rejects.toThrow(TypeError);
});
