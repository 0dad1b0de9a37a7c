/**
 * The clients that people have, unmodified, against the whole gateway: the standard one of JavaScript and, in processes
 * of their own, both of the Python line. The Java client is not here: a bare WebSocket speaks its wire form.
 */
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { eventually } from '../support/eventually.ts';
import { chatBody, jaazClient } from '../support/jaaz-client.ts';
import { jaazPolicy, withoutLimits } from '../support/policies.ts';
import { type PythonOptions, pythonClient } from '../support/python-client.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let token: string;
const clients: Socket[] = [];
const pythons: Array<ReturnType<typeof pythonClient>> = [];

beforeAll(async () => {
  const polling = ['token: [auth, header]', 'token: [auth, header]\n    transports: [websocket, polling]'] as const;
  world = await startWorld({ stepMillis: 0, policy: jaazPolicy(...withoutLimits, polling) });
  token = await world.issuer.token('alice');
  for (const user of ['alice', 'bob']) {
    const client = jaazClient({ url: world.gateway.url, token: await world.issuer.token(user) });
    const body = chatBody({ canvas: `${user}-c`, session: `${user}-s`, prompt: 'hello' });
    expect((await client.post('/api/canvas/create', body)).status).toBe(200);
  }
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await Promise.all(pythons.splice(0).map((client) => client.kill()));
  await eventually(async () => (await openSockets()) === 0);
});
afterAll(() => world.close());

const openSockets = async (): Promise<number> => {
  const text = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text();
  return Number(/^gateway_sockets(?:\{\})? (\d+)$/m.exec(text)?.[1]);
};

/** An event of Bob's, then one of Alice's: whoever hears hers has not heard his. */
const broadcast = (text: string): void => {
  const update = (user: string) => ({
    session_id: `${user}-s`,
    canvas_id: null,
    type: 'delta',
    text: `${user} ${text}`,
  });
  world.upstream.broadcast('session_update', update('bob'));
  world.upstream.broadcast('session_update', update('alice'));
};

const textsOf = (updates: ReadonlyArray<readonly unknown[]>): unknown[] =>
  updates.map(([update]) => (update as { text?: unknown }).text).filter((text) => /^(?:alice|bob) /.test(String(text)));

/** So many events that are not listed end a socket. With more to say at that moment, AsyncClient would wait for 30 s. */
const UNLISTED = 20;

const BYTES = Buffer.from([0, 1, 2, 254, 255]);

describe('the client of JavaScript', () => {
  const dial = (options: object): Socket => {
    const client = io(world.gateway.url, { forceNew: true, reconnectionDelay: 20, randomizationFactor: 0, ...options });
    clients.push(client);
    return client;
  };
  const bearer = () => ({ extraHeaders: { authorization: `Bearer ${token}` } });

  const ways = [
    ['by WebSocket, its token in `auth`', () => ({ transports: ['websocket'], auth: { token } }), 'websocket'],
    ['by WebSocket, its token in the header', () => ({ transports: ['websocket'], ...bearer() }), 'websocket'],
    ['by polling', () => ({ transports: ['polling'], ...bearer() }), 'polling'],
    ['by polling, then by WebSocket', bearer, 'websocket'],
  ] as const;

  test.each(ways)('connects %s, hears its own, is answered, and comes back', async (_, options, last) => {
    const client = dial(options());
    const updates: unknown[][] = [];
    client.on('session_update', (...data) => updates.push(data));
    const greeted = new Promise((resolve) => client.once('connected', resolve));
    expect(await greeted).toEqual({ status: 'connected' });
    await eventually(() => client.io.engine.transport.name === last);

    broadcast('one');
    await eventually(() => textsOf(updates).length > 0);
    expect(textsOf(updates)).toEqual(['alice one']);

    const pongs: unknown[] = [];
    client.on('pong', (payload) => pongs.push(payload));
    client.emit('ping', { text: 'ä€😀' });
    client.emit('ping', BYTES);
    client.emit('ping', { nested: [BYTES, 1] });
    await eventually(() => pongs.length === 3);
    expect(pongs).toEqual([{ text: 'ä€😀' }, BYTES, { nested: [BYTES, 1] }]);
    expect(await client.timeout(10_000).emitWithAck('ping', 1)).toBeUndefined();

    const gone = new Promise((resolve) => client.once('disconnect', resolve));
    const back = new Promise<void>((resolve) => client.io.once('reconnect', () => resolve()));
    for (let i = 0; i < UNLISTED; i += 1) client.emit('admin', i);
    expect(await gone).toMatch(/^transport (?:close|error)$/);
    await back;
    await eventually(() => client.connected);
    broadcast('two');
    await eventually(() => textsOf(updates).length > 1);
    expect(textsOf(updates)).toEqual(['alice one', 'alice two']);
  });

  test.each([
    ['by WebSocket', { transports: ['websocket'] }, { code: 'token-missing', message: 'An access token is needed.' }],
    ['by polling', { transports: ['polling'] }, undefined],
    ['by polling with a token in `auth` alone', { transports: ['polling'], auth: { token: 'x' } }, undefined],
  ])('is refused without a token %s', async (_, options, data) => {
    const client = dial({ ...options, reconnection: false });
    const error = await new Promise<Error & { data?: unknown }>((resolve) => client.once('connect_error', resolve));
    expect(error.data).toEqual(data);
    expect(client.connected).toBe(false);
  });
});

