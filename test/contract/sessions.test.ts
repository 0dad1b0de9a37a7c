/** What every store of sessions does; and what those do that other processes share. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { SessionStore } from '../../src/authn/session/store.ts';
import { LedgerError } from '../../src/store/ledger-error.ts';
import { HOUR, MINUTE, row, START, setClock } from '../support/sessions.ts';
import { closeStores, connect, newSpace, pathOf, remote, sqlite, stores } from './session-stores.ts';

describe.each(stores)('sessions in $name', ({ open }) => {
  test('come back as they were kept, by their whole digest alone', async () => {
    const store = await open(setClock());
    const bare = row({ providerSessionId: undefined, roles: [] });
    const full = row({
      ...{ user: 'änn|"x"\n', roles: ['a b', 'ü'], tenant: 'org', refreshAtMillis: START + 5 },
      ...{ sealedTokens: 'c2VhbGVk', version: 7 },
    });
    for (const { digest, session } of [bare, full]) await store.insert(digest, session);
    expect(await store.read(bare.digest)).toEqual(bare.session);
    expect(await store.read(full.digest)).toEqual(full.session);
    for (const other of [full.digest.slice(0, -1), `${full.digest}0`, full.digest.toUpperCase(), '', '%', '*'])
      expect(await store.read(other)).toBeUndefined();
  });

  test('are one for a digest', async () => {
    const store = await open(setClock());
    const { digest, session } = row();
    await store.insert(digest, session);
    await expect(store.insert(digest, row({ user: 'bob' }).session)).rejects.toThrow();
    expect(await store.read(digest)).toEqual(session);
  });

  test('are gone at their end, however much they were used', async () => {
    const clock = setClock();
    const store = await open(clock);
    const { digest, session } = row();
    await store.insert(digest, session);
    clock.forward(HOUR - 1);
    await store.touch(digest, clock.now());
    expect(await store.read(digest)).toEqual({ ...session, usedAtMillis: clock.now() });
    clock.forward(1);
    expect(await store.read(digest)).toBeUndefined();
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
  });

  test('remember their last use and never an earlier one; what is gone does not come back by being used', async () => {
    const store = await open(setClock());
    const { digest, session } = row();
    await store.insert(digest, session);
    await Promise.all([store.touch(digest, START + 2), store.touch(digest, START + 1), store.touch('none', START)]);
    await store.touch(digest, START - 1);
    expect(await store.read(digest)).toEqual({ ...session, usedAtMillis: START + 2 });
    await store.remove(digest);
    await store.touch(digest, START + 3);
    expect([await store.read(digest), await store.read('none')]).toEqual([undefined, undefined]);
  });

  test('are replaced by the next version alone, and keep the later use', async () => {
    const store = await open(setClock());
    const { digest, session } = row();
    await store.insert(digest, session);
    await store.touch(digest, START + 9);
    const next = { ...session, roles: ['admin'], tenant: 'org', refreshAtMillis: START + 7, sealedTokens: 'bmV3' };
    expect(await store.replace(digest, { ...next, version: 2 })).toBe(false);
    expect(await store.replace(digest, { ...next, version: 0 })).toBe(false);
    expect(await store.replace('none', { ...next, version: 1 })).toBe(false);
    expect(await store.read(digest)).toMatchObject({ roles: ['editor'], version: 0 });
    expect(await store.replace(digest, { ...next, version: 1 })).toBe(true);
    expect(await store.read(digest)).toEqual({ ...next, version: 1, usedAtMillis: START + 9 });
    expect(await store.replace(digest, { ...next, roles: [], version: 1 })).toBe(false);
    await store.remove(digest);
    expect(await store.replace(digest, { ...next, version: 2 })).toBe(false);
    expect(await store.read(digest)).toBeUndefined();
  });

  test('are removed once, and found no more', async () => {
    const store = await open(setClock());
    const { digest, session } = row();
    await store.insert(digest, session);
    expect([await store.remove(digest), await store.remove(digest), await store.remove('x')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await store.read(digest)).toBeUndefined();
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
  });

  test('are found by their user and by their session at the provider, of one issuer', async () => {
    const store = await open(setClock());
    const [one, other] = [row(), row({ providerSessionId: 'sid-2' })];
    const foreign = row({ issuer: 'second' });
    const bob = row({ user: 'bob', providerSessionId: undefined });
    for (const { digest, session } of [one, other, foreign, bob]) await store.insert(digest, session);
    const foundBy = async (of: Parameters<SessionStore['find']>[0]) =>
      (await store.find(of)).map(({ digest }) => digest).sort();
    expect(await foundBy({ issuer: 'main', user: 'ann' })).toEqual([one.digest, other.digest].sort());
    expect(await foundBy({ issuer: 'main', providerSessionId: 'sid-1' })).toEqual([one.digest]);
    expect(await foundBy({ issuer: 'second', providerSessionId: 'sid-1' })).toEqual([foreign.digest]);
    expect(await foundBy({ issuer: 'main', user: 'bob' })).toEqual([bob.digest]);
    expect(await foundBy({ issuer: 'main', providerSessionId: 'bob' })).toEqual([]);
    expect(await foundBy({ issuer: 'main', user: 'sid-1' })).toEqual([]);
    expect(await store.find({ issuer: 'main', user: 'bob' })).toEqual([bob]);
  });

  test('are asked about by one holder at a time: until it gives back, its time is over or an answer is kept', async () => {
    const clock = setClock();
    const store = await open(clock);
    const { digest, session } = row();
    const lease = (holder: string) => store.lease(digest, holder, clock.now() + MINUTE);
    expect(await lease('a')).toBe(false);
    await store.insert(digest, session);
    expect([await lease('a'), await lease('b'), await lease('a')]).toEqual([true, false, true]);
    await store.giveBack(digest, 'b');
    expect(await lease('b')).toBe(false);
    await store.giveBack(digest, 'a');
    expect([await lease('b'), await lease('a')]).toEqual([true, false]);
    clock.forward(MINUTE);
    expect([await lease('a'), await lease('b')]).toEqual([true, false]);
    await store.replace(digest, { ...session, version: 1 });
    expect(await lease('b')).toBe(true);
    await store.remove(digest);
    expect(await lease('b')).toBe(false);
  });

  test('give one of many that ask at once the right to ask', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const replicas = [await open(clock, space), await open(clock, space)];
    const { digest, session } = row();
    await replicas[0]?.insert(digest, session);
    const asked = Array.from({ length: 100 }, (_, index) =>
      replicas[index % 2]?.lease(digest, `holder-${index}`, clock.now() + MINUTE),
    );
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
  });

  test('of one replica are those of the other', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const [one, other] = [await open(clock, space), await open(clock, space)];
    const { digest, session } = row();
    await one.insert(digest, session);
    expect(await other.read(digest)).toEqual(session);
    await other.touch(digest, START + 5);
    expect(await one.read(digest)).toMatchObject({ usedAtMillis: START + 5 });
    expect(await other.remove(digest)).toBe(true);
    expect(await one.read(digest)).toBeUndefined();
  });
});

describe.each(stores.slice(0, 2))('sessions in $name', ({ open }) => {
  test('are purged when they are over or were not used for long, and only then', async () => {
    const clock = setClock();
    const store = await open(clock);
    const [over, unused, used] = [row({ endsAtMillis: START + 10 }), row(), row({ usedAtMillis: START + 6 })];
    for (const { digest, session } of [over, unused, used]) await store.insert(digest, session);
    await store.purge(START - 1);
    expect(await store.find({ issuer: 'main', user: 'ann' })).toHaveLength(3);
    clock.forward(10);
    await store.purge(START + 5);
    // Seen with the eyes of a time at which none of them was over.
    clock.forward(-10);
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([used]);
  });
});

describe('sessions in SQLite', () => {
  test('outlive a restart, and so does the last use that was still to be written', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const { digest, session } = row();
    const before = await sqlite(clock, space);
    await before.insert(digest, session);
    const touched = before.touch(digest, START + 3);
    expect(await before.read(digest)).toMatchObject({ usedAtMillis: START + 3 });
    closeStores();
    await touched;
    expect(await (await sqlite(clock, space)).read(digest)).toEqual({ ...session, usedAtMillis: START + 3 });
  });

  test('are purged however many they are, a part at a time', async () => {
    const clock = setClock();
    const store = await sqlite(clock);
    await Promise.all(Array.from({ length: 1200 }, () => row()).map((one) => store.insert(one.digest, one.session)));
    await store.purge(START);
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([]);
  });

  test('that cannot be read or written reject with the store’s error', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const store = await sqlite(clock, space);
    const program = new DatabaseSync(pathOf(space));
    program.exec('DROP TABLE sessions');
    program.close();
    const { digest, session } = row();
    expect(() => store.read(digest)).toThrow(LedgerError);
    await expect(store.find({ issuer: 'main', user: 'ann' })).rejects.toThrow(LedgerError);
    await expect(store.insert(digest, session)).rejects.toThrow(LedgerError);
    await expect(store.touch(digest, START)).rejects.toThrow(LedgerError);
  });
});

describe('sessions in Redis', () => {
  test('end by themselves, and so does all that leads to them', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const store = await remote(clock, space);
    const [short, long] = [row({ endsAtMillis: START + MINUTE }), row({ endsAtMillis: START + HOUR })];
    await store.insert(long.digest, long.session);
    await store.insert(short.digest, short.session);
    const connection = await connect(space);
    const keys = (await connection.call('KEYS', `${space}:*`)) as string[];
    expect(keys).toHaveLength(4);
    for (const key of keys) {
      const left = Number(await connection.call('PTTL', key));
      const expected = key.endsWith(short.digest) ? MINUTE : HOUR;
      expect(left).toBeLessThanOrEqual(expected);
      expect(left).toBeGreaterThan(expected - MINUTE);
    }
  });

  test('leave nothing behind when they are removed', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const store = await remote(clock, space);
    const { digest, session } = row();
    await store.insert(digest, session);
    await store.lease(digest, 'a', clock.now() + MINUTE);
    await store.remove(digest);
    await Promise.all([store.touch(digest, START + 1), store.giveBack(digest, 'a')]);
    expect(await (await connect(space)).call('KEYS', `${space}:*`)).toEqual([]);
  });
});
