import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceRef } from '../../src/model/resource.ts';
import { EVENT_BYTES } from '../../src/realtime/missed.ts';
import { eventually } from '../support/eventually.ts';
import { missedRule } from '../support/history.ts';
import { away, LOST, ledger, offsetIn, recovered, told } from '../support/returning.ts';

test('history is lost for one whose log is over before the ledger has answered', async () => {
  const ask = ledger();
  const { arrive, send, back, missed, pid } = await away({ ownersOf: ask.ownersOf });
  send(1);
  const coming = arrive(back);
  await eventually(() => ask.waiting() === 1);
  missed.close();
  ask.release();
  const client = await coming;
  client.enter();
  send(2);
  expect(told(client.texts)).toEqual(['connected', LOST, 2]);
  expect(client.pid?.slice(0, 22)).not.toBe(pid?.slice(0, 22));
});

describe('each event is authorised again', () => {
  test('what is another’s now, or nobody’s, is passed over and counted, and never comes again', async () => {
    const { come, send, back, owners, returned, pid } = await away();
    for (const [n, session] of [
      [1, 's1'],
      [2, 's2'],
      [3, 's3'],
      [4, 's1'],
      [5, 's2'],
    ] as const)
      send(n, session);
    owners.set('session:s2', 'demo|bob');
    owners.delete('session:s3');
    const client = await come(back);
    await eventually(() => returned.length === 1);
    expect(told(client.texts)).toEqual(['connected', 1, 4, recovered(2)]);
    expect(returned).toEqual([{ recovered: true, missed: 2, refused: 3 }]);
    client.leave();
    owners.set('session:s2', 'demo|alice');
    const again = await come({ auth: { pid, offset: offsetIn(client.texts.at(-1)) } });
    await eventually(() => returned.length === 2);
    expect(told(again.texts)).toEqual(['connected', recovered(0)]);
  });

  test('everything that an event names must be its owner’s', async () => {
    const { come, channels, back, owners, session, returned } = await away();
    const refs = [...session('s1', 'demo|alice'), { kind: 'canvas', id: 'c1' }];
    channels.send('demo|alice', { name: 'e', payload: { n: 1 } }, refs);
    owners.set('canvas:c1', 'demo|bob');
    const client = await come(back);
    await eventually(() => returned.length === 1);
    expect(told(client.texts)).toEqual(['connected', recovered(0)]);
  });

  test('also what comes while it reads', async () => {
    const ask = ledger();
    const { come, send, back, returned } = await away({ ownersOf: ask.ownersOf });
    ask.answer = () => ['demo|alice'];
    send(1);
    const coming = come(back);
    await eventually(() => ask.waiting() === 1);
    send(2, 's2');
    ask.answer = () => ['demo|bob'];
    ask.release();
    const client = await coming;
    await eventually(() => ask.waiting() === 1);
    ask.release();
    await eventually(() => returned.length === 1);
    expect(told(client.texts)).toEqual(['connected', recovered(0)]);
    expect(returned).toEqual([{ recovered: true, missed: 0, refused: 2 }]);
  });
});

describe('a ledger that fails', () => {
  test('is asked again before the CONNECT is answered', async () => {
    let failures = 2;
    const ownersOf = (refs: readonly ResourceRef[]) => {
      failures -= 1;
      if (failures === 1) throw new Error('down');
      return failures >= 0 ? Promise.reject(new Error('down')) : refs.map(() => 'demo|alice');
    };
    const { come, send, back, returned, pid } = await away({ ownersOf });
    send(1);
    const client = await come(back);
    await eventually(() => returned.length === 1);
    expect([client.pid, told(client.texts)]).toEqual([pid, ['connected', 1, recovered(1)]]);
  });

  test.each([
    ['for too long', () => Promise.reject(new Error('down'))],
    ['by never answering', () => new Promise<never>(() => undefined)],
  ])('%s means that history is lost', async (_, ownersOf) => {
    const { come, send, back, pid } = await away({ ownersOf, patienceMillis: 60 });
    send(1);
    const client = await come(back);
    expect([client.pid === pid, told(client.texts)]).toEqual([false, ['connected', LOST]]);
  });

  test('after the CONNECT means that too: the client is told, and hears what comes', async () => {
    const ask = ledger();
    const { come, send, back, returned } = await away({ ownersOf: ask.ownersOf, patienceMillis: 60 });
    send(1);
    const coming = come(back);
    await eventually(() => ask.waiting() === 1);
    send(2);
    ask.release();
    const client = await coming;
    await eventually(() => returned.length === 1);
    send(3);
    expect(told(client.texts)).toEqual(['connected', 1, LOST, 3]);
  });
});

