import { describe, expect, test } from 'vitest';
import { pendingCalls } from '../../src/authz/pending.ts';
import { MINUTE, waitingCalls } from '../support/waiting-calls.ts';

describe('a call that waits', () => {
  test('is taken in its session by its owner, once', () => {
    const { seen, take } = waitingCalls();
    seen('s', 'alice', 'c');
    expect(take('s', 'alice', 'c')).toBe('taken');
    expect(take('s', 'alice', 'c')).toBe('used');
  });

  test.each([
    ['another user', 's', 'bob', 'c'],
    ['another session of the same user', 's2', 'alice', 'c'],
    ['an id that nobody has announced', 's', 'alice', 'd'],
    ['an id that is written otherwise', 's', 'alice', 'C'],
    ['an id that looks the same', 's', 'alice', 'c '],
  ])('is not taken by %s, and waits on', (_by, id, owner, call) => {
    const { seen, take } = waitingCalls();
    seen('s', 'alice', 'c');
    seen('s2', 'alice', 'other');
    expect(take(id, owner, call)).toBe('unknown');
    expect(take('s', 'alice', 'c')).toBe('taken');
  });

  test('is not the same as one of another form of Unicode', () => {
    const { seen, take } = waitingCalls();
    seen('s', 'alice', 'é');
    expect(take('s', 'alice', 'e\u0301')).toBe('unknown');
  });

  test('is not taken by who owned the session before', () => {
    const { seen, take } = waitingCalls();
    seen('s', 'alice', 'c');
    seen('s', 'bob', 'c');
    expect(take('s', 'alice', 'c')).toBe('unknown');
    expect(take('s', 'bob', 'c')).toBe('taken');
  });

  test('waits for so long as was said, from when it was last seen', () => {
    const { seen, take, clock } = waitingCalls();
    seen('s', 'alice', 'c');
    seen('s', 'alice', 'd');
    clock.millis += 5 * MINUTE;
    seen('s', 'alice', 'd');
    clock.millis += 5 * MINUTE;
    expect(take('s', 'alice', 'c')).toBe('unknown');
    expect(take('s', 'alice', 'd')).toBe('taken');
  });

  test('waits no longer once it was settled elsewhere, as by another replica', () => {
    const { seen, settled, take } = waitingCalls();
    seen('s', 'alice', 'c');
    settled('s2', 'c');
    settled('s', 'd');
    expect(take('s', 'alice', 'c', 'r')).toBe('taken');
    seen('s', 'alice', 'd');
    settled('s', 'd');
    expect(take('s', 'alice', 'd')).toBe('used');
  });

  test('that is announced again waits again', () => {
    const { seen, settled, take } = waitingCalls();
    seen('s', 'alice', 'c');
    take('s', 'alice', 'c');
    settled('s', 'c');
    seen('s', 'alice', 'c');
    expect(take('s', 'alice', 'c')).toBe('taken');
  });
});

describe('a call that is given back', () => {
  test('waits again', () => {
    const { seen, take, giveBack } = waitingCalls();
    seen('s', 'alice', 'c');
    take('s', 'alice', 'c', 'r1');
    giveBack('s', 'alice', 'c', 'r1');
    expect(take('s', 'alice', 'c', 'r2')).toBe('taken');
  });

  test('is not by a request that did not take it', () => {
    const { seen, take, giveBack } = waitingCalls();
    seen('s', 'alice', 'c');
    take('s', 'alice', 'c', 'r1');
    giveBack('s', 'alice', 'c', 'r2');
    giveBack('s2', 'alice', 'c', 'r1');
    giveBack('s', 'bob', 'c', 'r1');
    expect(take('s', 'alice', 'c')).toBe('used');
  });

  test('is not after it was settled, or announced again and taken by another request', () => {
    const { seen, settled, take, giveBack } = waitingCalls();
    seen('s', 'alice', 'c');
    take('s', 'alice', 'c', 'r1');
    settled('s', 'c');
    giveBack('s', 'alice', 'c', 'r1');
    expect(take('s', 'alice', 'c')).toBe('used');
    seen('s', 'alice', 'd');
    take('s', 'alice', 'd', 'r1');
    seen('s', 'alice', 'd');
    take('s', 'alice', 'd', 'r2');
    giveBack('s', 'alice', 'd', 'r1');
    expect(take('s', 'alice', 'd')).toBe('used');
  });

  test('has collided meanwhile: then it is not answered again', () => {
    const { seen, take, giveBack } = waitingCalls();
    seen('s', 'alice', 'c');
    take('s', 'alice', 'c', 'r1');
    seen('b', 'bob', 'c');
    giveBack('s', 'alice', 'c', 'r1');
    expect(take('s', 'alice', 'c')).toBe('collided');
  });
});

