/** Owners that are renamed while gateways run: what is remembered of them, who may do what, and who hears events. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { commandLine } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { type Client, chatBody, type Ear, jaazClient, openEar } from '../support/jaaz-client.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { policyOf, startWorld, type World } from '../support/world.ts';

const CHANGE = ['test|alice', 'test|alicia'] as const;

/** The stated bound is one second; twice that, because this machine is busy with other tests. */
const BOUND_MILLIS = 2_000;

let redis: TestRedis;
let world: World;
let replica: Gateway;
const ears: Ear[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
afterEach(async () => {
  for (const ear of ears.splice(0)) ear.close();
  await replica.close(200);
  await world.close();
});

const start = async (redisUrl: string | undefined, stepMillis: number): Promise<void> => {
  world = await startWorld({ stepMillis, ...(redisUrl !== undefined && { redisUrl }) });
  const { config, directory } = world;
  const log = createLog({ level: 'warn', file: join(directory, 'replica.log') });
  replica = await startGateway({
    config: { ...config, audit: undefined },
    policy: policyOf('policies/jaaz.yaml'),
    log,
  });
  const [{ name, issuer, audience, keys } = world.issuer.settings] = config.issuers;
  const file = {
    ...{ upstream: config.upstream, issuers: [{ name, issuer, audience, keys }], ledger: config.ledger },
    ...{ policies: [resolve('policies/jaaz.yaml')], audit: config.audit },
    ...(redisUrl !== undefined && { redis: { url: redisUrl } }),
  };
  writeFileSync(config.file, JSON.stringify({ ...file, upstream: { url: config.upstream.url } }));
};

const rename = async (...more: string[]): Promise<string> => {
  const { code, out, err } = await commandLine('owners', 'rename', ...CHANGE, '--config', world.config.file, ...more);
  expect([code, err]).toEqual([0, '']);
  return out;
};
const clients = async (user: string): Promise<readonly Client[]> => {
  const token = await world.issuer.token(user);
  return [world.gateway, replica].map(({ url }) => jaazClient({ url, token }));
};
const listen = async (user: string, at: Gateway = world.gateway): Promise<Ear> => {
  const ear = await openEar({ url: at.url, token: await world.issuer.token(user) });
  ears.push(ear);
  return ear;
};
const create = async (client: Client | undefined, prompt: string): Promise<void> => {
  const body = chatBody({ canvas: 'c1', session: 's1', prompt });
  expect((await client?.post('/api/canvas/create', body))?.status).toBe(200);
};
const reads = async (all: readonly Client[]): Promise<boolean[]> =>
  Promise.all(all.map(async (client) => (await client.get('/api/canvas/c1')).text !== 'null'));

describe.each([
  { name: 'with owners remembered in each process', withRedis: false },
  { name: 'with owners remembered in Redis as well', withRedis: true },
])('$name', ({ withRedis }) => {
  const url = (): string | undefined => (withRedis ? redis.url : undefined);

  test('every gateway follows within the bound, and what is in Redis with them', async () => {
    await start(url(), 0);
    const [alice, alicia] = [await clients('alice'), await clients('alicia')];
    await create(alice[0], 'hello');
    expect(await reads(alice)).toEqual([true, true]);
    expect(await reads(alicia)).toEqual([false, false]);
    expect(await rename()).toContain('Nothing was changed');
    expect(await reads(alice)).toEqual([true, true]);

    expect(await rename('--apply')).toMatch(/^Renamed test\|alice -> test\|alicia: [23] resources$/m);
    await eventually(async () => (await reads(alicia)).every((found) => found), BOUND_MILLIS);
    const statuses = async () => Promise.all(alice.map(async (one) => (await one.get('/api/canvas/c1')).status));
    await eventually(async () => (await statuses()).every((status) => status === 401), BOUND_MILLIS);
    if (withRedis) {
      const keys = await redis.ask('KEYS jaaz-gateway:owner:*');
      expect(keys).toContain('owner:');
      for (const [key] of keys.matchAll(/jaaz-gateway:owner:\S+/g))
        expect(await redis.ask(`GET ${key}`)).not.toContain('alice');
    }
    const told = world.audit().filter(({ kind }) => kind === 'admin');
    expect(told.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^renamed test\|alice to test\|alicia: [23]/),
    ]);
  });

  test('open sockets follow: what a run says from then on is said to the new owner, and the old one’s are closed', async () => {
    await start(url(), 60);
    const [alice] = await clients('alice');
    const [aliceHears, there] = [await listen('alice'), await listen('alicia', replica)];
    await create(alice, 'hello');
    await eventually(() => aliceHears.updates.length > 0);
    expect(there.updates).toEqual([]);
    await rename('--apply');
    await there.done('s1');
    await eventually(() => !aliceHears.socket.connected, BOUND_MILLIS);
    expect(aliceHears.updates.some(({ type }) => type === 'done')).toBe(false);
  });

  test('it is taken back as it was done', async () => {
    await start(url(), 0);
    const [alice, alicia] = [await clients('alice'), await clients('alicia')];
    await create(alice[0], 'hello');
    const undo = join(world.directory, 'taken.undo');
    await rename('--apply', '--undo-file', undo);
    await eventually(async () => (await reads(alicia)).every((found) => found), BOUND_MILLIS);
    const { code } = await commandLine('owners', 'undo', undo, '--apply', '--config', world.config.file);
    expect(code).toBe(0);
    // The very token that was refused meanwhile is good again.
    await eventually(async () => (await alice[1]?.get('/api/canvas/c1'))?.status === 200, BOUND_MILLIS);
    await eventually(async () => (await reads(alice)).every((found) => found), BOUND_MILLIS);
    await eventually(async () => !(await reads(alicia)).some((found) => found), BOUND_MILLIS);
  });
});
