import { describe, expect, test, vi } from 'vitest';
import type { MissedRule } from '../../src/model/event.ts';
import { EVENT_BYTES, missedEvents } from '../../src/realtime/missed.ts';
import { open, RULE } from '../support/missed-logs.ts';

test('what was kept by another policy is forgotten by all, and what comes after it is kept', () => {
  let terms = {};
  const { enter, keep, missed, since } = open({ terms: () => terms });
  const [alice, bob] = [enter('alice'), enter('bob')];
  for (const log of [alice, bob]) keep(log, 'a');
  terms = {};
  keep(alice, 'b');
  expect(missed.held().events).toBe(1);
  expect(since(alice, 'alice', alice.head - 1)).toEqual(['b']);
  expect(since(alice, 'alice', alice.head - 2)).toBe('lost');
  terms = {};
  expect([since(alice, 'alice', alice.head - 1), since(bob, 'bob', bob.head)]).toEqual(['lost', []]);
});

describe('a log', () => {
  test('gives what was sent after an offset, in order, and nothing after the last', () => {
    const { enter, keep, since } = open();
    const log = enter('alice');
    const start = log.head;
    for (const text of ['a', 'b', 'c']) keep(log, text);
    expect(since(log, 'alice', start)).toEqual(['a', 'b', 'c']);
    expect(since(log, 'alice', String(start + 2))).toEqual(['c']);
    expect(since(log, 'alice', log.head)).toEqual([]);
  });

  test('tells the offsets and the references of what it gives', () => {
    const { missed, enter } = open();
    const log = enter('alice');
    const refs = [{ kind: 'session', id: 's1' }];
    missed.keep(log, { kept: 'a', bytes: 1, refs });
    expect(missed.since('alice', log.epoch, log.head - 1)).toMatchObject([{ kept: 'a', offset: log.head, refs }]);
  });

  test.each([
    ['of the future', (head: number) => head + 1],
    ['from before it began', (head: number) => head - 2],
    ['that is no number', () => 'x'],
    ['that is empty', () => ''],
    ['that is negative', () => '-1'],
    ['that is a fraction', (head: number) => `${head - 1}.0`],
    ['in hexadecimals', (head: number) => `0x${head.toString(16)}`],
    ['with a zero before it', (head: number) => `0${head}`],
    ['with a space', (head: number) => ` ${head}`],
    ['beyond all numbers', () => '9'.repeat(400)],
    ['that is not a number at all', () => Number.NaN],
  ])('is lost to an offset %s', (_, offset) => {
    const { enter, keep, since } = open();
    const log = enter('alice');
    keep(log, 'a');
    expect(since(log, 'alice', offset(log.head))).toBe('lost');
    expect(since(log, 'alice', log.head)).toEqual([]);
  });

  test('is nobody else’s, and of no other epoch', () => {
    const { missed, enter, keep, since } = open();
    const [alice, bob] = [enter('alice'), enter('bob')];
    keep(alice, 'a');
    expect(alice.epoch).not.toBe(bob.epoch);
    expect(since(alice, 'bob', alice.head - 1)).toBe('lost');
    expect(since(alice, 'nobody', alice.head - 1)).toBe('lost');
    expect(missed.since('alice', '', alice.head)).toBe('lost');
  });

  test('holds as many events as it may: who was away for more has lost them', () => {
    const { missed, enter, keep, since } = open();
    const log = enter('alice');
    const start = log.head;
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) keep(log, text);
    expect(since(log, 'alice', start)).toBe('lost');
    expect(since(log, 'alice', start + 1)).toEqual(['b', 'c', 'd', 'e', 'f']);
    expect(missed.held().events).toBe(5);
  });

  test('holds as many bytes as it may', () => {
    const { missed, enter, keep, since } = open();
    const log = enter('alice');
    const start = log.head;
    for (const text of ['a', 'b', 'c']) keep(log, text, 4_000);
    expect(since(log, 'alice', start)).toBe('lost');
    expect(since(log, 'alice', start + 1)).toEqual(['b', 'c']);
    expect(missed.held()).toEqual({ owners: 1, events: 2, bytes: 2 * (4_000 + EVENT_BYTES) });
  });

  test('remembers that an event was too large for it, and goes on behind it', () => {
    const { enter, keep, since } = open();
    const log = enter('alice');
    const start = log.head;
    keep(log, 'a');
    keep(log, 'huge', 10_001);
    keep(log, 'b');
    expect([since(log, 'alice', start), since(log, 'alice', start + 1)]).toEqual(['lost', 'lost']);
    expect(since(log, 'alice', start + 2)).toEqual(['b']);
  });

  test('holds an event for as long as it may', () => {
    const { enter, keep, since, advance } = open();
    const log = enter('alice');
    const start = log.head;
    keep(log, 'a');
    advance(600);
    keep(log, 'b');
    advance(400);
    expect(since(log, 'alice', start)).toEqual(['a', 'b']);
    advance(1);
    expect(since(log, 'alice', start)).toBe('lost');
    expect(since(log, 'alice', start + 1)).toEqual(['b']);
    advance(10_000);
    expect(since(log, 'alice', log.head)).toEqual([]);
  });

  test('lets go of old events whenever it gets a new one, and when it is swept', () => {
    const { missed, enter, keep, advance } = open();
    const log = enter('alice');
    for (const text of ['a', 'b']) {
      keep(log, text);
      advance(1_001);
      keep(log, text);
      expect(missed.held().events).toBe(1);
      advance(1_001);
      missed.sweep();
      expect(missed.held().events).toBe(0);
    }
  });

  test('takes no offset of the log before it for one of its own', () => {
    const { missed, enter, begin, keep, since, advance } = open();
    const first = enter('alice');
    for (const text of ['a', 'b']) keep(first, text);
    const old = first.head;
    missed.leave(first);
    advance(1_001);
    const second = begin('alice');
    for (const text of ['c', 'd', 'e']) keep(second, text);
    expect(second.epoch).not.toBe(first.epoch);
    expect([since(second, 'alice', old), since(first, 'alice', old)]).toEqual(['lost', 'lost']);
  });
});

