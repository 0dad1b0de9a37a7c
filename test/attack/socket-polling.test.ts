/** What a client can do with requests that it cannot with a WebSocket: many at once, in pieces, unread, and never again. */
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { poller } from '../support/poller.ts';
import { openPollingDoor, type PollingDoor, token } from '../support/polling-door.ts';
import { principal, until } from '../support/socket-door.ts';

let door: PollingDoor;
afterEach(() => door.stop());

describe('packets', () => {
  const text = 'text/plain;charset=UTF-8';
  test.each([
    ['none', '', text, 400, 'body-missing'],
    ['as a form', '40', 'application/x-www-form-urlencoded', 415, 'body-type'],
    ['as bytes', '40', 'application/octet-stream', 415, 'body-type'],
    ['in another alphabet', '40', 'text/plain;charset=utf-16', 415, 'body-type'],
    ['too many', 'x'.repeat(100_001), text, 413, 'body-too-large'],
  ])('are refused, and the session goes on: %s', async (_, body, type, status, code) => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    const answer = await door.polls.post(sid, body, { token, headers: { 'content-type': type } });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await door.polls.post(sid, '42["ping",1]', { token })).body).toBe('ok');
    expect((await door.polls.poll(sid, { token })).body).toBe('42["pong",1]');
  });

  test('that are encoded are refused', async () => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    const answer = await door.polls.post(sid, '40', { token, headers: { 'content-encoding': 'gzip' } });
    expect([answer.status, answer.code]).toEqual([415, 'body-encoding']);
  });

  test('that are too much without having said so are not read to their end', async () => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    const wire = connect(door.port, '127.0.0.1');
    const head = ['host: x', `authorization: Bearer ${token}`, `content-type: ${text}`, 'transfer-encoding: chunked'];
    wire.write(`POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const pump = setInterval(() => wire.write(chunk), 5);
    wire.on('error', () => undefined);
    const [answer] = await once(wire, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    // With more on its way the end is a reset as often as not, at which `once` would reject.
    await new Promise((resolve) => wire.once('close', resolve));
    clearInterval(pump);
  });

  test.each([
    ['faster than allowed, in one request', Array(1_000).fill('42["ping",1]').join('\u001e'), 'rate-limited'],
    ['heartbeats without end', Array(1_000).fill('3').join('\u001e'), 'rate-limited'],
    ['no Socket.IO', '4hello', 'packet-invalid'],
    ['a heartbeat of the wrong side', '2', undefined],
    ['no Engine.IO', 'hello', undefined],
    ['half a separator', '42["ping",1]\u001e', undefined],
  ])('end the session when they are %s', async (_, body, reason) => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    await door.polls.post(sid, body, { token });
    await door.nothingIsLeft();
    expect(door.reasons()).toEqual(reason === undefined ? [] : [reason]);
    expect((await door.polls.poll(sid, { token })).code).toBe('session-unknown');
  });

  test('of every kind leave the process alive and nothing behind', async () => {
    door = await openPollingDoor();
    const packet = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '40',
        '41',
        '42["ping"]',
        '451-["ping",{"_placeholder":true,"num":0}]',
        'bAAAA',
        '3',
        '5',
        '6',
        '1',
      ),
    );
    const payload = fc.array(packet, { minLength: 1, maxLength: 8 }).map((packets) => packets.join('\u001e'));
    await fc.assert(
      fc.asyncProperty(fc.array(payload, { minLength: 1, maxLength: 4 }), async (payloads) => {
        const other = poller(door.port);
        const sid = await other.open({ token });
        for (const body of payloads) {
          const { status } = await other.post(sid, body, { token });
          expect([200, 400]).toContain(status);
        }
        await other.leave();
      }),
      { numRuns: 60 },
    );
    await door.nothingIsLeft();
  });
});

describe('two requests of a kind', () => {
  test('end the session: the first poll is given its end, the second is refused', async () => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    const { answer: first } = await door.waitingPoll(sid);
    const second = await door.another().poll(sid, { token });
    expect([second.status, second.code]).toEqual([400, 'session-busy']);
    expect((await first).packets).toEqual(['6']);
    await door.nothingIsLeft();
    expect(door.reasons()).toEqual(['session-busy', 'session-busy']);
  });

  test('are what one makes who asks again without reading what was sent', async () => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    door.tell('x'.repeat(20_000_000));
    const deaf = connect(door.port, '127.0.0.1').pause();
    const head = `authorization: Bearer ${token}\r\nhost: x\r\n\r\n`;
    deaf.write(`GET /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\n${head}`);
    await until(() => deaf.bytesWritten > 0);
    await once(deaf, 'readable');
    const { code } = await door.polls.poll(sid, { token });
    expect(code).toBe('session-busy');
    // What it does not read is not kept for it either.
    await until(() => door.transports.size === 1);
    await door.nothingIsLeft();
    deaf.destroy();
  });
});

describe('a client that vanishes', () => {
  test('while its poll waits leaves nothing behind', async () => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    const waiting = door.polls.poll(sid, { token }).catch(() => undefined);
    await door.polls.post(sid, '3', { token });
    door.polls.close();
    await waiting;
    await door.nothingIsLeft();
  });

  test('while its packets come leaves nothing behind', async () => {
    door = await openPollingDoor();
    const { sid } = await door.polls.join(token);
    const wire = connect(door.port, '127.0.0.1');
    const head = ['host: x', `authorization: Bearer ${token}`, 'content-type: text/plain', 'content-length: 50'];
    wire.write(`POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\n${head.join('\r\n')}\r\n`);
    wire.write('expect: 100-continue\r\n\r\n42["pi');
    // It is told to go on when the request is there.
    await once(wire, 'data');
    wire.destroy();
    await door.nothingIsLeft();
  });

  test('before it was verified leaves nothing behind', async () => {
    let judge = (): void => undefined;
    door = await openPollingDoor({
      identify: () => new Promise((resolve) => (judge = () => resolve(principal('alice')))),
    });
    const waiting = door.polls.ask({ token }).catch(() => undefined);
    const before = judge;
    await until(() => judge !== before);
    door.polls.close();
    await waiting;
    await until(() => door.transports.size === 0);
    judge();
    await until(() => door.reasons().includes('client-gone'));
    expect(door.open()).toBe(0);
  });

  test('without ever connecting is ended', async () => {
    door = await openPollingDoor({ connectMillis: 50 });
    await door.polls.open({ token });
    door.polls.close();
    await door.nothingIsLeft();
  });
});

describe('a WebSocket that offers itself', () => {
  const offer = async (packets: readonly string[], more: (socket: { ping(): void }) => void = () => undefined) => {
    const { sid } = await door.polls.join(token);
    const raw = door.raw(`EIO=4&transport=websocket&sid=${sid}`, { authorization: `Bearer ${token}` });
    await once(raw.socket, 'open');
    for (const packet of packets) raw.socket.send(packet);
    more(raw.socket);
    return { ...raw, sid };
  };

  test.each([
    ['with probes', Array(1_000).fill('2probe'), 0],
    ['with pings of its own', [], 1_000],
  ])('floods neither %s', async (_, packets, pings) => {
    door = await openPollingDoor();
    const { closed } = await offer(packets, (socket) => {
      for (let i = 0; i < pings; i += 1) socket.ping();
    });
    await closed;
    await door.nothingIsLeft();
    expect(door.reasons()).toEqual(['rate-limited']);
  });

  test('and fails leaves the session polling, for another to offer itself', async () => {
    door = await openPollingDoor();
    const failed = await offer(['garbage']);
    await failed.closed;
    await door.polls.post(failed.sid, '42["ping",1]', { token });
    expect((await door.polls.poll(failed.sid, { token })).body).toBe('42["pong",1]');
    const raw = door.raw(`EIO=4&transport=websocket&sid=${failed.sid}`, { authorization: `Bearer ${token}` });
    await once(raw.socket, 'open');
    raw.socket.send('2probe');
    await until(() => raw.packets.includes('3probe'));
    raw.socket.terminate();
  });

  test('is no way past a session that has ended', async () => {
    door = await openPollingDoor();
    const { sid, closed } = await offer([]);
    await door.polls.post(sid, '1', { token });
    await closed;
    await door.nothingIsLeft();
  });
});
