import { describe, expect, test } from 'vitest';
import {
  dropOlder,
  empty,
  forget,
  forgetOldest,
  type Log,
  makeRoom,
  newLog,
  push,
  rested,
  type Shelf,
  shelf,
  shift,
  shiftOlder,
} from '../../src/realtime/missed-shelf.ts';

const say = (on: Shelf<string>, log: Log<string>, atMillis: number): void => {
  log.head += 1;
  push(on, log, { kept: `at ${atMillis}`, bytes: 10, refs: [], offset: log.head, atMillis });
};
const sums = ({ logs, events, bytes }: Shelf<string>) => ({ logs: logs.size, events, bytes });
const texts = (log: Log<string>) => log.window.after(0).map(({ kept }) => kept);
/** Alice and Bob, both without a socket. */
const two = () => {
  const on = shelf<string>(1_000);
  return { on, alice: newLog(on, 'alice', 1), bob: newLog(on, 'bob', 2) };
};

describe('a shelf', () => {
  test('counts what is on it', () => {
    const { on, alice, bob } = two();
    for (const millis of [1, 2, 3]) say(on, alice, millis);
    say(on, bob, 4);
    expect(sums(on)).toEqual({ logs: 2, events: 4, bytes: 40 });
    shift(on, alice);
    expect([alice.bytes, sums(on)]).toEqual([20, { logs: 2, events: 3, bytes: 30 }]);
    shiftOlder(on, alice, 3);
    expect(texts(alice)).toEqual(['at 3']);
    empty(on, alice);
    shift(on, alice);
    forget(on, bob);
    expect([alice.bytes, sums(on)]).toEqual([0, { logs: 1, events: 0, bytes: 0 }]);
    expect([alice.over, bob.over]).toEqual([false, true]);
  });

  test('makes room from the log whose last event is oldest, and takes its epoch when nobody is connected to it', () => {
    const { on, alice, bob } = two();
    for (const [log, millis] of [
      [alice, 1],
      [bob, 2],
      [alice, 3],
    ] as const)
      say(on, log, millis);
    alice.sockets = 1;
    makeRoom(on);
    expect([bob.over, texts(alice)]).toEqual([true, ['at 1', 'at 3']]);
    makeRoom(on);
    expect([alice.over, texts(alice), sums(on)]).toEqual([false, [], { logs: 1, events: 0, bytes: 0 }]);
    makeRoom(on);
    say(on, alice, 4);
    expect(texts(alice)).toEqual(['at 4']);
  });

  test('gives up the log that has been without a socket for longest, and none that has one', () => {
    const { on, alice, bob } = two();
    rested(on, alice, 3);
    expect(forgetOldest(on)).toBe(true);
    expect([alice.over, bob.over]).toEqual([false, true]);
    on.idle.delete(alice);
    expect([forgetOldest(on), alice.over]).toEqual([false, false]);
  });

  test('does not take up again a log that it let go of', () => {
    const { on, alice } = two();
    forget(on, alice);
    rested(on, alice, 5);
    expect([on.idle.has(alice), sums(on).logs]).toEqual([false, 1]);
  });

  test('lets go of old logs and of old events, and of no others', () => {
    const { on, alice, bob } = two();
    const carol = newLog(on, 'carol', 20);
    on.idle.delete(bob);
    for (const [log, millis] of [
      [alice, 1],
      [bob, 2],
      [carol, 30],
    ] as const)
      say(on, log, millis);
    dropOlder(on, 20);
    expect([alice.over, bob.over, carol.over]).toEqual([true, false, false]);
    expect([texts(bob), texts(carol)]).toEqual([[], ['at 30']]);
  });
});
