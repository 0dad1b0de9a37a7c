import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectRedis, type RedisConnectionOptions } from '../../../src/store/redis/connect.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis(['--requirepass', 'pass word/@']);
});
afterAll(() => redis.stop());

async function answers(options: RedisConnectionOptions): Promise<{ usable: boolean; key: unknown }> {
  const connection = connectRedis(options);
  const usable = await connection.settled();
  const key = usable ? await connection.call('SET', `${connection.keyPrefix}k`, '1') : undefined;
  connection.close();
  return { usable, key };
}

test('takes the password, the user and the database from the URL', async () => {
  const secret = encodeURIComponent('pass word/@');
  for (const user of ['', 'default']) {
    const url = `redis://${user}:${secret}@127.0.0.1:${redis.port}/3`;
    expect(await answers({ url, keyPrefix: 'p:' })).toEqual({ usable: true, key: 'OK' });
  }
  const connection = connectRedis({ url: `redis://:${secret}@127.0.0.1:${redis.port}/3` });
  await connection.settled();
  expect(await connection.call('KEYS', '*')).toEqual(['p:k']);
  connection.close();
});

test('is not usable with a wrong password, and says why without the password', async () => {
  const details: string[] = [];
  const connection = connectRedis({
    url: `redis://:wrong-secret@127.0.0.1:${redis.port}`,
    onChange: (_, detail) => details.push(detail),
  });
  expect(await connection.settled()).toBe(false);
  const failure = await connection.call('PING').catch((error: unknown) => String(error));
  expect(failure).toContain('WRONGPASS');
  expect(failure).not.toContain('wrong-secret');
  expect(details).toEqual([]);
  connection.close();
});

test('is not usable where TLS is asked for and not spoken', async () => {
  expect(await answers({ url: `rediss://127.0.0.1:${redis.port}` })).toMatchObject({ usable: false });
});

test.each(['http://127.0.0.1', 'redis', 'redis://127.0.0.1/notanumber', ''])('refuses the URL %j', (url) => {
  expect(() => connectRedis({ url })).toThrow(TypeError);
});
