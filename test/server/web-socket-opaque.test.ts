import { type Duplex, duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { opaque } from '../../src/server/web-socket-opaque.ts';
import { eventually } from '../support/eventually.ts';

const HEAD =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: key\r\n';

const put = (subprotocol?: string, head = '') => {
  const [client, person] = duplexPair();
  const [stream, far] = duplexPair();
  let clock = 0;
  const ended: string[] = [];
  const closed: string[] = [];
  const load = opaque({
    client,
    head: Buffer.from(head),
    tunnel: { accepted: 'key', subprotocol, stream },
    idleMillis: 1_000,
    ended: ({ reason }) => ended.push(reason),
    closed: () => closed.push('closed'),
    now: () => clock,
    closeMillis: 20,
  });
  const after = (millis: number): void => {
    clock += millis;
    load.tick();
  };
  return { ...load, client, stream, person: heard(person), far: heard(far), ended, closed, after };
};

const heard = (end: Duplex) => {
  let text = '';
  end.on('error', () => undefined);
  end.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return { end, text: () => text };
};

test('the client’s handshake is answered with two words of the upstream’s, and bytes pass', async () => {
  const { person, far } = put('tty', 'early');
  person.end.write('a');
  far.end.write('b');
  await eventually(() => far.text() === 'earlya' && person.text().endsWith('b'));
  expect(person.text()).toBe(`${HEAD}Sec-WebSocket-Protocol: tty\r\n\r\nb`);
});

test('without a sub-protocol none is named', async () => {
  const { person } = put();
  await eventually(() => person.text() === `${HEAD}\r\n`);
});

test('the end of either side is the other’s, and then it is closed', async () => {
  const one = put();
  one.person.end.end('bye');
  await eventually(() => one.far.text() === 'bye' && one.far.end.readableEnded);
  one.far.end.end();
  await eventually(() => one.closed.length === 1);
  const other = put();
  other.far.end.end('bye');
  await eventually(() => other.person.text().endsWith('bye') && other.person.end.readableEnded);
  other.person.end.end();
  await eventually(() => other.closed.length === 1);
  expect([one.ended, other.ended]).toEqual([[], []]);
});

test('a side that does not end when the other one has is cut off', async () => {
  const { far, client, stream, closed } = put();
  far.end.end('bye');
  await eventually(() => closed.length === 1);
  expect([client.destroyed, stream.destroyed]).toEqual([true, true]);
});

test('a side that breaks takes the other one along', async () => {
  const one = put();
  one.client.destroy();
  await eventually(() => one.stream.destroyed && one.closed.length === 1);
  const other = put();
  other.stream.destroy();
  await eventually(() => other.client.destroyed && other.closed.length === 1);
});

test('it ends when nothing has passed for long enough, in either direction', async () => {
  const { person, far, after, ended, client } = put();
  after(999);
  person.end.write('a');
  await eventually(() => far.text() === 'a');
  after(999);
  far.end.write('b');
  await eventually(() => person.text().endsWith('b'));
  after(999);
  expect(ended).toEqual([]);
  after(1);
  expect([ended, client.destroyed]).toEqual([['connection-idle'], true]);
});

test('it is ended from outside, once', () => {
  const { end, ended, client, stream } = put();
  end(new Rejection('authority-expired', 'x'));
  end(new Rejection('shutting-down', 'x'));
  expect([ended, client.destroyed, stream.destroyed]).toEqual([['authority-expired'], true, true]);
});
