import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenTo } from '../../../src/store/redis/channel.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
let client: Redis;
let ear: { close(): void };
let told: string[];
/** How often Redis has carried out, or refused, a command. */
async function count(what: 'calls' | 'rejected_calls', command: string): Promise<number> {
  const statistics = await redis.ask('INFO commandstats');
  return Number(new RegExp(`cmdstat_${command}:(?:\\S*,)?${what}=(\\d+)`).exec(statistics)?.[1] ?? 0);
}

beforeEach(async () => {
  redis = await startRedis();
  client = new Redis({
    port: redis.port,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    disconnectTimeout: 100,
    retryStrategy: () => 20,
  });
  client.on('error', () => undefined);
  told = [];
  ear = listenTo(client, 'news', {
    onMessage: (message) => told.push(`message ${message}`),
    onLost: () => told.push('lost'),
    onHeard: () => told.push('heard'),
  });
  await eventually(() => told.length === 1);
});
afterEach(async () => {
  ear.close();
  redis.resume();
  await redis.stop();
});

test('hears one channel, in its order', async () => {
  for (const [channel, message] of [
    ['news', 'a'],
    ['other', 'b'],
    ['news', 'c'],
  ]) {
    await redis.ask(`PUBLISH ${channel} ${message}`);
  }
  await eventually(() => told.length === 3);
  expect(told).toEqual(['heard', 'message a', 'message c']);
});

test('tells once that messages may be missed, and once that they no longer are', async () => {
  const closed = once(client, 'close');
  await redis.kill();
  await closed;
  expect(told).toEqual(['heard', 'lost']);
  await redis.restart();
  await eventually(() => told.length === 3);
  await redis.ask('PUBLISH news again');
  await eventually(() => told.length === 4);
  expect(told).toEqual(['heard', 'lost', 'heard', 'message again']);
});

test('notices by itself that a connection has fallen silent', async () => {
  const closed = once(client, 'close');
  redis.pause();
  await closed;
  expect(told).toEqual(['heard', 'lost']);
  redis.resume();
  await eventually(() => told.length === 3);
  // The question that was never answered does not count against the new connection.
  const before = await count('calls', 'ping');
  await eventually(async () => (await count('calls', 'ping')) >= before + 2);
  expect(told).toEqual(['heard', 'lost', 'heard']);
});

test('does not say that it hears while Redis refuses to tell it, and asks again', async () => {
  // Redis ends the connections of those who may no longer listen.
  await redis.ask('ACL SETUSER default resetchannels');
  await eventually(async () => (await count('rejected_calls', 'subscribe')) >= 2);
  expect(told).toEqual(['heard', 'lost']);
  await redis.ask('ACL SETUSER default allchannels');
  await eventually(() => told.length === 3);
  expect(told).toEqual(['heard', 'lost', 'heard']);
});

test('hears nothing any more once it is closed', async () => {
  ear.close();
  await eventually(async () => (await redis.ask('PUBLISH news late')).startsWith(':0'));
  expect(told.filter((one) => one.startsWith('message'))).toEqual([]);
});