describe('the life of a log', () => {
  test('is over a while after its last socket has left', () => {
    const { missed, enter, keep, since, advance } = open();
    const log = enter('alice');
    missed.enter(log);
    missed.leave(log);
    advance(5_000);
    expect(missed.of('alice')).toBe(log);
    missed.leave(log);
    keep(log, 'a');
    advance(1_000);
    expect(since(log, 'alice', log.head - 1)).toEqual(['a']);
    advance(1);
    expect(missed.of('alice')).toBeUndefined();
    expect(missed.enter(log)).toBe(false);
    keep(log, 'b');
    expect(missed.held()).toEqual({ owners: 0, events: 0, bytes: 0 });
  });

  test('does not end while its client is coming in', () => {
    const { missed, enter, begin, advance } = open();
    const log = enter('alice');
    missed.leave(log);
    advance(900);
    expect(begin('alice')).toBe(log);
    advance(900);
    expect(missed.of('alice')).toBe(log);
    expect(missed.enter(log)).toBe(true);
  });

  test('begins only where there is a rule, and ends when there is none any more', () => {
    let rule: MissedRule | undefined;
    const { missed, enter, keep, since } = open({ rule: () => rule });
    expect(missed.begin('alice')).toBeUndefined();
    rule = RULE;
    const log = enter('alice');
    keep(log, 'a');
    rule = undefined;
    keep(log, 'b');
    expect(since(log, 'alice', log.head - 1)).toBe('lost');
    missed.leave(log);
    missed.sweep();
    expect(missed.held()).toEqual({ owners: 0, events: 0, bytes: 0 });
  });

  test('that is swept loses old events while it is open, and is over when it is old itself', () => {
    const { missed, enter, begin, keep, advance } = open();
    const [alice, bob] = [enter('alice'), begin('bob')];
    keep(alice, 'a');
    keep(bob, 'b');
    missed.sweep();
    expect(missed.held()).toMatchObject({ owners: 2, events: 2 });
    advance(1_001);
    missed.sweep();
    expect(missed.held()).toEqual({ owners: 1, events: 0, bytes: 0 });
  });
});

test('logs are swept by one timer, which rests when there is none', () => {
  vi.useFakeTimers({ now: 50_000 });
  try {
    const missed = missedEvents<string>({ rule: () => RULE, sweepMillis: 10 });
    expect(vi.getTimerCount()).toBe(0);
    for (let n = 0; n < 100; n += 1) missed.begin(`owner ${n}`);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_020);
    expect([missed.held().owners, vi.getTimerCount()]).toEqual([0, 0]);
    missed.begin('alice');
    missed.close();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
