/**
 * Live events when a part fails: the server behind, the ledger, a client. What is owed is delivered once and in order, what
 * was missed is told, and afterwards the gateway holds what it held before.
 */
import { once } from 'node:events';
import type { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { layCable } from '../support/cable.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { holdings, scrape } from '../support/gauges.ts';
import { deltas, own, words } from '../support/own-sessions.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startUpstreamProcess, type UpstreamProcess } from '../support/upstream-process.ts';

let upstream: UpstreamProcess;
const ends: Array<() => unknown> = [];
beforeEach(async () => {
  upstream = await startUpstreamProcess();
  ends.push(() => upstream.kill());
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const start = async (upstreamUrl = upstream.url, more: object = {}): Promise<GatewayProcess> => {
  const { promise: seeded, resolve: done } = Promise.withResolvers<void>();
  const prepare = (directory: string): string[] => {
    void own(directory, ['alice', 'bob']).then(done);
    return [resolve('policies/jaaz.yaml')];
  };
  const gateway = await startGatewayProcess(upstreamUrl, prepare, more);
  await seeded;
  ends.push(() => gateway.stop());
  await heard(gateway, 1);
  return gateway;
};

/** Resolves when the gateway hears the upstream, or does not. */
const heard = (gateway: GatewayProcess, connected: 0 | 1): Promise<void> =>
  eventually(async () => (await scrape(gateway.adminUrl())).value('gateway_upstream_connected') === connected);

interface Listener {
  readonly socket: Socket;
  readonly texts: unknown[];
  readonly notices: Array<{ readonly type?: unknown }>;
}

const listen = async (gateway: GatewayProcess, user: string): Promise<Listener> => {
  const token = await gateway.issuer.token(user);
  const socket = io(gateway.url(), { transports: ['websocket'], forceNew: true, reconnection: false, auth: { token } });
  ends.push(() => socket.disconnect());
  const texts: unknown[] = [];
  const notices: Array<{ type?: unknown }> = [];
  socket.on('session_update', ({ text }: { text: unknown }) => texts.push(text));
  socket.on('gateway', (notice: { type?: unknown }) => notices.push(notice));
  await once(socket as never, 'connect');
  return { socket, texts, notices };
};

const everybody = async (gateway: GatewayProcess): Promise<Listener[]> =>
  Promise.all(['alice', 'alice', 'alice', 'bob', 'bob'].map((user) => listen(gateway, user)));

const say = (from: number, to: number): void =>
  upstream.emit([...deltas('alice', from, to), ...deltas('bob', from, to)]);

const toldEach = async (listeners: readonly Listener[], from: number, to: number): Promise<void> => {
  for (const [index, { texts }] of listeners.entries()) {
    const expected = words(index < 3 ? 'alice' : 'bob', from, to);
    await eventually(() => texts.length >= expected.length);
    expect(texts.splice(0)).toEqual(expected);
  }
};

const toldOfAGap = async (listeners: readonly Listener[]): Promise<void> => {
  for (const { notices } of listeners) {
    await eventually(() => notices.some(({ type }) => type === 'gap'));
    expect(notices.splice(0).map(({ type }) => type)).toEqual(['gap']);
  }
};

/** Everybody leaves, and the gateway holds what it held before they came. */
const backTo = async (gateway: GatewayProcess, before: object, listeners: readonly Listener[]): Promise<void> => {
  for (const { socket } of listeners) socket.disconnect();
  await eventually(async () => JSON.stringify(await holdings(gateway.adminUrl())) === JSON.stringify(before)).catch(
    async () => expect(await holdings(gateway.adminUrl())).toEqual(before),
  );
};

describe('the server behind', () => {
  test('is killed and started again: sockets stay, each is told of the gap, and goes on hearing its own', async () => {
    const gateway = await start();
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    say(0, 5);
    await toldEach(listeners, 0, 5);
    await upstream.kill();
    await heard(gateway, 0);
    await upstream.restart();
    await heard(gateway, 1);
    await toldOfAGap(listeners);
    say(5, 10);
    await toldEach(listeners, 5, 10);
    expect(upstream.mostConnections()).toBe(1);
    expect(listeners.every(({ socket }) => socket.connected)).toBe(true);
    await backTo(gateway, before, listeners);
  });

  test('stands still for a moment: nothing is lost, and nobody is told of anything', async () => {
    const gateway = await start();
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    say(0, 5);
    upstream.freeze();
    say(5, 10);
    await Promise.all(listeners.map(({ socket }) => new Promise<void>((done) => socket.emit('ping', {}, done))));
    upstream.thaw();
    await toldEach(listeners, 0, 10);
    expect(listeners.flatMap(({ notices }) => notices)).toEqual([]);
    await backTo(gateway, before, listeners);
  });

  test('stands still for longer than its heartbeat: that is noticed, and a gap when it goes on', async () => {
    const gateway = await start();
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    upstream.freeze();
    await heard(gateway, 0);
    expect((await fetch(`${gateway.adminUrl()}/readyz`)).status).toBe(503);
    await Promise.all(listeners.map(({ socket }) => new Promise<void>((done) => socket.emit('ping', {}, done))));
    upstream.thaw();
    await heard(gateway, 1);
    await toldOfAGap(listeners);
    say(0, 5);
    await toldEach(listeners, 0, 5);
    await backTo(gateway, before, listeners);
  });

  test('is cut in the middle of a frame: of that event nobody hears anything, and all of the gap', async () => {
    const cable = await layCable(upstream.port);
    ends.push(() => cable.close());
    const gateway = await start(`http://127.0.0.1:${cable.port}`);
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    say(0, 2);
    await toldEach(listeners, 0, 2);
    cable.cutAfter(40);
    say(2, 3);
    await toldOfAGap(listeners);
    await heard(gateway, 1);
    say(3, 5);
    await toldEach(listeners, 3, 5);
    await backTo(gateway, before, listeners);
  });
});

describe('the ledger', () => {
  const rename = (gateway: GatewayProcess, from: string, to: string): void => {
    const database = new DatabaseSync(join(gateway.directory, 'ownership.db'));
    database.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
    database.close();
  };

  test('cannot be read for a while: events whose owner is not known here wait, in order, and are heard then', async () => {
    const gateway = await start();
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    rename(gateway, LEDGER_TABLE, 'away');
    say(0, 20);
    await eventually(async () => (await holdings(gateway.adminUrl())).queued >= 40);
    expect((await fetch(`${gateway.adminUrl()}/readyz`)).status).toBe(503);
    expect(listeners.flatMap(({ texts }) => texts)).toEqual([]);
    rename(gateway, 'away', LEDGER_TABLE);
    await toldEach(listeners, 0, 20);
    expect(listeners.every(({ socket }) => socket.connected)).toBe(true);
    await backTo(gateway, before, listeners);
  });
});

const LEDGER_TABLE = 'resources';

describe('Redis', () => {
  test.each<[string, (redis: TestRedis) => unknown, (redis: TestRedis) => unknown]>([
    ['is killed, and started again empty', (redis) => redis.kill(), (redis) => redis.restart()],
    ['stalls, and goes on', (redis) => redis.pause(), (redis) => redis.resume()],
  ])('%s: sockets stay, and hear what is theirs all the time', async (_, stop, goOn) => {
    const redis = await startRedis();
    ends.push(() => redis.stop());
    const gateway = await start(upstream.url, { redis: { url: redis.url } });
    const ready = async () => JSON.stringify(await (await fetch(`${gateway.adminUrl()}/readyz`)).json());
    const usable = await ready();
    const listeners = await everybody(gateway);
    say(0, 5);
    await toldEach(listeners, 0, 5);
    await stop(redis);
    say(5, 10);
    await toldEach(listeners, 5, 10);
    // Those that come now are let in by this replica's own counters.
    const late = await listen(gateway, 'alice');
    await eventually(async () => (await ready()) !== usable);
    await goOn(redis);
    await eventually(async () => (await ready()) === usable);
    say(10, 15);
    await toldEach(listeners, 10, 15);
    expect(late.texts).toEqual(words('alice', 10, 15));
    for (const { socket } of [...listeners, late]) socket.disconnect();
    await eventually(async () => (await holdings(gateway.adminUrl())).sockets === 0);
  });
});

describe('a client', () => {
  const others = async (gateway: GatewayProcess, listeners: readonly Listener[], from: number): Promise<void> => {
    say(from, from + 5);
    await toldEach(listeners, from, from + 5);
    expect((await scrape(gateway.adminUrl())).value('gateway_upstream_connected')).toBe(1);
  };

  const raw = async (gateway: GatewayProcess): Promise<WebSocket> => {
    const token = await gateway.issuer.token('alice');
    const socket = new WebSocket(`${gateway.url().replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    socket.on('error', () => undefined);
    ends.push(() => socket.terminate());
    await once(socket, 'open');
    socket.send(`40${JSON.stringify({ token })}`);
    await eventually(async () => (await holdings(gateway.adminUrl())).sockets === 6);
    return socket;
  };

  const cases: ReadonlyArray<readonly [what: string, act: (socket: WebSocket) => void]> = [
    ['vanishes without a word', (socket) => socket.terminate()],
    ['leaves in the middle of a frame', (socket) => leaveInFrame(socket)],
    [
      'floods',
      (socket) => {
        for (let n = 0; n < 2_000; n += 1) socket.send('42["ping",{}]');
      },
    ],
    ['sends garbage', (socket) => socket.send('4\u{1F4A9}[[[[')],
    ['sends binary garbage', (socket) => socket.send(Buffer.from([1, 2, 3]))],
    ['sends more than it may', (socket) => socket.send(`42["ping","${'x'.repeat(200_000)}"]`)],
  ];

  test.each(cases)('%s: the others hear what is theirs, and nothing of it is left', async (_, act) => {
    const gateway = await start();
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    const socket = await raw(gateway);
    act(socket);
    await eventually(async () => (await holdings(gateway.adminUrl())).sockets === 5);
    await others(gateway, listeners, 0);
    await backTo(gateway, before, listeners);
  });

  test('never reads: the others hear what is theirs, and it is cut off before the memory is full', async () => {
    const gateway = await start();
    const before = await holdings(gateway.adminUrl());
    const listeners = await everybody(gateway);
    const socket = await raw(gateway);
    socket.pause();
    const text = 'x'.repeat(1 << 20);
    const big: [string, object] = ['session_update', { session_id: 'alice-s', canvas_id: null, type: 'delta', text }];
    for (let n = 0; n < 100; n += 1) {
      upstream.emit([big]);
      // The others must read what one does not, or they would be cut off too.
      await eventually(() => listeners.slice(0, 3).every(({ texts }) => texts.length === n + 1));
      upstream.emit(deltas('bob', n, n + 1));
      await eventually(() => listeners.slice(3).every(({ texts }) => texts.length === n + 1));
    }
    await eventually(async () => (await holdings(gateway.adminUrl())).sockets === 5);
    expect(listeners[3]?.texts).toEqual(words('bob', 0, 100));
    await backTo(gateway, before, listeners);
  });
});

/** Announces a frame of 100 bytes, sends ten of them, and resets the connection. */
const leaveInFrame = (socket: WebSocket): void => {
  const wire = (socket as unknown as { _socket: ReturnType<typeof connect> })._socket;
  wire.write(Buffer.from([0x81, 0x80 | 100, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  wire.resetAndDestroy();
};
