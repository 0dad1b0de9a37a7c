/** A session that has ended stays ended, whatever was under way while it did. */
import { describe, expect, test } from 'vitest';
import { openRevocations } from '../../src/authn/revocation.ts';
import type { SessionStore } from '../../src/authn/session/store.ts';
import type { Session } from '../../src/model/session.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { memorySessions } from '../../src/store/memory/sessions.ts';
import { isOpen, newPath, open } from '../support/open-sessions.ts';
import { HOUR, MINUTE, provenLogin, START } from '../support/sessions.ts';

/** A store that hands out what it has read when it is told to. */
const slowStore = () => {
  const inner = memorySessions(() => START);
  const held: Array<() => void> = [];
  const state = { slow: false };
  const store: SessionStore = {
    ...inner,
    async read(digest): Promise<Session | undefined> {
      const { slow } = state;
      const found = await inner.read(digest);
      if (slow) await new Promise<void>((resolve) => held.push(resolve));
      return found;
    },
  };
  const release = (): void => {
    for (const resolve of held.splice(0)) resolve();
  };
  return { store, state, held, release };
};

describe('a reading that was under way when the session ended', () => {
  test('loses: who waited for it is nobody, and nothing of it is remembered', async () => {
    const { store, state, release } = slowStore();
    const { clock, sessions } = open({ store });
    const { value } = await sessions.begin(provenLogin());
    clock.forward(5000);
    state.slow = true;
    const late = [sessions.principalOf(value), sessions.principalOf(value)];
    state.slow = false;
    await sessions.end(value);
    release();
    expect(await Promise.all(late)).toEqual([undefined, undefined]);
    expect(await isOpen(sessions, value)).toBe(false);
  });

  test('loses too when it began between the revocation and the removal of the row', async () => {
    const { store, state, held, release } = slowStore();
    let late: ReturnType<typeof sessions.principalOf>;
    const removing: SessionStore = {
      ...store,
      async remove(digest) {
        state.slow = true;
        late = sessions.principalOf(value);
        state.slow = false;
        return await store.remove(digest);
      },
    };
    const { sessions } = open({ store: removing });
    const { value } = await sessions.begin(provenLogin());
    await sessions.end(value);
    expect(held).toHaveLength(1);
    release();
    expect(await late).toBeUndefined();
    expect(await isOpen(sessions, value)).toBe(false);
  });

  test('loses when all sessions of the user end', async () => {
    const { store, state, release } = slowStore();
    const { clock, sessions } = open({ store });
    const { value } = await sessions.begin(provenLogin());
    clock.forward(5000);
    state.slow = true;
    const late = sessions.principalOf(value);
    state.slow = false;
    expect(await sessions.endAll({ issuer: 'main', user: 'ann' }, START)).toBe(1);
    release();
    expect(await late).toBeUndefined();
    expect(await isOpen(sessions, value)).toBe(false);
  });
});

test('a store that comes back with older data brings no ended session back: its revocation is kept elsewhere', async () => {
  const store = memorySessions(() => START);
  const now = () => START;
  const revocations = await openRevocations({ store: memoryRevocations(now), now });
  const { sessions } = open({ store, revocations });
  const { value } = await sessions.begin(provenLogin());
  const [kept] = await store.find({ issuer: 'main', user: 'ann' });
  if (kept === undefined) throw new Error('the session is not there');
  await sessions.end(value);
  await store.insert(kept.digest, kept.session);
  const back = await sessions.principalOf(value);
  expect(back && revocations.revokes(back)).toBe('token-revoked');
  expect(revocations.list()).toMatchObject([{ by: 'session', untilMillis: kept.session.endsAtMillis }]);
  revocations.close();
});

test('a use that is written late brings nothing back', async () => {
  const path = newPath();
  const one = open({ path });
  const other = open({ path, now: one.clock.now });
  const { value } = await one.sessions.begin(provenLogin());
  await other.sessions.principalOf(value);
  one.clock.forward(MINUTE);
  // Written down in a moment; the session ends before.
  await other.sessions.principalOf(value);
  await one.sessions.end(value);
  other.store.close();
  one.clock.forward(5000);
  expect([await isOpen(one.sessions, value), await isOpen(other.sessions, value)]).toEqual([false, false]);
  expect(await one.store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
});

test('a copy that is still remembered elsewhere is not longer than seconds without its row', async () => {
  const path = newPath();
  const one = open({ path });
  const other = open({ path, now: one.clock.now });
  const { value } = await one.sessions.begin(provenLogin());
  await other.sessions.principalOf(value);
  await one.sessions.end(value);
  one.clock.forward(4999);
  expect(await isOpen(other.sessions, value)).toBe(true);
  one.clock.forward(1);
  expect(await isOpen(other.sessions, value)).toBe(false);
});

test('a session past its absolute end is not kept by use, by prolonging or by a clock that all of it shares', async () => {
  const { clock, sessions } = open({ lifetimeMillis: HOUR, idleMillis: 2 * HOUR });
  const { value, principal } = await sessions.begin(provenLogin());
  expect(principal.expiresAtMillis).toBe(START + HOUR);
  clock.forward(HOUR - 1);
  expect(await isOpen(sessions, value)).toBe(true);
  clock.forward(1);
  expect(await sessions.prolong(principal)).toBeUndefined();
  expect(await isOpen(sessions, value)).toBe(false);
});