describe('the clients of Python', () => {
  const start = async (options: Partial<PythonOptions>) => {
    const python = pythonClient({
      kind: 'sync',
      url: world.gateway.url,
      transports: ['websocket'],
      place: 'auth',
      token,
      ...options,
    });
    pythons.push(python);
    return python;
  };

  const ways: ReadonlyArray<[string, Partial<PythonOptions>]> = [
    ['Client by WebSocket, its token in `auth`', { kind: 'sync' }],
    ['Client by WebSocket, its token in the header', { kind: 'sync', place: 'header' }],
    ['AsyncClient by WebSocket, its token in `auth`', { kind: 'async' }],
    ['AsyncClient by polling', { kind: 'async', transports: ['polling'], place: 'header' }],
    [
      'AsyncClient by polling, then by WebSocket',
      { kind: 'async', transports: ['polling', 'websocket'], place: 'header' },
    ],
  ];

  test.each(ways)(
    '%s connects, hears its own, is answered, and comes back',
    async (_, options) => {
      const python = await start(options);
      expect(await python.hear('connected')).toEqual([{ status: 'connected' }]);

      broadcast('one');
      await eventually(() => textsOf(python.heard('session_update')).length > 0);

      python.emit('ping', { text: 'ä€😀' });
      expect(await python.hear('pong', 1)).toEqual([{ text: 'ä€😀' }]);
      python.emitBytes('ping', BYTES);
      expect(await python.hear('pong', 2)).toEqual([{ base64: BYTES.toString('base64') }]);
      python.call('ping', 1);
      expect(await python.hear('acknowledged')).toEqual([]);

      for (let i = 0; i < UNLISTED; i += 1) python.emit('admin', i);
      await python.hear('disconnect');
      await python.hear('connected', 2);
      broadcast('two');
      await eventually(() => textsOf(python.heard('session_update')).length > 1);
      expect(textsOf(python.heard('session_update'))).toEqual(['alice one', 'alice two']);
      await python.quit();
      expect(python.heard('left')).toHaveLength(1);
    },
    60_000,
  );

  test.each([
    ['Client', { kind: 'sync' }, ['websocket']],
    ['AsyncClient', { kind: 'async' }, ['websocket']],
    ['AsyncClient', { kind: 'async' }, ['polling']],
  ] as const)(
    '%s is refused without a token: %o by %o',
    async (_, options, transports) => {
      const python = await start({ ...options, transports, place: 'nowhere' });
      await python.hear('refused');
      expect(python.heard('connected')).toEqual([]);
      const [error] = (await python.hear('connect_error')) as [Record<string, unknown>];
      const isSaid = transports[0] === 'websocket' ? error.message : error.detail;
      expect(isSaid).toBe('An access token is needed.');
    },
    60_000,
  );
});

