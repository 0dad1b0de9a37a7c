import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Gate, openGate } from '../../../src/store/redis/gate.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let client: Redis;
let gate: Gate;
let changes: string[];
beforeEach(async () => {
  redis = await startRedis();
  client = new Redis({
    port: redis.port,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
  });
  client.on('error', () => undefined);
  changes = [];
  gate = openGate(client, {
    timeoutMillis: 100,
    onChange: (usable, detail) => changes.push(`${usable ? 'up' : 'down'}: ${detail}`),
  });
});
afterEach(async () => {
  client.disconnect();
  redis.resume();
  await redis.stop();
});

test('lets nobody through before it is connected', async () => {
  expect(gate.usable()).toBe(false);
  await expect(gate.call('PING')).rejects.toThrow('Redis is not usable: not connected yet');
  expect(await gate.settled()).toBe(true);
  expect(gate.usable()).toBe(true);
  expect(await gate.call('PING')).toBe('PONG');
  expect(changes).toEqual(['up: connected']);
});

test('lets its listeners in first, one after another', async () => {
  const seen: unknown[] = [];
  gate.onUsable(async (call) => {
    await call('SET', 'order', 'first');
    seen.push(gate.usable());
  });
  gate.onUsable(async (call) => {
    seen.push(await call('GET', 'order'), gate.usable());
  });
  expect(await gate.settled()).toBe(true);
  expect(seen).toEqual([false, 'first', false]);
});

test('opens although Redis refuses what a listener asks', async () => {
  gate.onUsable((call) => call('NOSUCH').then(() => undefined));
  expect(await gate.settled()).toBe(true);
});

test('stays open when Redis answers with an error', async () => {
  await gate.settled();
  await expect(gate.call('NOSUCH')).rejects.toThrow(/unknown command/);
  expect(gate.usable()).toBe(true);
  expect(changes).toEqual(['up: connected']);
});

test('shuts once for all calls that are not answered in time', async () => {
  await gate.settled();
  redis.pause();
  const late = await Promise.allSettled([gate.call('PING'), gate.call('PING'), gate.call('PING')]);
  expect(late.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await expect(gate.call('PING')).rejects.toThrow('Redis is not usable: no reply within 100 ms');
  expect(changes).toEqual(['up: connected', 'down: no reply within 100 ms']);
  redis.resume();
  await eventually(() => gate.usable());
  expect(changes.at(-1)).toBe('up: connected');
});

test('shuts when the connection ends, with nobody asking', async () => {
  await gate.settled();
  await redis.kill();
  await eventually(() => !gate.usable());
  expect(changes).toHaveLength(2);
  await redis.restart();
  await eventually(() => gate.usable());
  expect(await gate.call('PING')).toBe('PONG');
});
