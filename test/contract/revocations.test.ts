/** What every store of revocations does; and what those do that other processes share. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openRevocations, type RevocationStore, type Revocations } from '../../src/authn/revocation.ts';
import { LedgerError } from '../../src/store/ledger-error.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { announcedRevocations } from '../../src/store/redis/announced-revocations.ts';
import { connectRedis, type RedisConnection } from '../../src/store/redis/connect.ts';
import { sqliteChanges } from '../../src/store/sqlite/changes.ts';
import { openSqliteFile } from '../../src/store/sqlite/file.ts';
import { sqliteRevocations } from '../../src/store/sqlite/revocations.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { NO_TERMS, ofBefore, ofSession, ofToken, ofUser, principalOf, revocation } from '../support/revocations.ts';

const directory = mkdtempSync(join(tmpdir(), 'revocations-'));
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

let files = 0;
const newPath = (): string => join(directory, `${files++}.db`);

interface Options {
  readonly path?: string;
  readonly now?: () => number;
  /** For the look at what others do. */
  readonly everyMillis?: number;
}

const sqlite = ({ path = newPath(), now = Date.now, everyMillis }: Options = {}): RevocationStore => {
  const file = openSqliteFile({ path, now });
  closers.push(() => file.close());
  return sqliteRevocations(file, sqliteChanges(file, everyMillis === undefined ? {} : { everyMillis }));
};

const connect = (): RedisConnection => {
  const connection = connectRedis({ url: redis.url });
  closers.push(() => connection.close());
  return connection;
};

const announced = (options: Options = {}): RevocationStore =>
  announcedRevocations({ connection: connect(), store: sqlite(options) });

const stores = [
  { name: 'this process', open: ({ now }: Options = {}) => memoryRevocations(now) },
  { name: 'SQLite', open: sqlite },
  { name: 'SQLite, announced by Redis', open: announced },
];

