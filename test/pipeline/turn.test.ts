import { expect, test } from 'vitest';
import { turns } from '../../src/pipeline/turn.ts';

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Returns a gate, who came to it and went on, in order, and a function that lets somebody come. */
const watched = () => {
  const itsTurn = turns();
  const order: string[] = [];
  const come = async (name: string): Promise<void> => {
    order.push(`${name} comes`);
    await itsTurn();
    order.push(`${name} goes on`);
  };
  return { order, come };
};

test('all who come in one turn go on together after its end, in the order in which they came', async () => {
  const { order, come } = watched();
  setImmediate(() => order.push('end of the turn'));
  const both = [come('first')];
  process.nextTick(() => both.push(come('second')));
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await Promise.all(both);
  expect(order).toEqual(['first comes', 'second comes', 'end of the turn', 'first goes on', 'second goes on']);
});

test('who is alone goes on at the end of the turn, and waits for nobody', async () => {
  const { order, come } = watched();
  const alone = come('one');
  await turnOfTheLoop();
  expect(order).toEqual(['one comes', 'one goes on']);
  await alone;
});

test('several wait for those of the next turn, until one brings nobody', async () => {
  const { order, come } = watched();
  const all = [come('first'), come('second')];
  await turnOfTheLoop();
  all.push(come('third'));
  await turnOfTheLoop();
  expect(order).toEqual(['first comes', 'second comes', 'third comes']);
  await turnOfTheLoop();
  expect(order.slice(3)).toEqual(['first goes on', 'second goes on', 'third goes on']);
  await Promise.all(all);
});

test('many go on at the end of their turn, and wait for nobody', async () => {
  const { order, come } = watched();
  const all = Array.from({ length: 128 }, (_, index) => come(`${index}`));
  await turnOfTheLoop();
  expect(order.at(-1)).toBe('127 goes on');
  await Promise.all(all);
});

test('several wait for eight turns more at most, whoever keeps coming', async () => {
  const { order, come } = watched();
  const all = [come('first'), come('second')];
  let turn = 0;
  while (!order.includes('first goes on') && turn < 100) {
    await turnOfTheLoop();
    turn += 1;
    all.push(come(`turn ${turn}`));
  }
  expect(turn).toBe(9);
  await Promise.all(all);
});

test('who comes when others have gone on waits for the next turn', async () => {
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
