/**
 * Live events while a policy is rolled out: who the policy is not in effect for hears all that the server says, as from
 * the bare server; who it is in effect for hears its own; and a change of policy drops nobody who has a token.
 */
import type { Socket } from 'socket.io-client';
import { io } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Policy } from '../../src/model/policy.ts';
import { eventually } from '../support/eventually.ts';
import { chatBody, jaazClient } from '../support/jaaz-client.ts';
import { jaazPolicy, type Replacement } from '../support/policies.ts';
import { startWorld, type World } from '../support/world.ts';

const inMode = (words: string): Policy => jaazPolicy(['mode: enforce', words] satisfies Replacement);

const ENFORCE = jaazPolicy();
const SHADOW = inMode('mode: shadow');
const ALICE_ENFORCED = inMode("mode: shadow\ncohorts: { first: { mode: enforce, users: ['test|alice'] } }");

/** A policy that can be replaced while it is in use, as a reload replaces it. */
const replaceable = (first: Policy) => {
  let current = first;
  const policy: Policy = {
    ...first,
    get rollout() {
      return current.rollout;
    },
  };
  return {
    policy,
    use(next: Policy): void {
      current = next;
    },
  };
};

interface Listener {
  readonly socket: Socket;
  /** The events as they came, their names first. */
  readonly heard: ReadonlyArray<readonly [name: string, payload: Record<string, unknown>]>;
  texts(): unknown[];
  /** How often it lost its connection. */
  lost(): number;
}

let world: World;
let live: ReturnType<typeof replaceable>;
const listeners: Listener[] = [];

