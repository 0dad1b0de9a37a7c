import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallAnswer } from '../../src/model/call.ts';
import { MINUTE, session, waitingCalls } from '../support/waiting-calls.ts';

describe('whatever happens', () => {
  const PLACES = [
    ['a1', 'alice'],
    ['a2', 'alice'],
    ['b1', 'bob'],
  ] as const;
  const place = fc.constantFrom(...PLACES);
  const call = fc.constantFrom('c', 'd');
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom('seen', 'settled', 'take', 'giveBack', 'overheard'), place, call }),
    fc.record({ what: fc.constant('wait'), minutes: fc.integer({ min: 1, max: 6 }) }),
  );

  test('an answer is taken only of what waits at the upstream in that very place, and once for each question', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const one = waitingCalls();
        /** The questions for whose answers the upstream waits, by call and place, each for five minutes. */
        const open = new Map<string, number>();
        const waits = (id: string, of: string): boolean =>
          one.clock.millis - (open.get(`${of} ${id}`) ?? Number.NEGATIVE_INFINITY) < 5 * MINUTE;
        const unanswered = new Set<string>();
        const takers = new Map<string, string[]>();
        let requests = 0;
        for (const next of steps) {
          if ('minutes' in next) {
            one.clock.millis += next.minutes * MINUTE;
            continue;
          }
          const [id, owner] = next.place;
          const key = `${next.call} ${id}`;
          if (next.what === 'seen') {
            one.seen(id, owner, next.call);
            open.set(key, one.clock.millis);
            unanswered.add(key);
          } else if (next.what === 'overheard') {
            one.seen('nobodys', undefined, next.call);
            open.set(`${next.call} nobodys`, one.clock.millis);
          } else if (next.what === 'settled') {
            one.settled(id, next.call);
            open.delete(key);
          } else if (next.what === 'giveBack') {
            const request = takers.get(key)?.pop();
            if (request === undefined) continue;
            one.giveBack(id, owner, next.call, request);
            unanswered.add(key);
          } else {
            requests += 1;
            if (one.take(id, owner, next.call, `r${requests}`) !== 'taken') continue;
            const others = ['a1', 'a2', 'b1', 'nobodys'].filter((other) => other !== id);
            expect(others.filter((other) => waits(other, next.call))).toEqual([]);
            expect(open.has(key)).toBe(true);
            expect(unanswered.delete(key)).toBe(true);
            takers.set(key, [...(takers.get(key) ?? []), `r${requests}`]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an id that was seen in two places at once is taken in neither while it is remembered', () => {
    const between = fc.array(
      fc.record({ what: fc.constantFrom('seen', 'settled', 'take', 'overheard'), place, call: fc.constant('c') }),
    );
    fc.assert(
      fc.property(fc.constantFrom('a2', 'b1', undefined), between, (other, steps) => {
        const one = waitingCalls();
        one.seen('a1', 'alice', 'c');
        one.seen(other ?? 'nobodys', other === undefined ? undefined : other === 'a2' ? 'alice' : 'bob', 'c');
        for (const { what, place: at } of steps) {
          const [id, owner] = at;
          if (what === 'seen') one.seen(id, owner, 'c');
          else if (what === 'overheard') one.seen('nobodys', undefined, 'c');
          else if (what === 'settled') one.settled(id, 'c');
          else expect(one.take(id, owner, 'c')).not.toBe('taken');
        }
        for (const [id, owner] of PLACES) expect(one.take(id, owner, 'c')).not.toBe('taken');
      }),
    );
  });

  test('no more is remembered than was said', () => {
    const many = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 99 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(many, (pairs) => {
        const one = waitingCalls({ maxCalls: 20, maxCallsOfOwner: 5 });
        const answers: CallAnswer[] = [];
        for (const [owner, call] of pairs) {
          one.seen(`s${owner}`, `o${owner}`, `c${call}`);
          expect(one.size()).toBeLessThanOrEqual(20);
          answers.push({ place: session(`s${owner}`), owner: `o${owner}`, call: `c${call}` });
        }
        const left = answers.filter(({ place: at, owner, call }) => one.take(at.id, owner, call) === 'taken');
        for (let owner = 0; owner < 10; owner += 1) {
          expect(left.filter((answer) => answer.owner === `o${owner}`).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });
});
