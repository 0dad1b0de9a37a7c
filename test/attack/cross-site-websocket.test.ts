/**
 * A page of another site opens a socket with its visitor's browser, which adds the visitor's cookie. No preflight asks, and
 * no policy of the browser keeps the page from reading what comes (CWE-1385).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { startStandIn } from '../../demo/jaaz/server.ts';
import { openSessionDoor, type SessionDoor, type SessionPlane, sessionPlane } from '../support/session-door.ts';
import { until } from '../support/socket-door.ts';
import { webSocketScene } from '../support/web-socket-scene.ts';

type Headers = Readonly<Record<string, string>>;

/** What a browser says of the page, beside the cookie. */
const FOREIGN: ReadonlyArray<readonly [page: string, headers: Headers]> = [
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['another site, in a browser that says no more', { origin: 'https://evil.example' }],
  ['another host of the same site', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
  ['a sandbox', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
  ['nobody who can be told: no Origin, another site', { 'sec-fetch-site': 'cross-site' }],
  ['nobody who can be told: no Origin, the same site', { 'sec-fetch-site': 'same-site' }],
  ['nobody who can be told: no page at all', { 'sec-fetch-site': 'none' }],
  ['nobody who can be told: nothing at all', {}],
];

const OWN: ReadonlyArray<readonly [page: string, headers: (own: string) => Headers]> = [
  ['the gateway’s', () => ({ 'sec-fetch-site': 'same-origin' })],
  ['the gateway’s, in a browser that says its origin alone', (own) => ({ origin: own })],
  ['a listed origin', () => ({ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' })],
];

const REFUSED = expect.stringMatching(/^(origin-refused|site-foreign)$/);

test('on the bare server the page of another site hears everything', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bare-'));
  const upstream = await startStandIn({ dataDir: folder });
  const url = `${upstream.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { headers: { origin: 'https://evil.example' } });
  const packets: string[] = [];
  socket.on('message', (data) => packets.push(String(data)));
  await until(() => packets.length === 1);
  socket.send('40');
  await until(() => upstream.sockets() > 0);
  upstream.broadcast('session_update', { text: 'PRIVATE' });
  await until(() => packets.some((packet) => packet.includes('PRIVATE')));
  socket.terminate();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

describe('a Socket.IO handshake with a cookie', () => {
  let door: SessionDoor;
  afterEach(() => door.stop());

  /** Knocks with the cookie of Alice, who is logged in; resolves when it is known what became of that. */
  const knock = async (headers: (own: string) => Headers) => {
    door = await openSessionDoor();
    const { cookie } = await door.logIn('alice');
    const raw = door.raw(undefined, { cookie, ...headers(`http://127.0.0.1:${door.port}`) });
    raw.socket.on('message', (data) => String(data).startsWith('0{') && raw.socket.send('40'));
    let isClosed = false;
    void raw.closed.then(() => {
      isClosed = true;
    });
    await until(() => isClosed || raw.packets.some((packet) => packet.includes('"connected"')));
    return { ...raw, cookie, isClosed };
  };

  test.each(FOREIGN)('of a page of %s opens nothing', async (_, headers) => {
    const { packets, isClosed } = await knock(() => headers);
    expect([isClosed, door.tell('PRIVATE')]).toEqual([true, 0]);
    expect(packets.join('')).not.toContain('PRIVATE');
    expect(door.records).toMatchObject([{ outcome: 'refused', reason: REFUSED, status: 403 }]);
  });

  test.each(FOREIGN)('of a page of %s opens no session that polls, and says nothing to one', async (_, headers) => {
    door = await openSessionDoor();
    const own = await door.logIn('alice');
    const { cookie } = own;
    const opened = await door.polls.ask({ headers: { cookie, ...headers } });
    expect([opened.status, opened.code]).toEqual([403, REFUSED]);
    const sid = await door.polls.open({ headers: own });
    const said = await door.polls.post(sid, '40', { headers: { cookie, ...headers } });
    const asked = await door.polls.poll(sid, { headers: { cookie, ...headers } });
    expect([said.status, said.code, asked.status]).toEqual([403, REFUSED, 403]);
    expect([door.count(), door.failed]).toEqual([0, []]);
  });

  test.each(OWN)('of a page that is %s opens its socket', async (_, headers) => {
    const { isClosed } = await knock(headers);
    expect([isClosed, door.tell('for Alice')]).toEqual([false, 1]);
  });

  test.each(OWN)('of a page that is %s may poll', async (_, headers) => {
    door = await openSessionDoor();
    const { cookie } = await door.logIn('alice');
    const shown = { headers: { cookie, ...headers(`http://127.0.0.1:${door.port}`) } };
    const sid = await door.polls.open(shown);
    expect((await door.polls.post(sid, '40', shown)).status).toBe(200);
    expect((await door.polls.poll(sid, shown)).status).toBe(200);
  });

  test('and a good token is the token’s owner’s, wherever a program is', async () => {
    door = await openSessionDoor();
    const { cookie } = await door.logIn('alice');
    const token = await door.issuer.token('alice');
    const raw = door.raw(undefined, { cookie });
    await until(() => raw.packets.length === 1);
    raw.socket.send(`40${JSON.stringify({ token })}`);
    await until(() => door.count() === 1);
    raw.socket.terminate();
  });
});

describe('a raw WebSocket handshake with a cookie', () => {
  const scene = webSocketScene();
  let plane: SessionPlane;
  afterEach(() => plane.stop());

  const knock = async (headers: (own: string) => Headers) => {
    plane = await sessionPlane();
    await scene.set({ gate: { identify: plane.identify, lifetime: plane.watched } });
    const { cookie } = await plane.logIn('ann');
    return scene.gate.client('/ws/agent', undefined, {
      headers: { cookie, ...headers(`http://127.0.0.1:${scene.gate.port}`) },
    });
  };

  test.each(FOREIGN)('of a page of %s is refused before the upstream hears of it', async (_, headers) => {
    const client = await knock(() => headers);
    expect(await client.refused()).toMatchObject({ status: 403, code: REFUSED });
    expect(scene.upstream.asked).toEqual([]);
    await scene.nothingIsLeft();
  });

  test.each(OWN)('of a page that is %s is let in', async (_, headers) => {
    const client = await knock(headers);
    await client.opened;
    await until(() => scene.gate.records.length === 1);
    expect(scene.gate.records).toMatchObject([{ outcome: 'allowed', owner: 'test|ann' }]);
  });
});
