/** Sessions while the real Redis is dead, silent, and back without its data. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectRedis } from '../../../src/store/redis/connect.ts';
import { redisSessions } from '../../../src/store/redis/sessions.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { provenLogin, START, sessionsOn, setClock, unknownValue } from '../../support/sessions.ts';
import { rejectionOf } from '../../support/token-issuer.ts';

let redis: TestRedis;
const closers: Array<() => void> = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
});
afterAll(() => redis.stop());

const open = async () => {
  const clock = setClock();
  const connection = connectRedis({ url: redis.url });
  expect(await connection.settled()).toBe(true);
  const sessions = sessionsOn(redisSessions({ connection, now: clock.now }), { now: clock.now });
  closers.push(() => {
    sessions.close();
    connection.close();
  });
  return { clock, connection, sessions };
};

test('a dead Redis: who is known goes on, others are refused with 503; back and empty, all log in again', async () => {
  const { clock, connection, sessions } = await open();
  const { value, principal } = await sessions.begin(provenLogin());
  await redis.kill();
  clock.forward(5000);
  expect(await sessions.principalOf(value)).toBe(principal);
  for (const call of [
    () => sessions.principalOf(unknownValue()),
    () => sessions.begin(provenLogin()),
    () => sessions.end(value),
  ])
    expect(await rejectionOf(call)).toMatchObject({ reason: 'sessions-unavailable', status: 503 });
  await redis.restart();
  await eventually(() => connection.usable());
  clock.forward(5000);
  expect(await sessions.principalOf(value)).toBeUndefined();
  expect((await sessions.begin(provenLogin())).principal.owner).toBe('main|ann');
});

test('a silent Redis holds a request up for the time of one command, and the next ones not at all', async () => {
  const { clock, sessions } = await open();
  const { value, principal } = await sessions.begin(provenLogin());
  redis.pause();
  clock.forward(5000);
  const began = performance.now();
  expect(await sessions.principalOf(value)).toBe(principal);
  const first = performance.now() - began;
  for (let each = 0; each < 100; each += 1) {
    clock.forward(1000);
    expect(await sessions.principalOf(value)).toMatchObject({ owner: 'main|ann' });
  }
  redis.resume();
  expect(first).toBeLessThan(2000);
  expect(performance.now() - began - first).toBeLessThan(2000);
});

test('a Redis that has forgotten all: nobody is anybody, and nothing is found', async () => {
  const { clock, connection, sessions } = await open();
  const { value } = await sessions.begin(provenLogin());
  expect(await redis.ask('FLUSHALL')).toBe('+OK\r\n');
  clock.forward(5000);
  expect(await sessions.principalOf(value)).toBeUndefined();
  expect(await redisSessions({ connection, now: clock.now }).find({ issuer: 'main', user: 'ann' })).toEqual([]);
  expect(await sessions.endAll({ issuer: 'main', user: 'ann' }, START)).toBe(0);
});
