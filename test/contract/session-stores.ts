/** All stores of sessions, Redis included; all of it is closed after the test that opened it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { SessionStore } from '../../src/authn/session/store.ts';
import { memorySessions } from '../../src/store/memory/sessions.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { redisSessions } from '../../src/store/redis/sessions.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteSessions } from '../../src/store/sqlite/sessions.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import type { SetClock } from '../support/sessions.ts';

const directory = mkdtempSync(join(tmpdir(), 'sessions-'));
const closers: Array<() => void> = [];
let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
/** Ends what was opened, as a process ends that is told to. */
export const closeStores = (): void => {
  for (const close of closers.splice(0)) close();
};
afterEach(closeStores);
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true });
});

let spaces = 0;
export const newSpace = (): string => `space-${spaces++}`;

/** Where SQLite keeps a space. */
export const pathOf = (space: string): string => join(directory, `${space}.db`);

/** Each space is empty at first; two stores of one space are two replicas. */
export const sqlite = async (clock: SetClock, space = newSpace()): Promise<SessionStore> => {
  const file = openSqliteFile({ path: pathOf(space), now: clock.now });
  const store = sqliteSessions(file);
  closers.push(() => {
    store.close();
    file.close();
  });
  return store;
};

export const connect = async (space: string): Promise<RedisConnection> => {
  const connection = connectRedis({ url: redis.url, keyPrefix: `${space}:` });
  closers.push(() => connection.close());
  expect(await connection.settled()).toBe(true);
  return connection;
};

export const remote = async (clock: SetClock, space = newSpace()): Promise<SessionStore> =>
  redisSessions({ connection: await connect(space), now: clock.now });

const memories = new Map<string, SessionStore>();
const memory = async (clock: SetClock, space = newSpace()): Promise<SessionStore> => {
  const known = memories.get(space) ?? memorySessions(clock.now);
  memories.set(space, known);
  return known;
};

export const stores = [
  { name: 'this process', open: memory },
  { name: 'SQLite', open: sqlite },
  { name: 'Redis', open: remote },
];