describe.each(stores)('revocations in $name', ({ open }) => {
  test('come back as they were made, oldest first', async () => {
    const store = open();
    const made = [
      revocation(ofUser('änn|x'), { madeAtMillis: 3, note: 'left\n' }),
      revocation(ofToken('t1', 'other'), { madeAtMillis: 1, untilMillis: 8_000_000_000_000 }),
      revocation(ofBefore(5), { madeAtMillis: 2 }),
      revocation(ofBefore(0, 'main'), { madeAtMillis: 4 }),
      revocation(ofSession('5e551'), { madeAtMillis: 5, note: 'logged out' }),
    ];
    for (const one of made) await store.add(one);
    expect(await store.all()).toEqual([made[1], made[2], made[0], made[3], made[4]]);
  });

  test('are removed by their id, once', async () => {
    const store = open();
    const [one, other] = [revocation(ofUser('ann')), revocation(ofUser('ann'))];
    await store.add(one);
    await store.add(other);
    expect([await store.remove(one.id), await store.remove(one.id), await store.remove('x')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await store.all()).toEqual([other]);
  });

  test('are one for an id', async () => {
    const store = open();
    const one = revocation(ofUser('ann'));
    await store.add(one);
    await expect(store.add({ ...one, ...ofUser('bob') })).rejects.toThrow();
    expect(await store.all()).toEqual([one]);
  });

  test('are not there any more when they are over, and are purged only then', async () => {
    let time = 1000;
    const store = open({ now: () => time });
    const [short, long] = [2000, undefined].map((untilMillis) => revocation(ofUser('ann'), { untilMillis }));
    if (short === undefined || long === undefined) throw new Error('unreachable');
    await store.add(short);
    await store.add(long);
    await store.purge();
    time = 1999;
    expect(await store.all()).toHaveLength(2);
    time = 2000;
    expect(await store.all()).toEqual([long]);
    await store.purge();
    time = 0;
    expect(await store.all()).toEqual([long]);
  });
});

describe('revocations in a file', () => {
  const alice = principalOf({ sub: 'alice' });

  const gateway = async (store: RevocationStore): Promise<Revocations & { readonly lags: number[] }> => {
    const revocations = await openRevocations({ store });
    closers.push(() => revocations.close());
    const lags: number[] = [];
    revocations.onRevoked((since) => lags.push(Date.now() - since));
    return { ...revocations, lags };
  };

  test('are kept before it is said that they are, whatever becomes of the process', async () => {
    const path = newPath();
    const made = revocation(ofUser('alice'));
    const script = new URL('../support/revoker.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, path, JSON.stringify(made)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    expect(await sqlite({ path }).all()).toMatchObject([{ id: made.id, user: 'alice' }]);
  });

  test('of another process are in effect within a second', async () => {
    const path = newPath();
    const here = await gateway(sqlite({ path }));
    const script = new URL('../support/revoker.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [script, path, JSON.stringify(revocation(ofUser('alice')))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const kept = performance.now();
    await eventually(() => here.revokes(alice) === 'token-revoked');
    expect(performance.now() - kept).toBeLessThan(1000);
    if (child.exitCode === null) await once(child, 'exit');
  });

  test('are of all gateways on it: what one makes, the others heed and can take back', async () => {
    const path = newPath();
    const [one, other] = [await gateway(sqlite({ path })), await gateway(sqlite({ path }))];
    const { revocation: made } = await one.add({ ...ofUser('alice'), ...NO_TERMS });
    await eventually(() => other.revokes(alice) === 'token-revoked');
    expect(other.lags).toHaveLength(1);
    expect(other.lags[0]).toBeLessThan(1000);
    expect(await other.remove(made.id)).toEqual(made);
    await eventually(() => one.revokes(alice) === undefined);
    expect([one.list(), one.lags.length]).toEqual([[], 1]);
  });

  test('outlive a restart', async () => {
    const path = newPath();
    const file = openSqliteFile({ path });
    const before = await gateway(sqliteRevocations(file, sqliteChanges(file)));
    await before.add({ ...ofUser('alice'), ...NO_TERMS });
    before.close();
    file.close();
    expect((await gateway(sqlite({ path }))).revokes(alice)).toBe('token-revoked');
  });

  test('that cannot be read stay as they were known, until they can be', async () => {
    const path = newPath();
    const here = await gateway(sqlite({ path }));
    await here.add({ ...ofUser('alice'), ...NO_TERMS });
    const program = new DatabaseSync(path);
    program.exec('ALTER TABLE revocations RENAME TO lost');
    await eventually(() => !here.healthy());
    expect(here.revokes(alice)).toBe('token-revoked');
    program.exec('DELETE FROM lost; ALTER TABLE lost RENAME TO revocations');
    await eventually(() => here.healthy() && here.revokes(alice) === undefined);
    program.close();
  });

  test('that cannot be read at the start reject with the store’s error', async () => {
    const file = openSqliteFile({ path: newPath() });
    const store = sqliteRevocations(file, sqliteChanges(file));
    file.close();
    await expect(openRevocations({ store })).rejects.toThrow(LedgerError);
  });
});

describe('revocations that Redis announces', () => {
  const alice = principalOf({ sub: 'alice' });
  /** So seldom that only a message can have told. */
  const NEVER = 600_000;

  const replica = async (path: string, everyMillis: number) => {
    const connection = connect();
    expect(await connection.settled()).toBe(true);
    const store = announcedRevocations({ connection, store: sqlite({ path, everyMillis }) });
    const revocations = await openRevocations({ store });
    closers.push(() => revocations.close());
    return revocations;
  };
  const listeners = async (): Promise<number> =>
    Number((await redis.ask('PUBSUB NUMSUB jaaz-gateway:revoked')).split(':').at(-1));

  test('are in effect elsewhere at once, and no longer when they are taken back', async () => {
    const path = newPath();
    const [one, other] = [await replica(path, NEVER), await replica(path, NEVER)];
    await eventually(async () => (await listeners()) === 2);
    const { revocation: made } = await one.add({ ...ofUser('alice'), ...NO_TERMS });
    await eventually(() => other.revokes(alice) === 'token-revoked', 1000);
    await one.remove(made.id);
    await eventually(() => other.revokes(alice) === undefined, 1000);
  });

  test('are read when the channel is back, whatever was missed', async () => {
    const path = newPath();
    const [one, other] = [await replica(path, NEVER), await replica(path, NEVER)];
    await redis.kill();
    await one.add({ ...ofUser('alice'), ...NO_TERMS });
    expect(other.revokes(alice)).toBeUndefined();
    await redis.restart();
    await eventually(() => other.revokes(alice) === 'token-revoked');
  });

  test('are in effect within the bound all the same while Redis is away', async () => {
    const path = newPath();
    const [one, other] = [await replica(path, 250), await replica(path, 250)];
    await redis.kill();
    await one.add({ ...ofUser('alice'), ...NO_TERMS });
    await eventually(() => other.revokes(alice) === 'token-revoked', 1000);
    await redis.restart();
  });
});
