/** Polling and its change to a WebSocket, as the standard client and the public listener have it. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { app } from '../../src/server/app.ts';
import { poller } from '../support/poller.ts';
import { openPollingDoor, type PollingDoor, token } from '../support/polling-door.ts';
import { pollingRule } from '../support/session-events.ts';
import { connected, identifyByTable, principal, refusal, until } from '../support/socket-door.ts';

let door: PollingDoor;
afterEach(() => door.stop());

const bearer = { extraHeaders: { authorization: `Bearer ${token}` } };

describe('the standard client', () => {
  test.each([
    ['by polling alone', ['polling'], 'polling'],
    ['by polling, then by a WebSocket', ['polling', 'websocket'], 'websocket'],
    ['by a WebSocket alone', ['websocket'], 'websocket'],
  ])('is served %s, as one connection of its user and of its address', async (_, transports, last) => {
    door = await openPollingDoor({ maxSocketsPerAddress: 1, maxSocketsPerOwner: 1 });
    for (let round = 0; round < 3; round += 1) {
      const socket = door.client(undefined, { transports, ...bearer });
      const heard: string[] = [];
      socket.on('session_update', ({ text }) => heard.push(text));
      await connected(socket);
      await until(() => socket.io.engine.transport.name === last && door.count() === 1);
      expect(door.open()).toBe(1);
      door.tell('é'.repeat(100_000));
      await until(() => heard.length === 1);
      const pong = new Promise((resolve) => socket.on('pong', resolve));
      expect(await socket.timeout(5_000).emitWithAck('ping', { n: [1] })).toBeUndefined();
      expect(await pong).toEqual({ n: [1] });
      expect(heard[0]).toHaveLength(100_000);
      socket.disconnect();
      await door.nothingIsLeft();
    }
    expect(door.reasons()).toEqual([]);
  });

  test('hears every event once and in order across its change to a WebSocket', async () => {
    door = await openPollingDoor();
    const socket = door.client(undefined, { transports: ['polling', 'websocket'], ...bearer });
    const heard: number[] = [];
    socket.on('session_update', ({ n }) => heard.push(n));
    await connected(socket);
    await until(() => door.count() === 1);
    let sent = 0;
    while (socket.io.engine.transport.name !== 'websocket' || sent < 500) {
      door.channels.send('demo|alice', { name: 'session_update', payload: { n: sent } }, []);
      sent += 1;
      if (sent % 10 === 0) await new Promise(setImmediate);
    }
    await until(() => heard.length === sent);
    expect(heard).toEqual(Array.from({ length: sent }, (_, n) => n));
  });

  test('that shows no token in its requests does not get as far as the namespace', async () => {
    door = await openPollingDoor();
    const error = await refusal(door.client({ token }, { transports: ['polling'] }));
    expect(error.message).toBe('xhr poll error');
    expect(door.reasons()).toEqual(['token-missing']);
    expect(door.open()).toBe(0);
  });

  test('may show a second token of the same user in `auth`', async () => {
    const tokens = new Map([
      ['one', principal('alice')],
      ['two', principal('alice')],
    ]);
    door = await openPollingDoor({ identify: identifyByTable(tokens) });
    await connected(
      door.client({ token: 'two' }, { transports: ['polling'], extraHeaders: { authorization: 'Bearer one' } }),
    );
    expect(door.records.at(-1)).toMatchObject({ outcome: 'allowed', owner: 'demo|alice' });
  });

  test('beyond the number of its user is told so', async () => {
    door = await openPollingDoor({ maxSocketsPerOwner: 1 });
    await connected(door.client(undefined, { transports: ['polling'], ...bearer }));
    const error = await refusal(door.client(undefined, { transports: ['polling'], ...bearer }));
    expect([error.message, error.data]).toEqual([
      'Too many connections are open.',
      { code: 'sockets-limited', message: 'Too many connections are open.' },
    ]);
  });
});

test('clients of every way that come, and go as they like, leave no timer, no count and no connection behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  door = await openPollingDoor({ maxSocketsPerOwner: 30, maxSocketsPerAddress: 30 });
  const before = timers();
  for (let round = 0; round < 3; round += 1) {
    const clients = Array.from({ length: 9 }, (_, n) => {
      const transports = [['polling'], ['polling', 'websocket'], ['websocket']][n % 3];
      return door.client(undefined, { transports, ...bearer });
    });
    await Promise.all(clients.map(connected));
    const { sid } = await door.polls.join(token);
    const offered = door.raw(`EIO=4&transport=websocket&sid=${sid}`, { authorization: `Bearer ${token}` });
    await once(offered.socket, 'open');
    const silent = await door.polls.open({ token });
    await until(() => door.count() === 10);
    expect(door.open()).toBe(11);
    door.tell('to all of them');
    const [polite, gone] = [clients.slice(0, 6), clients.slice(6)];
    for (const client of polite) client.disconnect();
    // Without a word of Engine.IO or of Socket.IO.
    for (const client of gone) client.io.engine.close();
    await door.polls.post(sid, '1', { token });
    await door.polls.post(silent, '1', { token });
    await door.nothingIsLeft();
  }
  await until(() => timers() <= before);
});

describe('the public listener', () => {
  const listening = async () => {
    const server = app({
      live: async (_, reply) => void (await reply.refuse(new Rejection('route-unknown', 'no route'), undefined, [])),
      refused: () => undefined,
      upgrade: door.handleUpgrade,
      poll: door.handleRequest,
      socketPath: pollingRule.path,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { server, port, through: door.another(port) };
  };

  test('hands over the requests at the path of the socket and no others', async () => {
    door = await openPollingDoor();
    const { server, port, through } = await listening();
    const sid = await through.open({ token });
    expect((await through.post(sid, '40', { token })).body).toBe('ok');
    await until(() => door.count() === 1);
    for (const path of ['/socket.io', '/socket.iox/', '/socket.io/x', '/%73ocket.io/', '/']) {
      const other = poller(port, path);
      expect((await other.ask({ token })).code, path).toBe('route-unknown');
      other.close();
    }
    expect(door.reasons()).toEqual([]);
    server.closeAllConnections();
    server.close();
  });

  test('tells a client to go on only when its packets are wanted', async () => {
    door = await openPollingDoor();
    const { server, port, through } = await listening();
    const sid = await through.open({ token });
    const say = async (more: string): Promise<string> => {
      const wire = connect(port, '127.0.0.1');
      const head = 'host: x\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nexpect: 100-continue\r\n';
      wire.write(`POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\n${head}${more}\r\n`);
      let heard = String((await once(wire, 'data'))[0]);
      if (heard.startsWith('HTTP/1.1 100 ')) {
        wire.write('40');
        heard += String((await once(wire, 'data'))[0]);
      }
      wire.destroy();
      return [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status).join();
    };
    expect([await say(''), await say(`authorization: Bearer ${token}\r\n`)]).toEqual(['401', '100,200']);
    server.closeAllConnections();
    server.close();
  });

  test('answers them like every other request while nobody may poll', async () => {
    door = await openPollingDoor({ rule: { ...pollingRule, transports: new Set(['websocket']) } });
    const { server, through } = await listening();
    expect((await through.ask({ token })).code).toBe('route-unknown');
    server.close();
  });
});
