import { describe, expect, test } from 'vitest';
import { type OrderOptions, order } from '../../src/realtime/order.ts';

const line = (options: Partial<OrderOptions> = {}) => {
  const failures: unknown[] = [];
  return { failures, ...order({ failed: (error) => failures.push(error), ...options }) };
};

/** A piece of work that ends when told to. */
const slow = (log: string[], name: string) => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { end: resolve, fail: reject, work: () => promise.then(() => void log.push(name)) };
};

const ten = (): number => 10;
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('order', () => {
  test('does work at once, and holds nothing, when nothing is under way', () => {
    const { run, held } = line();
    const log: string[] = [];
    const neverWeighed = (): number => {
      throw new Error('weighed');
    };
    expect(run('a', neverWeighed, () => void log.push('one'))).toBeUndefined();
    expect(log).toEqual(['one']);
    expect(held()).toEqual({ events: 0, bytes: 0, keys: 0 });
  });

  test('never lets an event overtake another of the same key', async () => {
    const { run, held } = line();
    const log: string[] = [];
    const first = slow(log, 'first');
    const third = slow(log, 'third');
    run('a', ten, first.work);
    run('a', ten, () => void log.push('second'));
    run('a', ten, third.work);
    run('a', ten, () => void log.push('fourth'));
    expect(held()).toEqual({ events: 4, bytes: 40, keys: 1 });
    third.end();
    await settled();
    expect(log).toEqual([]);
    first.end();
    await settled();
    expect(log).toEqual(['first', 'second', 'third', 'fourth']);
    expect(held()).toEqual({ events: 0, bytes: 0, keys: 0 });
  });

  test('does not let one key wait for another', () => {
    const { run } = line();
    const log: string[] = [];
    run('a', ten, slow(log, 'a').work);
    run('b', ten, () => void log.push('b'));
    expect(log).toEqual(['b']);
  });

  test('goes on after work that throws or rejects', async () => {
    const { run, failures, held } = line();
    const log: string[] = [];
    const first = slow(log, 'first');
    run('a', ten, first.work);
    run('a', ten, () => {
      throw new Error('second');
    });
    run('a', ten, async () => Promise.reject(new Error('third')));
    run('a', ten, () => void log.push('fourth'));
    first.fail(new Error('first'));
    await settled();
    expect(failures.map(String)).toEqual(['Error: first', 'Error: second', 'Error: third']);
    expect(log).toEqual(['fourth']);
    expect(held().keys).toBe(0);
    run('b', ten, () => {
      throw new Error('fifth');
    });
    expect(failures).toHaveLength(4);
  });

  test.each([
    ['events in all', { maxEvents: 2 }, 'queue-events'],
    ['bytes in all', { maxBytes: 25 }, 'queue-bytes'],
    ['events of one key', { maxEventsPerKey: 2 }, 'queue-events-of-one'],
    ['bytes of one key', { maxBytesPerKey: 25 }, 'queue-bytes-of-one'],
  ])('drops the newest above the bound on %s', async (_, options, because) => {
    const { run, held } = line(options);
    const log: string[] = [];
    const first = slow(log, '1');
    expect(run('a', ten, first.work)).toBeUndefined();
    expect(run('a', ten, () => void log.push('2'))).toBeUndefined();
    expect(run('a', ten, () => void log.push('3'))).toBe(because);
    first.end();
    await settled();
    expect(log).toEqual(['1', '2']);
    expect(run('a', ten, () => void log.push('4'))).toBeUndefined();
    expect([log.at(-1), held().events]).toEqual(['4', 0]);
  });

  test('when all is full, a key of its own is still served if it need not wait', () => {
    const { run } = line({ maxEvents: 1 });
    const asked: boolean[] = [];
    run('a', ten, slow([], 'a').work);
    expect(run('b', ten, (mayWait) => void asked.push(mayWait))).toBeUndefined();
    expect(asked).toEqual([false]);
  });

  test('leaves no queue behind after ten thousand keys', async () => {
    const { run, held } = line();
    for (let i = 0; i < 10_000; i += 1) run(`k${i}`, ten, async () => undefined);
    expect(held().keys).toBe(10_000);
    await settled();
    expect(held()).toEqual({ events: 0, bytes: 0, keys: 0 });
  });

  test.each([{ maxEvents: 0 }, { maxBytes: Number.NaN }])('refuses the bounds %j', (options) => {
    expect(() => line(options)).toThrow(TypeError);
  });
});
