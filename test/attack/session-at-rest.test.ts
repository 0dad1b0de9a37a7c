/** Whoever reads the stores, or changes them, learns no cookie and no token, and gains no session that he could show. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisSessions } from '../../src/store/redis/sessions.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteSessions } from '../../src/store/sqlite/sessions.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { MINUTE, next, provenLogin, provider, START, sessionsOn, setClock } from '../support/sessions.ts';

const directory = mkdtempSync(join(tmpdir(), 'at-rest-'));
const closers: Array<() => void> = [];
let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true });
});

const clock = setClock();
const login = provenLogin({
  tokens: { refreshToken: 'REFRESH-SECRET', idToken: 'ID-SECRET' },
  refreshAtMillis: START + MINUTE,
});
const secretsOf = (value: string): string[] => ['REFRESH-SECRET', 'ID-SECRET', 'REFRESH-NEXT', value];
const { refresh } = provider(() => next({ refreshToken: 'REFRESH-NEXT' }));

/** Begins a session, has it refreshed, and ends another. */
const live = async (sessions: ReturnType<typeof sessionsOn>) => {
  const { value, session } = await sessions.begin(login);
  const other = await sessions.begin(login);
  clock.forward(MINUTE);
  expect(await sessions.principalOf(value)).toMatchObject({ owner: 'main|ann' });
  clock.forward(-MINUTE);
  await sessions.end(other.value);
  return { id: session.id, secrets: [...secretsOf(value), other.value] };
};

const sqlite = (name: string, options: Parameters<typeof sessionsOn>[1] = {}) => {
  const file = openSqliteFile({ path: join(directory, name), now: clock.now });
  const sessions = sessionsOn(sqliteSessions(file), { now: clock.now, refresh, ...options });
  closers.push(() => {
    sessions.close();
    file.close();
  });
  return sessions;
};

test('the file holds neither a cookie’s value nor a token of the provider', async () => {
  const { id, secrets } = await live(sqlite('read.db'));
  const bytes = readdirSync(directory)
    .filter((name) => name.startsWith('read.db'))
    .map((name) => readFileSync(join(directory, name), 'latin1'))
    .join();
  expect(bytes).toContain(id);
  for (const secret of secrets) expect(bytes).not.toContain(secret);
});

test('Redis holds neither of them', async () => {
  const connection: RedisConnection = connectRedis({ url: redis.url });
  await connection.settled();
  const sessions = sessionsOn(redisSessions({ connection, now: clock.now }), { now: clock.now, refresh });
  closers.push(() => {
    sessions.close();
    connection.close();
  });
  const { id, secrets } = await live(sessions);
  const keys = (await connection.call('KEYS', '*')) as string[];
  const dumped = await Promise.all(
    keys.map((key) => connection.call(key.includes(':session:') ? 'HGETALL' : 'SMEMBERS', key)),
  );
  const bytes = JSON.stringify([keys, dumped]);
  expect(bytes).toContain(id);
  for (const secret of secrets) expect(bytes).not.toContain(secret);
});

describe('tokens that were altered at rest', () => {
  const tampered = async (name: string, change: (database: DatabaseSync) => void) => {
    const asked = provider(() => next());
    const before = sqlite(name, { refresh: asked.refresh });
    const [mine, other] = [await before.begin(login), await before.begin({ ...login, claims: { sub: 'bob' } })];
    const program = new DatabaseSync(join(directory, name));
    change(program);
    program.close();
    clock.forward(MINUTE);
    const principals = [await before.principalOf(mine.value), await before.principalOf(other.value)];
    clock.forward(-MINUTE);
    return { shown: asked.shown, principals, revoked: before.revoked };
  };

  test('end the session and are shown to nobody', async () => {
    const flip = "UPDATE sessions SET tokens = substr(tokens, 1, 40) || 'AAAA' || substr(tokens, 45)";
    const { shown, principals, revoked } = await tampered('flip.db', (database) => database.exec(flip));
    expect(shown).toEqual([]);
    expect(principals).toEqual([undefined, undefined]);
    expect(revoked).toHaveLength(2);
  });

  test('are of no use in another session: two users’ tokens that change places end both', async () => {
    const { shown, principals } = await tampered('swap.db', (database) => {
      const rows = database.prepare('SELECT digest, tokens FROM sessions').all();
      const put = database.prepare('UPDATE sessions SET tokens = ? WHERE digest = ?');
      for (const [index, row] of rows.entries()) put.run(String(rows[1 - index]?.tokens), String(row.digest));
    });
    expect(shown).toEqual([]);
    expect(principals).toEqual([undefined, undefined]);
  });
});

test('who has read a digest, an id or a sealed text can show none of them as a cookie', async () => {
  const sessions = sqlite('digest.db');
  await sessions.begin(login);
  const program = new DatabaseSync(join(directory, 'digest.db'));
  const columns = program.prepare('SELECT digest, id, tokens FROM sessions').all().flatMap(Object.values);
  program.close();
  expect(columns).toHaveLength(3);
  for (const text of columns.map(String)) {
    for (const value of [text, text.slice(0, 43), text.padEnd(43, 'A')])
      expect(await sessions.principalOf(value)).toBeUndefined();
  }
});
