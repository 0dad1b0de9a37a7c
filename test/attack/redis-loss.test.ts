/** Redis forgets, dies or stalls. It is a cache and a counter: no answer changes, and limits go on being counted here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let world: PeopledWorld;
let turn = 0;
beforeAll(async () => {
  redis = await startRedis();
  world = await startPeopledWorld({ redisUrl: redis.url, policy: jaazPolicy(...withoutLimits) });
  await world.alice.client.post(
    '/api/canvas/create',
    chatBody({ canvas: 'a-c', session: 'a-s', prompt: 'PRIVATE-WORD' }),
  );
  await world.alice.ear.done('a-s', 2);
});
afterAll(async () => {
  redis.resume();
  await world.close();
  await redis.stop();
});

/** Everything that ownership decides, as Alice and as Bob; the same text as long as nothing changed. */
const allAnswers = async (): Promise<string[]> => {
  turn += 1;
  const lines: string[] = [];
  for (const [name, { client }] of Object.entries({ alice: world.alice, bob: world.bob })) {
    const file = await world.alice.ear.picture('a-s');
    const answers = [
      await client.get('/api/canvas/list'),
      await client.get('/api/canvas/a-c'),
      await client.get('/api/chat_session/a-s'),
      await client.get(`/api/file/${file}`),
      await client.post('/api/canvas/a-c/save', { data: { mine: true }, thumbnail: '' }),
      await client.post('/api/cancel/a-s'),
      await client.post('/api/canvas/create', chatBody({ canvas: 'a-c', session: `${name}-${turn}`, prompt: 'x' })),
      await client.post('/api/canvas/create', chatBody({ canvas: `${name}-${turn}`, session: 'a-s', prompt: 'x' })),
    ];
    lines.push(
      ...answers.map(
        ({ status, code, text }, index) => `${name} ${index} ${status} ${code} ${/PRIVATE-WORD/.test(text)}`,
      ),
    );
  }
  return lines;
};

/** Alice's list and canvas are hers, Bob's are empty: what the same answers are worth. */
const expected = [
  ...[
    'alice 0 200 undefined true',
    'alice 1 200 undefined true',
    'alice 2 200 undefined true',
    'alice 3 200 undefined true',
  ],
  ...['alice 4 200 undefined false', 'alice 5 200 undefined false', 'alice 6 409 resource-taken false'],
  'alice 7 200 undefined false',
  ...[
    'bob 0 200 undefined false',
    'bob 1 200 undefined false',
    'bob 2 200 undefined false',
    'bob 3 404 undefined false',
  ],
  ...['bob 4 404 resource-hidden false', 'bob 5 200 undefined false', 'bob 6 409 resource-taken false'],
  'bob 7 409 resource-taken false',
];

const isReady = async (): Promise<string> => (await fetch(`${world.gateway.adminUrl}/readyz`)).text();

describe('no answer changes', () => {
  test('while it works', async () => {
    expect(await allAnswers()).toEqual(expected);
  });

  test('when it forgets everything, between any two requests', async () => {
    await redis.ask('FLUSHALL');
    expect(await allAnswers()).toEqual(expected);
    let flushing = true;
    const flood = (async () => {
      while (flushing) await redis.ask('FLUSHALL');
    })();
    expect(await allAnswers()).toEqual(expected);
    flushing = false;
    await flood;
  });

  test('when it stalls, and nobody waits for it long', async () => {
    redis.pause();
    const begun = performance.now();
    expect(await allAnswers()).toEqual(expected);
    // Seventeen requests: a few that find out, and none that waits for seconds.
    expect(performance.now() - begun).toBeLessThan(8_000);
    redis.resume();
  });

  test('when it is killed, and the gateway stays ready', async () => {
    await redis.kill();
    expect(await allAnswers()).toEqual(expected);
    expect(await isReady()).toContain('"ready":true');
  });

  test('when it comes back empty', async () => {
    await redis.restart();
    await eventually(async () => !/"redis":(?:false|"[^"]*(?:down|failed|degraded))/.test(await isReady()), 20_000);
    expect(await allAnswers()).toEqual(expected);
  }, 40_000);
});

test('limits fall to this replica’s own counters: a dead Redis is no way round them, and refuses nobody else', async () => {
  const own = await startRedis();
  const policy = jaazPolicy(...withoutLimits, [
    'requests: { points: 1000000, per: 1m',
    'requests: { points: 20, per: 1h',
  ]);
  const limited = await startPeopledWorld({ redisUrl: own.url, policy });
  try {
    const ask = async (times: number): Promise<number[]> => {
      const statuses: number[] = [];
      for (let index = 0; index < times; index += 1) {
        statuses.push((await limited.bob.client.get('/api/config/exists')).status);
      }
      return statuses;
    };
    expect(await ask(5)).toEqual([200, 200, 200, 200, 200]);
    await own.kill();
    const after = await ask(60);
    expect(after[0]).toBe(200);
    expect(after.at(-1)).toBe(429);
    expect(after.filter((status) => status === 200).length).toBeLessThanOrEqual(20);
    expect(new Set(after)).toEqual(new Set([200, 429]));
    expect((await limited.alice.client.get('/api/config/exists')).status).toBe(200);
  } finally {
    await limited.close();
    await own.stop();
  }
});