describe('a client that reads', () => {
  test('and is gone meanwhile is sent nothing more, and is in no log', async () => {
    const ask = ledger();
    const { come, send, back, missed, returned } = await away({ ownersOf: ask.ownersOf });
    send(1);
    const coming = come(back);
    await eventually(() => ask.waiting() === 1);
    send(2);
    ask.release();
    const client = await coming;
    await eventually(() => ask.waiting() === 1);
    client.leave();
    ask.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect([told(client.texts), returned, missed.of('demo|alice')?.sockets]).toEqual([['connected', 1], [], 0]);
  });

  test('and is gone while it is sent megabytes gets no more of them, and has not come back', async () => {
    const { come, channels, session, back, returned } = await away();
    const text = 'x'.repeat(1 << 20);
    const refs = session('s1', 'demo|alice');
    for (const n of [1, 2, 3]) channels.send('demo|alice', { name: 'e', payload: { n, text } }, refs);
    const client = await come(back);
    client.leave();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([told(client.texts), returned]).toEqual([['connected', 1], []]);
  });

  test('and is gone when the ledger fails has not come back', async () => {
    const ask = ledger();
    const { come, send, back, history, returned } = await away({ ownersOf: ask.ownersOf });
    send(1);
    const coming = come(back);
    await eventually(() => ask.waiting() === 1);
    Object.assign(history, { patienceMillis: 0 });
    send(2);
    ask.release();
    const client = await coming;
    await eventually(() => ask.waiting() === 1);
    client.leave();
    ask.fail();
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect([told(client.texts), returned]).toEqual([['connected', 1], []]);
  });

  test('more slowly than the log moves on is told that history is lost', async () => {
    const ask = ledger();
    const { come, send, back, returned } = await away({
      ownersOf: ask.ownersOf,
      rule: () => ({ ...missedRule, maxEvents: 2 }),
    });
    send(1);
    const coming = come(back);
    await eventually(() => ask.waiting() === 1);
    for (const n of [2, 3, 4]) send(n);
    ask.release();
    const client = await coming;
    await eventually(() => returned.length === 1);
    send(5);
    expect(told(client.texts)).toEqual(['connected', 1, LOST, 5]);
  });

  test('megabytes leaves others their turn', async () => {
    const { come, channels, session, back, returned } = await away();
    const text = 'x'.repeat(500_000);
    for (let n = 1; n <= 10; n += 1)
      channels.send('demo|alice', { name: 'e', payload: { n, text } }, session('s1', 'demo|alice'));
    const client = await come(back);
    const atOnce = client.texts.length;
    await eventually(() => returned.length === 1);
    expect(atOnce).toBeLessThan(6);
    expect(told(client.texts)).toEqual(['connected', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, recovered(10)]);
    expect(10 * (text.length + EVENT_BYTES)).toBeLessThan(missedRule.maxBytes);
  });

  test('hears each event once and in order, whenever it comes and whenever the ledger answers', async () => {
    const step = fc.constantFrom('send', 'send', 'answer', 'turn');
    await fc.assert(
      fc.asyncProperty(fc.nat(6), fc.array(step, { maxLength: 40 }), async (before, steps) => {
        const ask = ledger();
        const { come, send, back, returned } = await away({ ownersOf: ask.ownersOf, patienceMillis: 60_000 });
        let n = 0;
        const next = (): void => {
          n += 1;
          send(n);
        };
        for (let i = 0; i < before; i += 1) next();
        const coming = come(back);
        for (const one of steps) {
          if (one === 'send') next();
          else if (one === 'answer') ask.release();
          else await new Promise((resolve) => setImmediate(resolve));
        }
        await eventually(() => {
          ask.release();
          return returned.length === 1;
        });
        next();
        const client = await coming;
        const heard = told(client.texts).filter((one) => typeof one === 'number');
        expect(heard).toEqual(Array.from({ length: n }, (_, index) => index + 1));
        expect(returned[0]?.recovered).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
