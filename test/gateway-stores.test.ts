import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Config } from '../src/config/config.ts';
import { openStores } from '../src/gateway-stores.ts';
import { createLog } from '../src/telemetry/log.ts';
import { eventually } from './support/eventually.ts';
import { ofUser, revocation } from './support/revocations.ts';

const folder = mkdtempSync(join(tmpdir(), 'stores-'));
afterAll(() => rmSync(folder, { recursive: true }));
const log = createLog({ level: 'error', file: join(folder, 'log') });
const open = (redis?: { url: string }) =>
  openStores({
    config: {
      ledger: { sqlite: join(folder, 'l.db') },
      redis,
      sessions: { store: redis === undefined ? 'ledger' : 'redis' },
    } as unknown as Config,
    log,
  });

test('without Redis everything is embedded, and what was claimed is there again', async () => {
  const ref = { kind: 'canvas', id: 'c' };
  const stores = await open();
  expect([stores.common, stores.redisUsable]).toEqual([undefined, undefined]);
  await stores.ledger.learn({ ref, parent: undefined, origin: 'request' }, 'alice');
  await stores.close();
  await expect(stores.ledger.ping()).rejects.toThrow();
  const again = await open();
  expect(await again.ledger.find([ref])).toMatchObject([{ owner: 'alice' }]);
  await again.close();
});

test('of two on one file, each heeds within a second what the other changes: an owner, a revocation', async () => {
  const ref = { kind: 'canvas', id: 'shared' };
  const [one, other] = [await open(), await open()];
  await one.ledger.learn({ ref, parent: undefined, origin: 'request' }, 'alice');
  one.near.set(ref, 'alice', one.near.mark());
  const told: unknown[] = [];
  one.revocations.onChange(() => told.push('changed'));
  await other.ledger.release(ref, 'alice');
  await eventually(() => one.near.size === 0, 1000);
  expect(told).toEqual([]);
  const made = revocation(ofUser('alice'));
  await other.revocations.add(made);
  await eventually(() => told.length === 1, 1000);
  expect(await one.revocations.all()).toEqual([made]);
  await one.close();
  await other.close();
});

test('a Redis that is away is no reason not to start', async () => {
  const stores = await open({ url: 'redis://127.0.0.1:1' });
  expect(stores.redisUsable?.()).toBe(false);
  expect(await stores.common?.get([{ kind: 'canvas', id: 'c' }])).toEqual([undefined]);
  const limit = { name: 'l', points: 1, perMillis: 60_000, by: 'user', onFailedAuthentication: false } as const;
  const take = async () => (await stores.limiter.take([{ limit, key: 'a' }])).allowed;
  expect([await take(), await take()]).toEqual([true, false]);
  await stores.close();
});

test('a ledger that cannot be opened is', async () => {
  const config = { ledger: { sqlite: folder }, redis: undefined } as unknown as Config;
  await expect(openStores({ config, log })).rejects.toThrow();
});
