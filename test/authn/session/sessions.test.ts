/** Whose session a cookie opens, and until when. */
import { describe, expect, test } from 'vitest';
import type { SessionsOptions } from '../../../src/authn/session/sessions.ts';
import type { SessionStore } from '../../../src/authn/session/store.ts';
import { memorySessions } from '../../../src/store/memory/sessions.ts';
import { eventually } from '../../support/eventually.ts';
import { closeAll, isOpen, newPath, open } from '../../support/open-sessions.ts';
import {
  goesOn,
  HOUR,
  loginIssuer,
  MINUTE,
  provenLogin,
  START,
  sessionsOn,
  testSealer,
  unknownValue,
} from '../../support/sessions.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

describe('a login', () => {
  test('begins a session that its cookie opens, and names the user as a token would', async () => {
    const { sessions } = open({ issuers: [loginIssuer({ claims: { user: 'sub', roles: 'roles', tenant: 'org' } })] });
    const begun = await sessions.begin(provenLogin({ claims: { sub: 'ann', roles: ['editor'], org: 'acme' } }));
    expect(begun.principal).toEqual({
      ...{ owner: 'main|ann', issuer: 'main', user: 'ann', roles: ['editor'], tenant: 'acme' },
      ...{ tokenId: undefined, sessionId: begun.session.id },
      ...{ issuedAtMillis: START, expiresAtMillis: START + 10 * MINUTE },
    });
    expect(sessions.principalOf(begun.value)).toBe(begun.principal);
    expect(Object.isFrozen(begun.principal)).toBe(true);
    expect(begun.session.endsAtMillis).toBe(START + 8 * HOUR);
  });

  test('has a value and an id of its own each time; the one does not tell the other', async () => {
    const { sessions } = open();
    const begun = await Promise.all(Array.from({ length: 100 }, () => sessions.begin(provenLogin())));
    expect(new Set(begun.map(({ value }) => value)).size).toBe(100);
    expect(new Set(begun.map(({ session }) => session.id)).size).toBe(100);
    for (const { value, session } of begun) {
      expect(value).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(session.id).toMatch(/^[0-9a-f]{24}$/);
      expect(await isOpen(sessions, session.id)).toBe(false);
    }
  });

  test.each([
    ['no user', { roles: [] }, 'token-claims'],
    ['a tenant that is not let in', { sub: 'ann', org: 'evil' }, 'tenant-refused'],
  ])('with %s begins none', async (_, claims, reason) => {
    const tenants = new Set(['acme']);
    const issuers = [loginIssuer({ claims: { user: 'sub', roles: undefined, tenant: 'org' }, tenants })];
    const { sessions, store } = open({ issuers });
    expect(await rejectionOf(() => sessions.begin(provenLogin({ claims })))).toMatchObject({ reason });
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
  });

  test('of an issuer that has no login is a programmer’s mistake', async () => {
    const { sessions } = open({ issuers: [loginIssuer({ login: undefined })] });
    await expect(sessions.begin(provenLogin())).rejects.toThrow(TypeError);
  });
});

