/** How a session begins, and when it does not. The races with a logout are in test/attack/logout-during-login.test.ts. */
import { describe, expect, test } from 'vitest';
import { openRevocations } from '../../../src/authn/revocation.ts';
import { available, digestOf } from '../../../src/authn/session/begin.ts';
import { memoryRevocations } from '../../../src/store/memory/revocations.ts';
import { memorySessions } from '../../../src/store/memory/sessions.ts';
import { breakableStore, isOpen, open } from '../../support/open-sessions.ts';
import { MINUTE, provenLogin, START, setClock } from '../../support/sessions.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

const ANN = { issuer: 'main', user: 'ann' };
const NO_TERMS = { untilMillis: undefined, note: undefined };

test('a session is kept under the digest of its value, and what a store throws is a 503', async () => {
  const { sessions, store } = open();
  const { value, session } = await sessions.begin(provenLogin());
  expect(await store.read(digestOf(value))).toEqual(session);
  const refused = await rejectionOf(() => available(() => Promise.reject(new Error('away'))));
  expect(refused).toMatchObject({ reason: 'sessions-unavailable', headers: ['Retry-After', '1'] });
});

describe('a session that would be revoked from its beginning', () => {
  const revoking = async () => {
    const clock = setClock();
    const revocations = await openRevocations({ store: memoryRevocations(clock.now), now: clock.now });
    return { revocations, ...open({ revocations, now: clock.now }), clock };
  };

  test('does not begin: its browser would go to and fro between the page and the provider', async () => {
    const { revocations, sessions, store, clock } = await revoking();
    await revocations.add({ ...NO_TERMS, by: 'issued-before', issuer: undefined, beforeMillis: START + MINUTE });
    expect(await rejectionOf(() => sessions.begin(provenLogin()))).toMatchObject({ reason: 'login-failed' });
    expect(await store.find(ANN)).toEqual([]);
    clock.forward(MINUTE);
    expect((await sessions.begin(provenLogin())).principal.owner).toBe('main|ann');
  });

  test('is none of a user who was revoked a millisecond before', async () => {
    const { revocations, sessions, clock } = await revoking();
    const earlier = await sessions.begin(provenLogin());
    await revocations.add({ ...NO_TERMS, ...ANN, by: 'user' });
    expect(await rejectionOf(() => sessions.begin(provenLogin()))).toMatchObject({ reason: 'login-failed' });
    clock.forward(1);
    const { principal } = await sessions.begin(provenLogin());
    expect([earlier.principal, principal].map((one) => revocations.revokes(one))).toEqual(['token-revoked', undefined]);
  });
});

describe('of one user', () => {
  test('a hundred sessions go on; with one more ends what was not used for longest', async () => {
    const { clock, sessions, store } = open();
    const begun = [];
    for (let each = 0; each < 100; each += 1) {
      clock.forward(1);
      begun.push(await sessions.begin(provenLogin({ providerSessionId: `s-${each}` })));
    }
    const bob = await sessions.begin(provenLogin({ claims: { sub: 'bob' } }));
    await store.touch(digestOf(begun[0]?.value ?? ''), clock.now() + 1);
    expect(sessions.revoked).toEqual([]);
    clock.forward(2);
    const last = await sessions.begin(provenLogin());
    expect(await store.find(ANN)).toHaveLength(100);
    expect(sessions.revoked).toEqual([begun[1]?.session.id]);
    const values = [begun[0], begun[1], begun[2], bob, last].map((one) => one?.value ?? '');
    expect(await Promise.all(values.map((value) => isOpen(sessions, value)))).toEqual([true, false, true, true, true]);
  });

  test('what ends so is on the list of revocations for ten minutes, not for as long as a session lasts', async () => {
    const clock = setClock();
    const revocations = await openRevocations({ store: memoryRevocations(clock.now), now: clock.now });
    const { sessions } = open({ revocations, now: clock.now });
    for (let each = 0; each < 150; each += 1) await sessions.begin(provenLogin());
    expect(revocations.list()).toHaveLength(50);
    clock.forward(10 * MINUTE);
    expect(revocations.list()).toEqual([]);
  });
});

test('a login whose claims do not say when they were issued is refused after any logout that is noted', async () => {
  const { sessions, store } = open();
  await sessions.endAll(ANN, START - MINUTE);
  expect(await rejectionOf(() => sessions.begin(provenLogin()))).toMatchObject({ reason: 'login-failed' });
  expect(await store.find(ANN)).toEqual([]);
  const later = { sub: 'ann', iat: START / 1000 };
  expect((await sessions.begin(provenLogin({ claims: later }))).principal.owner).toBe('main|ann');
});

test('a logout that cannot be asked about begins nothing', async () => {
  const { store } = breakableStore();
  const { sessions } = open({ store: { ...store, loggedOutAt: () => Promise.reject(new Error('away')) } });
  expect(await rejectionOf(() => sessions.begin(provenLogin()))).toMatchObject({ reason: 'sessions-unavailable' });
});

test('of a logout on another replica, while the login is completed here, no session is left', async () => {
  const store = memorySessions(() => START);
  const there = open({ store });
  const here = open({
    store: {
      ...store,
      async insert(digest, session) {
        await there.sessions.endAll(ANN, START);
        await store.insert(digest, session);
      },
    },
  });
  const claims = { sub: 'ann', iat: START / 1000 };
  expect(await rejectionOf(() => here.sessions.begin(provenLogin({ claims })))).toMatchObject({
    reason: 'login-failed',
  });
  expect(await store.find(ANN)).toEqual([]);
});
