import { expect, test } from 'vitest';
import { turns } from '../../src/pipeline/turn.ts';

test('all who come in one turn go on together at its end, in the order in which they came', async () => {
  const itsTurn = turns();
  const order: string[] = [];
  const come = async (name: string): Promise<void> => {
    order.push(`${name} comes`);
    await itsTurn();
    order.push(`${name} goes on`);
  };
  setImmediate(() => order.push('end of the turn'));
  const both = [come('first')];
  process.nextTick(() => both.push(come('second')));
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await Promise.all(both);
  expect(order).toEqual(['first comes', 'second comes', 'end of the turn', 'first goes on', 'second goes on']);
});

test('who comes when a turn has ended waits for the next', async () => {
  const itsTurn = turns();
  const first = itsTurn();
  expect(itsTurn()).toBe(first);
  await first;
  const next = itsTurn();
  expect(next).not.toBe(first);
  await next;
});

test('two gates do not wait for one another', async () => {
  const [one, other] = [turns(), turns()];
  expect(one()).not.toBe(other());
  await Promise.all([one(), other()]);
});