describe('a session in use', () => {
  test('is one object while nothing changes, without a promise, and is read again after seconds', async () => {
    let reads = 0;
    const store = memorySessions(() => START);
    const counted: SessionStore = {
      ...store,
      read(digest) {
        reads += 1;
        return store.read(digest);
      },
    };
    const { clock, sessions } = open({ store: counted });
    const { value, principal } = await sessions.begin(provenLogin());
    for (let each = 0; each < 100; each += 1) expect(sessions.principalOf(value)).toBe(principal);
    clock.forward(4999);
    expect(sessions.principalOf(value)).toBe(principal);
    expect(reads).toBe(0);
    clock.forward(1);
    const again = await Promise.all([sessions.principalOf(value), sessions.principalOf(value)]);
    expect(again).toEqual([principal, principal]);
    expect(again[0]).toBe(principal);
    expect(reads).toBe(1);
  });

  test('goes on as long as it is used, and ends when it was not used for its idle time', async () => {
    const { clock, sessions } = open();
    const { value } = await sessions.begin(provenLogin());
    for (let each = 0; each < 10; each += 1) {
      clock.forward(10 * MINUTE - 1);
      expect(await isOpen(sessions, value)).toBe(true);
    }
    clock.forward(10 * MINUTE);
    expect(await isOpen(sessions, value)).toBe(false);
  });

  test('ends at its absolute end, however much it is used, and says so from the start', async () => {
    const { clock, sessions } = open({ idleMillis: HOUR });
    const { value } = await sessions.begin(provenLogin());
    for (let each = 0; each < 15; each += 1) {
      clock.forward(30 * MINUTE);
      expect(await isOpen(sessions, value)).toBe(true);
    }
    expect(await sessions.principalOf(value)).toMatchObject({ expiresAtMillis: START + 8 * HOUR });
    clock.forward(30 * MINUTE);
    expect(await isOpen(sessions, value)).toBe(false);
  });

  test('is written down as used at most once a minute, and its end moves with that', async () => {
    const uses: number[] = [];
    const store = memorySessions(() => START);
    const counted: SessionStore = {
      ...store,
      touch(digest, usedAtMillis) {
        uses.push(usedAtMillis - START);
        return store.touch(digest, usedAtMillis);
      },
    };
    const { clock, sessions } = open({ store: counted });
    const { value, principal } = await sessions.begin(provenLogin());
    for (let second = 1; second <= 125; second += 1) {
      clock.forward(1000);
      await sessions.principalOf(value);
    }
    expect(uses).toEqual([60_000, 120_000]);
    const later = await sessions.principalOf(value);
    expect(later).not.toBe(principal);
    expect(later).toMatchObject({ expiresAtMillis: START + 120_000 + 10 * MINUTE });
  });

  test('that another replica used is not idle, and one that nobody used is, by the store’s word', async () => {
    const path = newPath();
    const one = open({ path });
    const other = open({ path, now: one.clock.now });
    const { value } = await one.sessions.begin(provenLogin());
    expect(await isOpen(other.sessions, value)).toBe(true);
    for (let minute = 1; minute <= 30; minute += 1) {
      one.clock.forward(MINUTE);
      await one.sessions.principalOf(value);
    }
    await eventually(
      async () =>
        (await other.store.find({ issuer: 'main', user: 'ann' }))[0]?.session.usedAtMillis === one.clock.now(),
    );
    expect(await isOpen(other.sessions, value)).toBe(true);
    one.clock.forward(10 * MINUTE);
    expect([await isOpen(one.sessions, value), await isOpen(other.sessions, value)]).toEqual([false, false]);
  });

  test('is known after a restart, with the use of just before', async () => {
    const path = newPath();
    const before = open({ path });
    const { value, session } = await before.sessions.begin(provenLogin());
    before.clock.forward(9 * MINUTE + 30_000);
    await before.sessions.principalOf(value);
    before.clock.forward(29_000);
    await before.sessions.principalOf(value);
    closeAll();
    before.clock.forward(10 * MINUTE - 1);
    const after = open({ path, now: before.clock.now });
    expect(await after.sessions.principalOf(value)).toMatchObject({ owner: 'main|ann', sessionId: session.id });
  });

  test('is of nobody when its issuer, the login of it or its tenant is not in the configuration any more', async () => {
    const path = newPath();
    const claims = { user: 'sub', roles: undefined, tenant: 'org' };
    const { sessions, clock } = open({ path, issuers: [loginIssuer({ claims })] });
    const { value } = await sessions.begin(provenLogin({ claims: { sub: 'ann', org: 'acme' } }));
    const isOpenWith = (issuers: SessionsOptions['issuers']) =>
      isOpen(open({ path, issuers, now: clock.now }).sessions, value);
    expect(await isOpenWith([loginIssuer({ claims, name: 'other' })])).toBe(false);
    expect(await isOpenWith([loginIssuer({ claims, login: undefined })])).toBe(false);
    expect(await isOpenWith([loginIssuer({ claims, tenants: new Set(['umbrella']) })])).toBe(false);
    expect(await isOpenWith([loginIssuer({ claims, tenants: new Set(['acme']) })])).toBe(true);
  });

  test('makes room for others, and is found again', async () => {
    const { sessions } = open({ nearEntries: 2 });
    const begun = await Promise.all(Array.from({ length: 20 }, () => sessions.begin(provenLogin())));
    const principals = await Promise.all(begun.map(({ value }) => sessions.principalOf(value)));
    expect(principals).toEqual(begun.map(({ principal }) => principal));
  });
});