const listen = async (auth: (() => object) | undefined): Promise<Listener> => {
  const heard: Array<[string, Record<string, unknown>]> = [];
  let lost = 0;
  const give = (hand: (shown: object) => void): void => hand(auth?.() ?? {});
  const socket = io(world.gateway.url, {
    ...{ transports: ['websocket'], forceNew: true, reconnectionDelay: 20, auth: give },
    extraHeaders: { 'user-agent': 'old page' },
  });
  // Bound before the connection is made: nothing is missed.
  socket.onAny((name: string, payload: Record<string, unknown>) => heard.push([name, payload]));
  socket.on('disconnect', () => {
    lost += 1;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  const listener = { socket, heard, texts: () => heard.map(([, { text }]) => text), lost: () => lost };
  listeners.push(listener);
  await eventually(() => heard.some(([name]) => name === 'connected'));
  return listener;
};

const listenAs = async (user: string): Promise<Listener> => {
  const token = await world.issuer.token(user);
  return listen(() => ({ token }));
};

const tell = (fields: object): void => world.upstream.broadcast('session_update', { canvas_id: null, ...fields });

const start = async (policy: Policy): Promise<void> => {
  live = replaceable(policy);
  world = await startWorld({ policy: live.policy, stepMillis: 0 });
  await eventually(() => world.upstream.sockets() === 1);
};

const create = async (user: string): Promise<void> => {
  const client = jaazClient({ url: world.gateway.url, token: await world.issuer.token(user) });
  const body = chatBody({ canvas: `${user}-c`, session: `${user}-s`, prompt: `secret of ${user}` });
  expect((await client.post('/api/canvas/create', body)).status).toBe(200);
};

afterEach(async () => {
  for (const { socket } of listeners.splice(0)) socket.disconnect();
  await world.close();
});

describe('with one cohort enforced', () => {
  let alice: Listener;
  let bob: Listener;
  let nobody: Listener;
  beforeEach(async () => {
    await start(ALICE_ENFORCED);
    [alice, bob, nobody] = [await listenAs('alice'), await listenAs('bob'), await listen(undefined)];
    await create('alice');
    await create('bob');
    const isDone = ({ heard }: Listener, session: string): boolean =>
      heard.filter(([, { type, session_id }]) => type === 'done' && session_id === session).length === 2;
    await eventually(() => [bob, nobody].every((one) => isDone(one, 'alice-s') && isDone(one, 'bob-s')));
    await eventually(() => isDone(alice, 'alice-s'));
  });

  test('who is in it hears its own alone, while the unknown hear what the bare server says', async () => {
    const direct = io(world.upstream.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    const said: unknown[] = [];
    await new Promise<void>((resolve) => direct.once('connect', resolve));
    direct.onAny((...event: unknown[]) => said.push(event));
    const [before, aliceBefore] = [nobody.heard.length, alice.heard.length];
    const picture = 'http://localhost:57988/api/file/im_abcdefgh.png';
    tell({ session_id: 'alice-s', type: 'delta', text: 'one', more: [1, null, { deep: picture }] });
    tell({ session_id: 'alice-s', canvas_id: 'alice-c', type: 'image_generated', image_url: picture, text: 'two' });
    tell({ session_id: 'alice-s', type: 'brand_new', text: 'three' });
    tell({ session_id: 'nobodys', type: 'delta', text: 'four' });
    tell({ session_id: null, text: 'five' });
    tell({ session_id: 'alice-s', canvas_id: 'bob-c', type: 'delta', text: 'six' });
    world.upstream.broadcast('init_done', { type: 'init_done', text: 'seven' });
    tell({ session_id: 'bob-s', type: 'delta', text: 'eight' });
    tell({ session_id: 'alice-s', type: 'delta', text: 'nine' });
    await eventually(() => [alice, bob, nobody].every((one) => one.texts().at(-1) === 'nine'));
    direct.disconnect();
    const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
    expect(nobody.heard.slice(before)).toEqual(said);
    expect(nobody.texts().slice(before)).toEqual(words);
    expect(bob.texts().slice(-9)).toEqual(words);
    expect(alice.texts().slice(aliceBefore)).toEqual(['one', 'two', 'nine']);
    // What is changed for those that are judged is changed for them alone.
    expect(alice.heard.at(-2)?.[1].image_url).toBe('/api/file/im_abcdefgh.png');
    expect(nobody.heard.at(before + 1)?.[1].image_url).toBe(picture);
  });

  test('Bob’s secret reaches everybody but her', () => {
    expect(JSON.stringify(nobody.heard)).toContain('secret of bob');
    expect(JSON.stringify(nobody.heard)).toContain('secret of alice');
    expect(JSON.stringify(alice.heard)).toContain('secret of alice');
    expect(JSON.stringify(alice.heard)).not.toContain('secret of bob');
    expect(new Set(alice.heard.flatMap(([, { session_id = 'none' }]) => session_id))).toEqual(
      new Set(['none', 'alice-s']),
    );
  });

  test('a picture that an event made becomes its owner’s all the same', async () => {
    const made = nobody.heard.find(
      ([, { type, session_id }]) => type === 'image_generated' && session_id === 'alice-s',
    );
    const path = `/api/file/${String(made?.[1].image_url).split('/').at(-1)}`;
    const own = jaazClient({ url: world.gateway.url, token: await world.issuer.token('alice') });
    expect((await own.get(path)).status).toBe(200);
  });
});

test('what would have been withheld is told by the window, with who came without a token', async () => {
  await start(SHADOW);
  await listenAs('alice');
  const nobody = await listen(undefined);
  const forged = await listen(() => ({ token: 'x.y.z' }));
  await create('alice');
  for (const text of ['one', 'two']) tell({ session_id: 'alice-s', type: 'delta', text });
  tell({ session_id: 'nobodys', type: 'delta', text: 'three' });
  tell({ session_id: 'nobodys', type: 'odd', text: 'end' });
  await eventually(() => nobody.texts().includes('end') && forged.texts().includes('end'));
  const metrics = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toMatch(/gateway_events_total\{outcome="would-withhold",because="not-theirs"\} \d/);
  expect(metrics).toContain('gateway_events_total{outcome="would-withhold",because="unlisted-type"} 3');
  const records = () => world.audit();
  await eventually(() => records().filter(({ kind }) => kind === 'socket').length === 3);
  const byReason = records().map(({ mode, findings, client, outcome }) => ({ mode, findings, client, outcome }));
  const denied = (reason: string, detail: unknown) => ({
    ...{ mode: 'shadow', client: 'old page', outcome: 'allowed' },
    findings: [{ would: 'deny', reason, detail }],
  });
  expect(byReason).toContainEqual({ mode: 'shadow', client: 'old page', outcome: 'allowed', findings: [] });
  expect(byReason).toContainEqual(denied('token-missing', 'no token was presented'));
  expect(byReason).toContainEqual(denied('token-malformed', expect.any(String)));
  // The window is over at the latest when the gateway is.
  await world.gateway.close(200);
  const told = records().filter(({ kind }) => kind === 'event');
  expect(told).toMatchObject([{ outcome: 'allowed', mode: 'shadow' }]);
  const findings = told[0]?.findings as Array<Record<string, number | string>>;
  expect(findings).toContainEqual({
    ...{ would: 'withhold', event: 'session_update/odd', because: 'unlisted-type' },
    ...{ sockets: 3, of: 3 },
  });
  const deltas = findings.find(({ event, because }) => event === 'session_update/delta' && because === undefined);
  // Two of the three are not Alice's.
  expect([Number(deltas?.sockets) * 3, Number(deltas?.sockets) >= 4]).toEqual([Number(deltas?.of) * 2, true]);
});

describe('a change of policy', () => {
  test('goes from shadow to a cohort to all and back without a dropped socket of who has a token', async () => {
    await start(SHADOW);
    const [alice, bob, nobody] = [await listenAs('alice'), await listenAs('bob'), await listen(undefined)];
    await create('alice');
    await create('bob');
    const round = async (name: string, hear: readonly Listener[]): Promise<void> => {
      for (const user of ['alice', 'bob']) tell({ session_id: `${user}-s`, type: 'delta', text: `${name} ${user}` });
      tell({ session_id: 'alice-s', type: 'delta', text: `${name} end` });
      tell({ session_id: 'bob-s', type: 'delta', text: `${name} end` });
      await eventually(() => hear.every((one) => one.texts().includes(`${name} end`)));
    };
    await round('shadow', [alice, bob, nobody]);
    live.use(ALICE_ENFORCED);
    await round('cohort', [alice, bob, nobody]);
    live.use(ENFORCE);
    await round('enforce', [alice, bob]);
    await eventually(() => !nobody.socket.connected);
    live.use(SHADOW);
    await round('back', [alice, bob]);

    const heardBy = (one: Listener) => one.texts().filter((text) => /^(shadow|cohort|enforce|back) /.test(`${text}`));
    expect(heardBy(alice)).toEqual([
      ...['shadow alice', 'shadow bob', 'shadow end', 'shadow end'],
      ...['cohort alice', 'cohort end'],
      ...['enforce alice', 'enforce end'],
      ...['back alice', 'back bob', 'back end', 'back end'],
    ]);
    expect(heardBy(bob)).toEqual([
      ...['shadow alice', 'shadow bob', 'shadow end', 'shadow end'],
      ...['cohort alice', 'cohort bob', 'cohort end', 'cohort end'],
      ...['enforce bob', 'enforce end'],
      ...['back alice', 'back bob', 'back end', 'back end'],
    ]);
    expect(heardBy(nobody).filter((text) => /^(enforce|back)/.test(`${text}`))).toEqual([]);
    expect([alice.lost(), bob.lost(), nobody.lost()]).toEqual([0, 0, 1]);
    await eventually(() => world.audit().some(({ reason }) => reason === 'token-missing'));
  });

  test('lets who was unknown come back with a token', async () => {
    await start(SHADOW);
    let auth: object = {};
    const one = await listen(() => auth);
    await create('alice');
    auth = { token: await world.issuer.token('alice') };
    live.use(ENFORCE);
    tell({ session_id: 'alice-s', type: 'delta', text: 'before' });
    await eventually(() => one.lost() === 1 && one.socket.connected);
    await eventually(() => one.heard.filter(([name]) => name === 'connected').length === 2);
    tell({ session_id: 'alice-s', type: 'delta', text: 'after' });
    await eventually(() => one.texts().includes('after'));
    expect(one.texts()).not.toContain('before');
  });

  test('makes no difference to the name that the server greets with: it is said once a connection', async () => {
    await start(SHADOW);
    const nobody = await listen(undefined);
    world.upstream.broadcast('connected', { status: 'connected' });
    tell({ session_id: null, type: 'delta', text: 'end' });
    await eventually(() => nobody.texts().includes('end'));
    expect(nobody.heard.filter(([name]) => name === 'connected')).toHaveLength(1);
  });
});
