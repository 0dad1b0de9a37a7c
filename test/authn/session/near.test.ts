import { describe, expect, test } from 'vitest';
import { type NearOptions, nearSessions } from '../../../src/authn/session/near.ts';
import { row, START, setClock } from '../../support/sessions.ts';

const TIMES = { idleMillis: 10_000, nearMillis: 500, touchMillis: 1000 };

const memory = (options: Partial<NearOptions> = {}) => {
  const clock = setClock();
  const touched: string[] = [];
  const near = nearSessions({
    times: TIMES,
    maxEntries: 3,
    touch: async (digest, used) => void touched.push(`${digest} ${used - START}`),
    now: clock.now,
    ...options,
  });
  return { clock, near, touched };
};

describe('a copy', () => {
  test('is believed for its time, and not beyond the end of its principal', () => {
    const { clock, near } = memory();
    const { digest, session } = row({ endsAtMillis: START + 700 });
    const principal = near.remember(digest, session);
    clock.forward(499);
    expect([near.recall(digest), near.recallForUse(digest)]).toEqual([principal, principal]);
    clock.forward(1);
    expect([near.recall(digest), near.recallForUse(digest)]).toEqual([undefined, undefined]);
    expect(near.remember(digest, session)).toBe(principal);
    clock.forward(200);
    expect([near.recall(digest), near.recallForUse(digest)]).toEqual([undefined, undefined]);
  });

  test('holds none of the provider’s tokens', () => {
    const { near } = memory();
    const { digest, session } = row({ sealedTokens: 'c2VhbGVk' });
    near.remember(digest, session);
    expect(near.find(digest)?.session).toEqual({ ...session, sealedTokens: undefined });
  });

  test.each([
    ['roles', { roles: ['viewer'] }],
    ['their order', { roles: ['b', 'a'] }],
    ['a tenant', { tenant: 'org' }],
    ['the time to ask', { refreshAtMillis: START + 5000 }],
    ['a later use', { usedAtMillis: START + 100 }],
  ])('of another principal comes of %s that changed, and stays one that did not', (_, change) => {
    const { near } = memory();
    const { digest, session } = row({ roles: ['a', 'b'] });
    const before = near.remember(digest, session);
    expect(near.remember(digest, { ...session, roles: ['a', 'b'] })).toBe(before);
    const after = near.remember(digest, { ...session, ...change });
    expect(after).not.toBe(before);
    expect(near.remember(digest, { ...session, ...change })).toBe(after);
    expect([near.digestOf(before), near.digestOf(after)]).toEqual([digest, digest]);
  });

  test('that could not be read anew is not taken for a younger one', () => {
    const { clock, near } = memory();
    const { digest, session } = row();
    near.remember(digest, session);
    clock.forward(500);
    near.remember(digest, session, { read: false, askAgainAtMillis: clock.now() + 100 });
    expect(near.find(digest)?.readAtMillis).toBe(START);
    clock.forward(99);
    expect(near.recall(digest)).toBeDefined();
    clock.forward(1);
    expect(near.recall(digest)).toBeUndefined();
  });

  test('that is forgotten is recalled no more; its principal still tells where it was found', () => {
    const { near } = memory();
    const { digest, session } = row();
    const principal = near.remember(digest, session);
    near.forget(digest);
    expect([near.recall(digest), near.use(digest), near.find(digest)]).toEqual([undefined, undefined, undefined]);
    expect(near.digestOf(principal)).toBe(digest);
    expect(near.digestOf({ ...principal })).toBeUndefined();
  });
});

describe('a use', () => {
  test('is written down when enough time is over, and moves the idle end at once', () => {
    const { clock, near, touched } = memory();
    const { digest, session } = row();
    near.remember(digest, session);
    clock.forward(999);
    near.use(digest);
    expect([touched, near.idleEnd(digest, session)]).toEqual([[], START + 999 + 10_000]);
    clock.forward(1);
    expect(near.use(digest)).toMatchObject({ expiresAtMillis: START + 1000 + 10_000 });
    expect(touched).toEqual([`${digest} 1000`]);
  });

  test('that was not written down is, when the principal runs out, when it makes room, and at the end', () => {
    const { clock, near, touched } = memory();
    const rows = [row(), row(), row(), row()];
    for (const { digest, session } of rows.slice(0, 3)) near.remember(digest, session);
    clock.forward(400);
    for (const { digest } of rows.slice(0, 2)) near.use(digest);
    const [first, second, , fourth] = rows;
    if (first === undefined || second === undefined || fourth === undefined) throw new Error('unreachable');
    near.remember(fourth.digest, fourth.session);
    expect(touched).toEqual([`${first.digest} 400`]);
    clock.forward(9600);
    expect(near.remember(second.digest, second.session)).toMatchObject({ expiresAtMillis: START + 10_400 });
    expect(touched.at(-1)).toBe(`${second.digest} 400`);
    near.use(second.digest);
    expect(touched.at(-1)).toBe(`${second.digest} 10000`);
    clock.forward(10);
    near.use(second.digest);
    near.flush();
    expect(touched.slice(3)).toEqual([`${second.digest} 10010`]);
  });

  test('that could not be written down is tried again after a second, with the later use', async () => {
    const tried: number[] = [];
    const touch = async (_digest: string, used: number) => {
      tried.push(used - START);
      throw new Error('away');
    };
    const { clock, near } = memory({ touch, times: { ...TIMES, touchMillis: 5000 } });
    const { digest, session } = row();
    near.remember(digest, session);
    clock.forward(5000);
    for (let each = 0; each < 20; each += 1) {
      near.use(digest);
      await Promise.resolve();
      clock.forward(100);
    }
    expect(tried).toEqual([5000, 6000]);
  });

  test('that another replica wrote down counts', () => {
    const { near } = memory();
    const { digest, session } = row();
    near.remember(digest, session);
    const later = { ...session, usedAtMillis: START + 5000 };
    expect(near.idleEnd(digest, later)).toBe(START + 15_000);
    expect(near.remember(digest, later)).toMatchObject({ expiresAtMillis: START + 15_000 });
    // Read before that, and late.
    expect(near.remember(digest, session)).toMatchObject({ expiresAtMillis: START + 15_000 });
  });
});

test('no more are remembered than may be; what was not read for longest goes first', () => {
  const { near } = memory();
  const rows = [row(), row(), row(), row()];
  for (const { digest, session } of rows) near.remember(digest, session);
  expect(near.size).toBe(3);
  expect(rows.map(({ digest }) => near.find(digest) !== undefined)).toEqual([false, true, true, true]);
  const second = rows[1];
  if (second === undefined) throw new Error('unreachable');
  near.remember(second.digest, second.session);
  const fifth = row();
  near.remember(fifth.digest, fifth.session);
  expect(rows.map(({ digest }) => near.find(digest) !== undefined)).toEqual([false, true, false, true]);
});

test('while the provider cannot tell, a principal holds until it is asked again', () => {
  const { clock, near } = memory();
  const { digest, session } = row({ refreshAtMillis: START });
  const principal = near.remember(digest, session, { askAgainAtMillis: START + 200 });
  expect(principal.expiresAtMillis).toBe(START + 200);
  clock.forward(200);
  expect(near.recall(digest)).toBeUndefined();
});
