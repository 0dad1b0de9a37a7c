/** What every store of sessions notes of logouts, and what it makes of a session that somebody has spoilt. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { HOUR, MINUTE, row, START, setClock } from '../support/sessions.ts';
import { connect, newSpace, pathOf, remote, sqlite, stores } from './session-stores.ts';

describe.each(stores)('sessions in $name', ({ open }) => {
  test('have notes of their logouts: the latest word of the provider, of those alone, for a time', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const [store, other] = [await open(clock, space), await open(clock, space)];
    const [user, session] = [
      { issuer: 'main', user: 'ann' },
      { issuer: 'main', providerSessionId: 'ann' },
    ];
    expect(await store.loggedOutAt(user)).toBeUndefined();
    await store.noteLogout(user, START - 5, START + MINUTE);
    await store.noteLogout(user, START - 9, START + MINUTE);
    expect(await other.loggedOutAt(user)).toBe(START - 5);
    await other.noteLogout(user, START + 7, START + MINUTE);
    expect(await store.loggedOutAt(user)).toBe(START + 7);
    for (const none of [session, { issuer: 'second', user: 'ann' }, { issuer: 'main', user: 'ann ' }])
      expect(await store.loggedOutAt(none)).toBeUndefined();
    await store.noteLogout(session, START, START + MINUTE);
    expect([await store.loggedOutAt(session), await store.loggedOutAt(user)]).toEqual([START, START + 7]);
  });
});

describe.each(stores.slice(0, 2))('notes of logouts in $name', ({ open }) => {
  test('hold until their time is over, and are purged then', async () => {
    const clock = setClock();
    const store = await open(clock);
    const of = { issuer: 'main', user: 'ann' };
    await store.noteLogout(of, START, START + MINUTE);
    clock.forward(MINUTE - 1);
    expect(await store.loggedOutAt(of)).toBe(START);
    clock.forward(1);
    expect(await store.loggedOutAt(of)).toBeUndefined();
    await store.purge(START);
    clock.forward(-1);
    expect(await store.loggedOutAt(of)).toBeUndefined();
  });
});

describe('sessions in SQLite', () => {
  test.each(['{no json', 'null', '"admin"', '[1]', '{}'])(
    'whose roles somebody made %s open nothing',
    async (roles) => {
      const [clock, space] = [setClock(), newSpace()];
      const store = await sqlite(clock, space);
      const [spoilt, sound] = [row(), row()];
      for (const { digest, session } of [spoilt, sound]) await store.insert(digest, session);
      const program = new DatabaseSync(pathOf(space));
      program.prepare('UPDATE sessions SET roles = ? WHERE digest = ?').run(roles, spoilt.digest);
      program.close();
      expect(await store.read(spoilt.digest)).toBeUndefined();
      expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([sound]);
    },
  );
});

describe('sessions in Redis', () => {
  test.each(['{no json', 'null', '"admin"', '{}', '{"roles":"admin"}'])('made %s open nothing', async (text) => {
    const [clock, space] = [setClock(), newSpace()];
    const store = await remote(clock, space);
    const [spoilt, sound] = [row(), row()];
    for (const { digest, session } of [spoilt, sound]) await store.insert(digest, session);
    await (await connect(space)).call('HSET', `${space}:session:${spoilt.digest}`, 'session', text);
    expect(await store.read(spoilt.digest)).toBeUndefined();
    expect(await store.find({ issuer: 'main', user: 'ann' })).toEqual([sound]);
  });

  test('have notes of logouts that end by themselves', async () => {
    const [clock, space] = [setClock(), newSpace()];
    const store = await remote(clock, space);
    const connection = await connect(space);
    const of = { issuer: 'main', user: 'ann' };
    for (const [told, lasts] of [
      [5, HOUR],
      [9, MINUTE],
      [1, MINUTE],
    ] as const) {
      await store.noteLogout(of, START + told, START + lasts);
      const left = Number(await connection.call('PTTL', `${space}:logout-of-user:main|ann`));
      expect([left > HOUR - MINUTE, left <= HOUR]).toEqual([true, true]);
    }
    expect(await store.loggedOutAt(of)).toBe(START + 9);
  });
});
