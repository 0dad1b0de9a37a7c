import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import { type FlowBounds, messageFlow } from '../../src/pipeline/message-flow.ts';
import type { JudgeMessage, Verdict } from '../../src/pipeline/message-line.ts';
import { settled, wire } from '../support/wires.ts';

const pass: JudgeMessage = async (message) => ({ kind: 'pass', ...message });

const flowOf = (judge: JudgeMessage = pass, more: Partial<FlowBounds> = {}) => {
  const source = wire();
  const target = wire();
  const refused: string[] = [];
  let overflows = 0;
  let clock = 1_000;
  const flow = messageFlow({
    source,
    target,
    judge,
    now: () => clock,
    bounds: { holdMessages: 4, holdBytes: 10_000, highBytes: 100, maxBytes: 100_000, ...more },
    refused: ({ reason }) => refused.push(reason),
    overflowed: () => {
      overflows += 1;
    },
  });
  const push = (text: string): void => flow.push({ data: Buffer.from(text), isBinary: false });
  const tick = (millis: number): void => {
    clock += millis;
  };
  return { flow, source, target, push, refused, tick, overflows: () => overflows };
};

test('messages are handed on in their order, however long the judgement of each takes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 30 }), async (turns) => {
      const { push, target } = flowOf(
        async (message) => {
          for (let left = turns[Number(message.data)] ?? 0; left > 0; left -= 1) await settled();
          return { kind: 'pass', ...message };
        },
        { highBytes: 1e6 },
      );
      for (const n of turns.keys()) push(String(n));
      for (let n = 0; n < 5 * turns.length; n += 1) await settled();
      expect(target.sent).toEqual([...turns.keys()].map(String));
    }),
    { numRuns: 30 },
  );
});

test('what is dropped leaves nowhere, what is answered goes back, and what ends the connection is told', async () => {
  const verdicts: Record<string, Verdict> = {
    drop: { kind: 'drop' },
    answer: { kind: 'answer', data: Buffer.from('no') },
    end: { kind: 'end', rejection: new Rejection('packet-invalid', 'x') },
  };
  const { push, source, target, refused } = flowOf(
    async (message) => verdicts[String(message.data)] ?? { kind: 'pass', ...message },
  );
  for (const text of ['drop', 'a', 'answer', 'end']) push(text);
  await settled();
  expect([target.sent, source.sent, refused]).toEqual([['a'], ['no'], ['packet-invalid']]);
});

test('a judge that fails ends the connection, and nothing else', async () => {
  const { push, target, refused } = flowOf(() => Promise.reject(new Error('boom')));
  push('a');
  push('b');
  await settled();
  expect([target.sent, refused]).toEqual([[], ['internal-error']]);
});

test('bytes stay bytes', async () => {
  const { flow, target } = flowOf();
  flow.push({ data: Buffer.from([0, 255]), isBinary: true });
  await settled();
  expect(target.sent).toEqual(['bytes 00ff']);
});

test('the source is not read from while too many messages wait, and is again when there are few', async () => {
  const waiting: Array<() => void> = [];
  const { push, source, target } = flowOf(async (message) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { kind: 'pass', ...message };
  });
  for (const text of ['1', '2', '3']) push(text);
  expect(source.isPaused).toBe(false);
  push('4');
  expect(source.isPaused).toBe(true);
  waiting.shift()?.();
  await settled();
  expect([source.isPaused, target.sent]).toEqual([false, ['1']]);
});

test('the source is not read from while one message is too large to hold another', async () => {
  const { push, source } = flowOf(() => new Promise(() => undefined));
  push('x'.repeat(10_000));
  expect(source.isPaused).toBe(true);
});

test('nothing is handed on while the target leaves too much, and nothing is lost', async () => {
  const { flow, push, source, target, tick } = flowOf();
  for (let n = 0; n < 6; n += 1) push('x'.repeat(60));
  await settled();
  // The second one went beyond the bound of 100.
  expect([target.sent.length, flow.held().messages, source.isPaused]).toEqual([2, 4, true]);
  expect(flow.stuckSince()).toBe(1_000);
  tick(50);
  target.flush(1);
  await settled();
  expect([target.sent.length, flow.stuckSince()]).toEqual([2, 1_050]);
  for (let n = 0; n < 3; n += 1) {
    target.flush();
    await settled();
  }
  expect([target.sent.length, flow.stuckSince(), source.isPaused]).toEqual([6, undefined, false]);
});

test('a source that goes on although it is not read from is told of', () => {
  const { push, overflows } = flowOf(() => new Promise(() => undefined), { maxBytes: 500 });
  for (let n = 0; n < 4; n += 1) push('x'.repeat(50));
  expect(overflows()).toBe(0);
  push('x'.repeat(50));
  expect(overflows()).toBe(1);
});

test('whoever reads no answers gets none', async () => {
  const { push, source } = flowOf(async () => ({ kind: 'answer', data: Buffer.from('x'.repeat(60)) }));
  for (let n = 0; n < 10; n += 1) push('?');
  await settled();
  expect(source.sent.length).toBe(2);
});

test('a finished flow says so when all has left, and not before', async () => {
  const { flow, push, target } = flowOf();
  const done: string[] = [];
  push('a');
  flow.finish(() => done.push('done'));
  await settled();
  expect([target.sent, done]).toEqual([['a'], []]);
  target.flush();
  await settled();
  expect(done).toEqual(['done']);
});

test('a finished flow does not wait for a pong behind its last message to be told of', async () => {
  const { flow, push, target } = flowOf();
  push('last');
  await settled();
  let done = 0;
  flow.finish(() => {
    done += 1;
  });
  // It leaves later than the message, and with a callback of nobody here.
  target.send(Buffer.from('pong'), { binary: false }, () => undefined);
  target.flush(1);
  expect(flow.stuckSince()).toBeDefined();
  target.flush();
  expect(flow.stuckSince()).toBeUndefined();
  await settled();
  expect(done).toBe(1);
});

test('a flow on which nothing came is finished at once', async () => {
  const { flow } = flowOf();
  const done: string[] = [];
  flow.finish(() => done.push('done'));
  await settled();
  expect(done).toEqual(['done']);
});

test('a stopped flow hands nothing on, and takes claims back for what it did not', async () => {
  const settledAs: boolean[] = [];
  const waiting: Array<() => void> = [];
  const { flow, push, target, source } = flowOf(async (message) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return { kind: 'pass', ...message, settle: (mayHaveLeft) => settledAs.push(mayHaveLeft) };
  });
  push('1');
  push('2');
  flow.stop();
  waiting.shift()?.();
  push('3');
  await settled();
  expect([target.sent, settledAs, flow.held(), source.isPaused]).toEqual([
    [],
    [false],
    { messages: 0, bytes: 0 },
    false,
  ]);
});

test('a claim is told that its message may have left, or that it certainly has not', async () => {
  const settledAs: boolean[] = [];
  const { push, target } = flowOf(async (message) => ({
    kind: 'pass',
    ...message,
    settle: (mayHaveLeft) => settledAs.push(mayHaveLeft),
  }));
  push('1');
  await settled();
  target.lose(1006);
  push('2');
  await settled();
  expect(settledAs).toEqual([true, false]);
});