describe('what opens nothing', () => {
  test('is looked up once for all who show it at one time, and is looked up again later', async () => {
    let reads = 0;
    const store = memorySessions(() => START);
    const counted: SessionStore = {
      ...store,
      async read() {
        reads += 1;
        return undefined;
      },
    };
    const { sessions } = open({ store: counted });
    const asked = Array.from({ length: 100 }, () => sessions.principalOf(unknownValue()));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([undefined]));
    expect(reads).toBe(1);
    await sessions.principalOf(unknownValue());
    expect(reads).toBe(2);
  });

  test('ends nothing either', async () => {
    const { sessions } = open();
    expect(await sessions.end(unknownValue())).toBeUndefined();
    expect(await sessions.end('')).toBeUndefined();
    expect(await sessions.endAll({ issuer: 'main', user: 'ann' }, START)).toBe(0);
    expect(sessions.revoked).toEqual([]);
  });
});

describe('prolong', () => {
  test('returns the principal as it is by now, and is no use of the session', async () => {
    const { clock, sessions } = open();
    const { value, principal } = await sessions.begin(provenLogin());
    expect(await sessions.prolong(principal)).toBe(principal);
    clock.forward(9 * MINUTE);
    expect(await sessions.prolong(principal)).toBe(principal);
    const used = await sessions.principalOf(value);
    clock.forward(MINUTE);
    expect(await sessions.prolong(principal)).toBe(used);
    expect(used).toMatchObject({ expiresAtMillis: START + 19 * MINUTE });
    clock.forward(9 * MINUTE);
    expect(await sessions.prolong(principal)).toBeUndefined();
    if (used === undefined) throw new Error('unreachable');
    expect(await sessions.prolong(used)).toBeUndefined();
  });

  test('asked for all the time does not keep a session that nobody uses', async () => {
    const { clock, sessions } = open();
    const { principal } = await sessions.begin(provenLogin());
    for (let second = 4; second < 600; second += 4) {
      clock.forward(4000);
      expect(await sessions.prolong(principal)).toBe(principal);
    }
    clock.forward(4000);
    expect(await sessions.prolong(principal)).toBeUndefined();
  });

  test('counts a use that was not written down yet', async () => {
    const { clock, sessions } = open();
    const { value, principal } = await sessions.begin(provenLogin());
    clock.forward(59_000);
    expect(await sessions.principalOf(value)).toBe(principal);
    clock.forward(10 * MINUTE - 59_000);
    expect(await sessions.prolong(principal)).toMatchObject({ expiresAtMillis: START + 59_000 + 10 * MINUTE });
  });

  test('is nothing for a session that has ended, and for a principal of elsewhere', async () => {
    const { sessions } = open();
    const { value, principal } = await sessions.begin(provenLogin());
    await sessions.end(value);
    expect(await sessions.prolong(principal)).toBeUndefined();
    const { principal: foreign } = await open().sessions.begin(provenLogin());
    expect(await sessions.prolong(foreign)).toBeUndefined();
  });
});

test('times that would end nothing are refused at the start', () => {
  const store = memorySessions();
  for (const times of [{ idleMillis: 0 }, { lifetimeMillis: Number.NaN }, { nearMillis: -1 }, { nearEntries: 0 }])
    expect(() => sessionsOn(store, times)).toThrow(TypeError);
});

test('what is over, or was not used for long, is purged from the start', async () => {
  const path = newPath();
  const { sessions, clock } = open({ path });
  await sessions.begin(provenLogin());
  clock.forward(12 * MINUTE);
  const { store } = open({ path, now: clock.now });
  clock.forward(-12 * MINUTE);
  await eventually(async () => (await store.find({ issuer: 'main', user: 'ann' })).length === 0);
});

test('refreshed tokens and secrets that are not used any more: a session goes on with the new secret', async () => {
  const path = newPath();
  const [old, young] = [Buffer.alloc(32, 'old'), Buffer.alloc(32, 'young')];
  const shown: string[] = [];
  const refresh: SessionsOptions['refresh'] = async (_issuer, token) => {
    shown.push(token);
    return goesOn({ refreshToken: 'refresh-1', refreshAtMillis: START + 2 * MINUTE });
  };
  const first = open({ path, sealer: testSealer(old) });
  const { value } = await first.sessions.begin(provenLogin({ refreshAtMillis: START + MINUTE }));
  first.clock.forward(MINUTE);
  const second = open({ path, sealer: testSealer(young, old), refresh, now: first.clock.now });
  expect(await isOpen(second.sessions, value)).toBe(true);
  first.clock.forward(MINUTE);
  const third = open({ path, sealer: testSealer(young), refresh, now: first.clock.now });
  expect(await isOpen(third.sessions, value)).toBe(true);
  expect(shown).toEqual(['refresh-0', 'refresh-1']);
});
