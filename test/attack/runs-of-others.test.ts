/**
 * How many runs a user has open is counted by the ends that the upstream announces for a session. Who names another's
 * session must not have that end counted for himself: the other's slot would stay taken until its timeout.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, type Client, chatBody } from '../support/jaaz-client.ts';
import { type PeopledWorld, startPeopledWorld } from '../support/people.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';

/** Runs at once, as the policy has it; of everything else there is enough. */
const LIMIT = 3;
const policy = jaazPolicy(...withoutLimits.filter(([found]) => !String(found).startsWith('running')));
const REFUSED = [409, 'resource-taken', 'resource-taken'];

/** The way to the upstream, on which questions about canvases called `held-…` wait until they are let through. */
const heldUp = async (toUrl: string) => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let waiting = 0;
  const server = createServer((near) => {
    const far = connect(Number(new URL(toUrl).port), '127.0.0.1');
    near.on('data', async (bytes) => {
      if (bytes.toString('latin1').startsWith('GET /api/canvas/held-')) {
        waiting += 1;
        await opened;
      }
      far.write(bytes);
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => undefined).on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, waiting: () => waiting, open, close: () => server.close() };
};

let directory: string;
let upstream: StandIn;
let way: Awaited<ReturnType<typeof heldUp>>;
let world: PeopledWorld;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'runs-of-others-'));
  upstream = await startStandIn({ dataDir: directory, stepMillis: 20 });
  way = await heldUp(upstream.url);
  world = await startPeopledWorld({ policy, upstreamUrl: way.url });
});
afterEach(async () => {
  way.open();
  await world.close();
  way.close();
  await upstream.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs whose end is awaited, of all users. */
const openRuns = async (): Promise<number> => {
  const text = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  return Number(/^gateway_runs (\d+)$/m.exec(text)?.[1]);
};
const create = (client: Client, canvas: string, session: string, prompt = 'x'): Promise<Answer> =>
  client.post('/api/canvas/create', chatBody({ canvas, session, prompt }));

/** A user has exactly as many slots as ever: all can be taken, and one more cannot. */
const takesAllSlots = async (client: Client, name: string): Promise<void> => {
  for (let slot = 0; slot < LIMIT; slot += 1) {
    expect((await create(client, `${name}-c-${slot}`, `${name}-${slot}`, '[[slow]]')).status).toBe(200);
  }
  expect((await create(client, `${name}-c-more`, `${name}-more`)).code).toBe('runs-limited');
};
const cancelAll = async (client: Client, name: string): Promise<void> => {
  for (let slot = 0; slot < LIMIT; slot += 1) await client.post(`/api/cancel/${name}-${slot}`);
};

test('who names another’s session while she has a run is refused without a slot, and her run ends as ever', async () => {
  const { alice, bob } = world;
  expect((await create(bob.client, 'b-c', 'b-s')).status).toBe(200);
  await bob.ear.done('b-s', 2);
  await eventually(async () => (await openRuns()) === 0);
  expect((await create(alice.client, 'a-c', 'a-s', '[[slow]]')).status).toBe(200);
  // More at once than he has slots.
  const attempts = Array.from({ length: 4 * LIMIT }, (_, turn) =>
    turn % 2 === 0
      ? create(bob.client, `new-${turn}`, 'a-s')
      : bob.client.post('/api/chat', chatBody({ canvas: 'b-c', session: 'a-s', prompt: 'x' })),
  );
  for (const answer of await Promise.all(attempts)) expect(await world.told(answer)).toEqual(REFUSED);
  expect(await openRuns()).toBe(1);
  await alice.ear.done('a-s', 2);
  await eventually(async () => (await openRuns()) === 0);
  await takesAllSlots(alice.client, 'alice');
  await takesAllSlots(bob.client, 'bob');
  await cancelAll(alice.client, 'alice');
  await cancelAll(bob.client, 'bob');
  await eventually(async () => (await openRuns()) === 0);
}, 30_000);

test('who named it before her, and is still being judged, does not take the end of her run for his own', async () => {
  const { alice, bob } = world;
  const his: Array<Promise<Answer>> = [];
  for (let turn = 0; turn < LIMIT; turn += 1) {
    his.push(create(bob.client, `held-${turn}`, `a-${turn}`));
    await eventually(() => way.waiting() === turn + 1);
    expect(await openRuns()).toBe(0);
    expect((await create(alice.client, `a-c-${turn}`, `a-${turn}`)).status).toBe(200);
    await alice.ear.done(`a-${turn}`, 2);
    await eventually(async () => (await openRuns()) === 0);
  }
  await takesAllSlots(alice.client, 'alice');
  await takesAllSlots(bob.client, 'bob');
  way.open();
  for (const answer of await Promise.all(his)) expect(await world.told(answer)).toEqual(REFUSED);
  // His refusals gave nothing back that was not theirs.
  expect((await create(alice.client, 'a-c-more', 'a-more')).code).toBe('runs-limited');
  expect(await openRuns()).toBe(2 * LIMIT);
  await cancelAll(alice.client, 'alice');
  await cancelAll(bob.client, 'bob');
  await eventually(async () => (await openRuns()) === 0);
}, 30_000);
