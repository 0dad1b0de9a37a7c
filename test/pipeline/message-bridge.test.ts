import { expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { bridge } from '../../src/pipeline/message-bridge.ts';
import type { JudgeMessage } from '../../src/pipeline/message-line.ts';
import { settled, wire } from '../support/wires.ts';

const pass: JudgeMessage = async (message) => ({ kind: 'pass', ...message });

const bridged = (more: { readonly pace?: () => boolean; readonly sent?: JudgeMessage } = {}) => {
  const client = wire();
  const upstream = wire();
  upstream.pause();
  const ended: string[] = [];
  let closed = 0;
  let clock = 0;
  const both = bridge({
    client,
    upstream,
    life: { sent: more.sent ?? pass, delivered: pass },
    pace: more.pace ?? (() => true),
    ended: ({ reason }) => ended.push(reason),
    closed: () => {
      closed += 1;
    },
    now: () => clock,
    heartbeatMillis: 100,
    stallMillis: 1_000,
    bounds: { highBytes: 100 },
  });
  const after = (millis: number): void => {
    clock += millis;
    both.tick();
  };
  return { ...both, client, upstream, ended, closed: () => closed, after };
};

test('what either side says reaches the other one', async () => {
  const { client, upstream } = bridged();
  expect(upstream.isPaused).toBe(false);
  client.hear('a');
  upstream.hear('b');
  upstream.hear(Buffer.from([1]));
  await settled();
  expect([upstream.sent, client.sent]).toEqual([['a'], ['b', 'bytes 01']]);
});

test('the upstream’s closing is passed on when all that it said has left', async () => {
  const { client, upstream, ended } = bridged();
  upstream.hear('last');
  upstream.lose(4000, 'bye');
  await settled();
  expect([client.sent, client.ends]).toEqual([['last'], []]);
  client.flush();
  await settled();
  expect([client.ends, ended]).toEqual([['4000 bye'], []]);
});

test('the client’s closing is passed on when all that it said has left', async () => {
  const { client, upstream, ended } = bridged();
  client.hear('last');
  client.lose(1005);
  await settled();
  upstream.flush();
  await settled();
  expect([upstream.sent, upstream.ends, ended]).toEqual([['last'], ['closed'], []]);
});

test('an upstream that vanishes is told to the client, one that it left is told that it is gone', async () => {
  const one = bridged();
  one.upstream.lose(1006);
  await settled();
  expect([one.client.ends, one.ended]).toEqual([['4502 upstream-broken'], ['upstream-broken']]);
  const other = bridged();
  other.client.lose(1006);
  await settled();
  expect([other.upstream.ends, other.ended]).toEqual([['1001 '], []]);
});

test('both sides are closed before it is closed', () => {
  const { client, upstream, closed } = bridged();
  client.lose(1000);
  expect(closed()).toBe(0);
  upstream.lose(1000);
  expect(closed()).toBe(1);
});

test('what a side does against the protocol ends both, and is told once', async () => {
  const one = bridged();
  one.client.fail('WS_ERR_INVALID_OPCODE');
  one.client.lose(1002);
  await settled();
  expect([one.ended, one.upstream.ends]).toEqual([['packet-invalid'], ['1001 ']]);
  const two = bridged();
  two.client.fail('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
  expect(two.ended).toEqual(['body-too-large']);
  const three = bridged();
  three.upstream.fail('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
  expect([three.ended, three.client.ends]).toEqual([['answer-too-large'], ['4502 answer-too-large']]);
});

test('who comes too fast is not listened to any more', async () => {
  let left = 3;
  const { client, upstream, ended } = bridged({ pace: () => --left >= 0 });
  for (let n = 0; n < 10; n += 1) client.hear(String(n));
  await settled();
  expect([ended, client.ends, client.isPaused]).toEqual([['rate-limited'], ['4429 rate-limited'], true]);
  expect([upstream.sent, upstream.ends]).toEqual([[], ['1001 ']]);
});

test('a verdict may end the connection', async () => {
  const { client, ended } = bridged({
    sent: async () => ({ kind: 'end', rejection: new Rejection('body-type', 'bytes') }),
  });
  client.hear('x');
  await settled();
  expect([ended, client.ends]).toEqual([['body-type'], ['1003 body-type']]);
});

test('both sides are pinged when it is time, and who does not answer until the next time is dead', async () => {
  const { client, upstream, after, ended } = bridged();
  after(50);
  expect([client.pings(), upstream.pings()]).toEqual([0, 0]);
  after(50);
  expect([client.pings(), upstream.pings()]).toEqual([1, 1]);
  client.answer();
  upstream.hear('alive');
  await settled();
  after(100);
  expect([client.pings(), upstream.pings(), ended]).toEqual([2, 2, []]);
  upstream.answer();
  after(100);
  expect([ended, client.ends, upstream.ends]).toEqual([['client-gone'], ['terminated'], ['1001 ']]);
});

test('an upstream that does not answer is given up', () => {
  const { client, upstream, after, ended } = bridged();
  after(100);
  client.answer();
  after(100);
  expect([ended, upstream.ends, client.ends]).toEqual([
    ['upstream-timeout'],
    ['terminated'],
    ['4504 upstream-timeout'],
  ]);
});

test('who is not read from, or has not read yet, is not taken for dead', async () => {
  const { client, upstream, after, ended } = bridged();
  upstream.hear('x'.repeat(101));
  await settled();
  for (let n = 0; n < 9; n += 1) {
    after(100);
    upstream.answer();
  }
  expect([client.pings(), ended]).toEqual([0, []]);
  client.flush();
  await settled();
  after(100);
  expect([client.pings(), ended]).toEqual([1, []]);
});

test('a client that takes nothing for too long is ended, and so is an upstream', async () => {
  const one = bridged();
  one.upstream.hear('x'.repeat(101));
  await settled();
  one.after(999);
  expect(one.ended).toEqual([]);
  one.upstream.answer();
  one.after(1);
  expect([one.ended, one.client.ends]).toEqual([['receiver-slow'], ['4408 receiver-slow']]);
  const two = bridged();
  two.client.hear('x'.repeat(101));
  await settled();
  two.after(1_000);
  expect([two.ended, two.client.ends]).toEqual([['upstream-timeout'], ['4504 upstream-timeout']]);
});

test('an end from outside is told to both sides, once', async () => {
  const { end, client, upstream, ended, held } = bridged();
  end(new Rejection('authority-expired', 'x'));
  end(new Rejection('shutting-down', 'x'));
  client.hear('late');
  await settled();
  expect([client.ends, upstream.ends, ended]).toEqual([['4401 authority-expired'], ['1001 '], ['authority-expired']]);
  expect([upstream.sent, held()]).toEqual([[], { messages: 0, bytes: 0 }]);
});
