import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MissedRule } from '../../src/model/event.ts';
import { EVENT_BYTES, missedEvents } from '../../src/realtime/missed.ts';
import { open, RULE } from '../support/missed-logs.ts';

describe('all logs together', () => {
  const ROOMY: MissedRule = { ...RULE, maxEvents: 100 };

  test('hold so many bytes: the log that was used least recently goes first, with its epoch', () => {
    const { missed, enter, begin, keep, since } = open({ rule: () => ROOMY, maxBytes: 10_000 });
    const [alice, bob] = [begin('alice'), begin('bob')];
    const carol = enter('carol');
    for (const log of [alice, bob, carol, alice]) keep(log, 'x', 2_000);
    keep(carol, 'y', 2_000);
    expect(missed.of('bob')).toBeUndefined();
    expect(since(alice, 'alice', alice.head - 2)).toEqual(['x', 'x']);
    expect(since(carol, 'carol', carol.head - 2)).toEqual(['x', 'y']);
    expect(missed.held().bytes).toBeLessThanOrEqual(10_000);
  });

  test('hold so many bytes at the cost of those that hold many: who has heard little keeps it', () => {
    const { missed, enter, begin, keep, since } = open({ rule: () => ROOMY, maxBytes: 2_000_000 });
    const quiet = begin('quiet');
    keep(quiet, 'x', 1_000);
    const loud = Array.from({ length: 300 }, (_, n) => enter(`loud ${n}`));
    for (const log of loud) keep(log, 'y', 9_000);
    const another = begin('another');
    keep(another, 'z', 1_000);
    expect(since(quiet, 'quiet', quiet.head - 1)).toEqual(['x']);
    expect(since(another, 'another', another.head - 1)).toEqual(['z']);
    expect(missed.held().bytes).toBeLessThanOrEqual(2_000_000);
    expect(missed.held().bytes).toBeGreaterThan(1_980_000);
  });

  test('of a log with a socket only the events go, so that its place stays good', () => {
    const { missed, enter, keep, since } = open({ rule: () => ROOMY, maxBytes: 10_000 });
    const [alice, bob] = [enter('alice'), enter('bob')];
    keep(alice, 'x', 4_000);
    for (let n = 0; n < 2; n += 1) keep(bob, 'y', 4_000);
    expect([missed.of('alice'), since(alice, 'alice', alice.head - 1)]).toEqual([alice, 'lost']);
    keep(alice, 'z', 100);
    expect(since(alice, 'alice', alice.head - 1)).toEqual(['z']);
  });

  test('one log never holds more than all may', () => {
    const { missed, begin, keep, since } = open({ rule: () => ROOMY, maxBytes: 3_000 });
    const log = begin('alice');
    keep(log, 'huge', 3_000);
    for (const text of ['a', 'b', 'c']) keep(log, text, 1_000);
    expect(since(log, 'alice', log.head - 2)).toEqual(['b', 'c']);
    expect(missed.held().bytes).toBeLessThanOrEqual(3_000);
  });

  test('are so many: a new one takes the place of the one that has been idle for longest, and of none that is open', () => {
    const { missed, enter, begin } = open({ maxOwners: 2 });
    const [alice, bob] = [begin('alice'), begin('bob')];
    missed.enter(alice);
    enter('carol');
    expect([missed.of('alice'), missed.of('bob')]).toEqual([alice, undefined]);
    expect(missed.begin('dave')).toBeUndefined();
    missed.leave(alice);
    expect(missed.begin('dave')).toBeDefined();
    expect([alice, bob].map((log) => missed.enter(log))).toEqual([false, false]);
    expect(missed.held().owners).toBe(2);
  });

  test('are let go of at the end, and a socket that leaves after that does no harm', () => {
    const { missed, enter, keep } = open();
    const log = enter('alice');
    keep(log, 'a');
    missed.close();
    missed.leave(log);
    expect(missed.held()).toEqual({ owners: 0, events: 0, bytes: 0 });
  });

  test.each([{ maxBytes: 0 }, { maxOwners: 0 }, { sweepMillis: 0 }, { maxBytes: Number.NaN }])('refuse %o', (bound) => {
    expect(() => open(bound)).toThrow(TypeError);
  });
});

/** What a client may be told, whatever happened: all that it missed, in order, or that it is lost. */
test('logs never give a part of what was missed, and lose nothing that there is room for', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('keep' as const), owner: fc.nat(2), bytes: fc.integer({ min: 0, max: 5_000 }) }),
    fc.record({ do: fc.constant('wait' as const), millis: fc.integer({ min: 1, max: 600 }) }),
    fc.record({ do: fc.constant('come' as const), owner: fc.nat(2) }),
    fc.record({ do: fc.constant('go' as const), owner: fc.nat(2) }),
    fc.record({ do: fc.constant('ask' as const), owner: fc.nat(2), back: fc.nat(8) }),
    fc.record({ do: fc.constant('sweep' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let clock = 50_000;
      let number = 0;
      const missed = missedEvents<number>({ rule: () => RULE, now: () => clock });
      const sent = new Map<string, Array<{ offset: number; kept: number; bytes: number; at: number }>>();
      for (const step of steps) {
        if (step.do === 'wait') clock += step.millis;
        else if (step.do === 'sweep') missed.sweep();
        else if (step.do === 'come') missed.enter(missed.begin(`${step.owner}`) ?? expect.fail());
        else {
          const owner = `${step.owner}`;
          const log = missed.of(owner);
          if (log === undefined) continue;
          const history = sent.get(log.epoch) ?? [];
          sent.set(log.epoch, history);
          if (step.do === 'go') {
            if (log.sockets > 0) missed.leave(log);
          } else if (step.do === 'keep') {
            number += 1;
            history.push({ offset: log.head + 1, kept: number, bytes: step.bytes + EVENT_BYTES, at: clock });
            missed.keep(log, { kept: number, bytes: step.bytes, refs: [] });
          } else {
            const offset = log.head - step.back;
            const all = history.filter((event) => event.offset > offset);
            const found = missed.since(owner, log.epoch, String(offset));
            const fits =
              step.back <= history.length &&
              all.length <= RULE.maxEvents &&
              all.reduce((sum, { bytes }) => sum + bytes, 0) <= RULE.maxBytes &&
              all.every(({ at }) => clock - at <= RULE.ageMillis);
            if (found === 'lost') expect(fits).toBe(false);
            else expect(found.map(({ kept }) => kept)).toEqual(all.map(({ kept }) => kept));
          }
        }
      }
      const { events, bytes } = missed.held();
      expect(events).toBeLessThanOrEqual(3 * RULE.maxEvents);
      expect(bytes).toBeLessThanOrEqual(3 * RULE.maxBytes);
      missed.close();
      expect(missed.held()).toEqual({ owners: 0, events: 0, bytes: 0 });
    }),
  );
});