describe('the wire form of the Java client (socket.io-client-java 2, which itself is not tested)', () => {
  /** What it sends: no Origin, a cache-buster, `auth` in CONNECT; a poll first unless told otherwise. */
  const dial = (headers: Record<string, string>, query: string) => {
    const url = `${world.gateway.url.replace('http', 'ws')}/socket.io/?${query}`;
    const socket = new WebSocket(url, { headers: { 'user-agent': 'okhttp/3.12.12', ...headers } });
    const packets: string[] = [];
    const attachments: Buffer[] = [];
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) attachments.push(data);
      else packets.push(data.toString());
      // The client answers heartbeats; nothing else is said by itself.
      if (!isBinary && data.toString() === '2') socket.send('3');
    });
    return { socket, packets, attachments };
  };

  const speak = async ({ socket, packets, attachments }: ReturnType<typeof dial>): Promise<void> => {
    await eventually(() => packets.some((packet) => /^40\{"sid":"[^"]+".*\}$/.test(packet)));
    await eventually(() => packets.includes('42["connected",{"status":"connected"}]'));
    socket.send('42["ping",{"n":1}]');
    socket.send('421["ping","acknowledged"]');
    socket.send('451-["ping",{"_placeholder":true,"num":0}]');
    socket.send(BYTES);
    await eventually(() => attachments.length === 1);
    for (const packet of ['42["pong",{"n":1}]', '42["pong","acknowledged"]', '431[]'])
      expect(packets).toContain(packet);
    expect(packets).toContain('451-["pong",{"_placeholder":true,"num":0}]');
    expect(attachments).toEqual([BYTES]);
    broadcast('java');
    await eventually(() => packets.some((packet) => packet.includes('alice java')));
    expect(packets.join()).not.toContain('bob java');
    socket.send('41');
    await new Promise((resolve) => socket.once('close', resolve));
  };

  test('is understood by WebSocket with `auth`', async () => {
    const spoken = dial({}, `EIO=4&transport=websocket`);
    await eventually(() => spoken.packets.length > 0);
    expect(JSON.parse(spoken.packets[0]?.slice(1) ?? '')).toMatchObject({ upgrades: [], pingInterval: 25_000 });
    spoken.socket.send(`40{"token":"${token}"}`);
    await speak(spoken);
  });

  test('is understood by WebSocket with the header alone', async () => {
    const spoken = dial({ authorization: `Bearer ${token}` }, 'EIO=4&transport=websocket&t=PXyz.0');
    await eventually(() => spoken.packets.length > 0);
    spoken.socket.send('40');
    await speak(spoken);
  });

  test('is understood by polling that becomes a WebSocket', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain;charset=UTF-8' };
    const poll = async (query: string, body?: string): Promise<string> => {
      const init = body === undefined ? { headers } : { method: 'POST', headers, body };
      return (await fetch(`${world.gateway.url}/socket.io/?EIO=4&transport=polling${query}`, init)).text();
    };
    const { sid, upgrades } = JSON.parse((await poll('&t=PXyz.1')).slice(1));
    expect(upgrades).toEqual(['websocket']);
    expect(await poll(`&sid=${sid}&t=PXyz.2`, '40')).toBe('ok');
    const first = await poll(`&sid=${sid}&t=PXyz.3`);
    const { authorization } = headers;
    const spoken = dial({ authorization }, `EIO=4&transport=websocket&sid=${sid}`);
    await new Promise((resolve) => spoken.socket.once('open', resolve));
    spoken.socket.send('2probe');
    await eventually(() => spoken.packets.includes('3probe'));
    spoken.socket.send('5');
    spoken.packets.push(...first.split('\u001e'));
    await speak(spoken);
  });
});