describe('an id that waits in two places', () => {
  const both = ({ take }: ReturnType<typeof waitingCalls>) => [take('s', 'alice', 'c'), take('b', 'bob', 'c')];

  test('is answered in neither', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    one.seen('b', 'bob', 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
  });

  test('is answered in neither of two sessions of one user', () => {
    const { seen, take } = waitingCalls();
    seen('s', 'alice', 'c');
    seen('s2', 'alice', 'c');
    expect([take('s', 'alice', 'c'), take('s2', 'alice', 'c')]).toEqual(['collided', 'collided']);
  });

  test('is not answered where it was, also when the other place is nobody’s', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    one.seen('nobodys', undefined, 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
  });

  test('is not answered while the first answer is under way: it may arrive after the second question', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    expect(one.take('s', 'alice', 'c')).toBe('taken');
    one.seen('b', 'bob', 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
  });

  test('stays so though one of the two was answered, or both are asked again', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    one.seen('b', 'bob', 'c');
    one.settled('s', 'c');
    one.settled('b', 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
    one.seen('b', 'bob', 'c');
    one.seen('s', 'alice', 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
  });

  test('is forgotten when it is old', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    one.seen('b', 'bob', 'c');
    one.clock.millis += 10 * MINUTE;
    expect(both(one)).toEqual(['unknown', 'unknown']);
    one.seen('b', 'bob', 'c');
    expect(both(one)).toEqual(['unknown', 'taken']);
  });

  test('is forgotten only when it was not seen for so long', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    one.seen('b', 'bob', 'c');
    one.clock.millis += 6 * MINUTE;
    one.seen('b', 'bob', 'c');
    one.clock.millis += 6 * MINUTE;
    one.seen('s', 'alice', 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
  });

  test('but one after the other is two calls', () => {
    const one = waitingCalls();
    one.seen('s', 'alice', 'c');
    one.take('s', 'alice', 'c');
    one.settled('s', 'c');
    one.seen('b', 'bob', 'c');
    expect(both(one)).toEqual(['unknown', 'taken']);
  });

  test('is not answered where it is, also when the other place was first, and nobody’s', () => {
    const one = waitingCalls();
    one.seen('nobodys', undefined, 'c');
    one.seen('b', 'bob', 'c');
    expect(both(one)).toEqual(['collided', 'collided']);
  });

  test('does not come of an owner who is not known yet', () => {
    const { seen, take, size } = waitingCalls();
    seen('s', undefined, 'c');
    expect(take('s', '', 'd')).toBe('unknown');
    seen('s', 'alice', 'c');
    seen('s', undefined, 'c');
    expect(take('s', 'alice', 'c')).toBe('taken');
    expect(size()).toBe(1);
  });
});

describe('what is remembered is bounded', () => {
  test('of one owner, who loses the oldest, and so by its age', () => {
    const { seen, take, size, clock } = waitingCalls({ maxCallsOfOwner: 3 });
    for (const call of ['1', '2', '3', '4']) seen('s', 'alice', call);
    expect(size()).toBe(3);
    expect([take('s', 'alice', '1'), take('s', 'alice', '2')]).toEqual(['unknown', 'taken']);
    clock.millis += 10 * MINUTE;
    expect(size()).toBe(0);
  });

  test('and a flood pushes out none of another’s, however many users flood', () => {
    const { seen, take, size } = waitingCalls({ maxCalls: 100, maxCallsOfOwner: 40 });
    for (const call of ['v1', 'v2']) seen('victim', 'alice', call);
    for (let call = 0; call < 1_000; call += 1) seen('m', 'mallory', `m${call}`);
    expect(size()).toBe(42);
    for (let user = 0; user < 10; user += 1) {
      for (let call = 0; call < 100; call += 1) seen(`m${user}`, `mallory-${user}`, `${user}-${call}`);
    }
    expect(size()).toBe(100);
    seen('late', 'bob', 'b1');
    expect([take('victim', 'alice', 'v1'), take('victim', 'alice', 'v2'), take('late', 'bob', 'b1')]).toEqual(
      Array(3).fill('taken'),
    );
  });

  test('and a flood does not wipe out the memory of another’s collision', () => {
    const { seen, take } = waitingCalls({ maxCallsOfOwner: 3 });
    seen('victim', 'alice', 'c');
    seen('m', 'mallory', 'c');
    for (let call = 0; call < 100; call += 1) seen('m', 'mallory', `m${call}`);
    expect([take('victim', 'alice', 'c'), take('m', 'mallory', 'c')]).toEqual(['collided', 'collided']);
  });

  test('and who has lost a call cannot answer it in the place of another', () => {
    const { seen, take } = waitingCalls({ maxCallsOfOwner: 1 });
    seen('m', 'mallory', 'c');
    seen('m', 'mallory', 'd');
    seen('victim', 'alice', 'c');
    expect([take('m', 'mallory', 'c'), take('victim', 'alice', 'c')]).toEqual(['unknown', 'taken']);
  });

  test.each([{ maxCalls: 0 }, { maxCallsOfOwner: 0 }, { maxAgeMillis: Number.NaN }])('by something: %j', (bound) => {
    expect(() => pendingCalls(bound)).toThrow(TypeError);
  });
});
