import { describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { limit } from '../../src/ratelimit/limit.ts';
import type { Limiter } from '../../src/ratelimit/limiter.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { refusalOf } from '../support/bodies.ts';
import { arrive, policyFrom, principalOf } from '../support/stages.ts';

const policy = policyFrom(`
version: 1
name: p
limits:
  requests: { points: 2, per: 1m, by: user }
  visitors: { points: 2, per: 1m, by: address }
  failures: { points: 1, per: 1m, by: address, counts: failed-authentication }
  scarce: { points: 1, per: 10m, by: user }
everywhere: [requests, visitors, failures]
routes:
  - { id: a, match: GET /a }
  - { id: scarce, match: GET /scarce, limits: [scarce] }
  - { id: open, match: GET /open, access: public }
`);

const open = (wrap: (limiter: Limiter) => Limiter = (limiter) => limiter) => {
  let time = 0;
  const limiter = memoryLimiter({ maxEntries: 100, now: () => time });
  const stage = limit({ policy, limiter: wrap(limiter) });
  const admit = async (target: string, user?: string) => {
    const { request, match } = await arrive(policy, { method: 'GET', target });
    return stage.admit(request.canonical, match, user === undefined ? undefined : principalOf(user));
  };
  return {
    stage,
    admit,
    pass: (millis: number) => {
      time += millis;
    },
  };
};

const headersOf = (error: unknown): readonly string[] => (error instanceof Rejection ? error.headers : []);

describe('a user', () => {
  test('is told what is left, and how long a refused one has to wait', async () => {
    const { admit, pass } = open();
    expect(await admit('/a', 'alice')).toEqual([
      'ratelimit-policy',
      '"requests";q=2;w=60',
      'ratelimit',
      '"requests";r=1;t=30',
    ]);
    await admit('/a', 'alice');
    const refused = await admit('/a', 'alice').catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: 'rate-limited', status: 429 });
    expect(headersOf(refused)).toEqual([
      ...['ratelimit-policy', '"requests";q=2;w=60', 'ratelimit', '"requests";r=0;t=60'],
      ...['retry-after', '30'],
    ]);
    pass(30_000);
    expect(await admit('/a', 'alice')).toHaveLength(4);
  });

  test('does not use up another’s points, nor the address’s', async () => {
    const { admit, stage } = open();
    await admit('/a', 'alice');
    await admit('/a', 'alice');
    expect(await admit('/a', 'bob')).toContain('"requests";r=1;t=30');
    expect(await admit('/open')).toContain('"visitors";r=1;t=30');
    await stage.visitor('192.0.2.1');
    expect(await refusalOf(() => stage.visitor('192.0.2.1'))).toBe('rate-limited 429');
  });

  test('loses no point of one limit when another refuses', async () => {
    const { admit } = open();
    await admit('/scarce', 'alice');
    expect(await refusalOf(() => admit('/scarce', 'alice'))).toBe('rate-limited 429');
    expect(await refusalOf(() => admit('/scarce', 'alice'))).toBe('rate-limited 429');
    expect(await admit('/a', 'alice')).toContain('"requests";r=0;t=60');
  });
});

describe('somebody unknown', () => {
  test('is counted by address on a public route', async () => {
    const { admit } = open();
    await admit('/open');
    await admit('/open');
    expect(await refusalOf(() => admit('/open'))).toBe('rate-limited 429');
  });

  test('uses up the failures of an address, not those of another', async () => {
    const { stage } = open();
    await stage.failed('192.0.2.1');
    expect(await refusalOf(() => stage.failed('192.0.2.1'))).toBe('failures-limited 429');
    expect(await refusalOf(() => stage.failed('192.0.2.2'))).toBe('accepted');
  });
});

test('the limits of visitors and of failures are those of the policy that is live', async () => {
  let { visitorLimits, failureLimits } = policy;
  const live = {
    get visitorLimits() {
      return visitorLimits;
    },
    get failureLimits() {
      return failureLimits;
    },
  };
  const stage = limit({ policy: live, limiter: memoryLimiter({ maxEntries: 100, now: () => 0 }) });
  await stage.failed('x');
  expect(await refusalOf(() => stage.failed('x'))).toBe('failures-limited 429');
  [visitorLimits, failureLimits] = [[], []];
  expect(await refusalOf(() => stage.failed('x'))).toBe('accepted');
  for (let count = 0; count < 5; count += 1) expect(await refusalOf(() => stage.visitor('x'))).toBe('accepted');
});

test('without limits nothing is counted and no header is sent', async () => {
  const bare = policyFrom('{ version: 1, name: p, routes: [{ id: a, match: GET /a }] }');
  const never: Limiter = {
    take() {
      throw new Error('asked');
    },
  };
  const stage = limit({ policy: bare, limiter: never });
  const { request, match } = await arrive(bare, { method: 'GET', target: '/a' });
  expect(stage.admit(request.canonical, match, principalOf('alice'))).toEqual([]);
  expect(await refusalOf(() => stage.visitor('x'))).toBe('accepted');
  expect(await refusalOf(() => stage.failed('x'))).toBe('accepted');
});

test('a limiter that answers later is waited for', async () => {
  const { admit } = open((limiter) => ({ take: async (checks) => limiter.take(checks) }));
  await admit('/a', 'alice');
  await admit('/a', 'alice');
  expect(await refusalOf(() => admit('/a', 'alice'))).toBe('rate-limited 429');
});
