import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type LifetimeOptions, lifetime } from '../../src/realtime/lifetime.ts';
import { principal, sessionOf } from '../support/socket-door.ts';

const START = 1_000_000;
const UNTIL = START + 60_000;
const LATER = START + 120_000;

const away = () => new Rejection('sessions-unavailable', 'away');

/** Lets every promise that is settled be heard. */
const settled = () => new Promise(setImmediate);

/** One that is watched, and what becomes of it. */
const watching = (options: LifetimeOptions = {}, who: Principal = sessionOf('alice', UNTIL)) => {
  const clock = { now: START };
  const told: string[] = [];
  const lags: unknown[] = [];
  const watched = lifetime({
    now: () => clock.now,
    slotMillis: 100,
    late: (millis, because) => lags.push([millis, because]),
    ...options,
  });
  const leave = watched.watch(who, {
    prolonged: ({ owner, expiresAtMillis }) => told.push(`${owner} until ${expiresAtMillis - START}`),
    ended: (reason) => told.push(reason),
  });
  return {
    watched,
    clock,
    told,
    lags,
    leave,
    async at(millis: number) {
      clock.now = millis;
      watched.tick();
      await settled();
    },
  };
};

describe('an authority that cannot be prolonged', () => {
  test.each([
    ['a token', principal('alice', UNTIL + 50), 'authority-expired'],
    ['a session', sessionOf('alice', UNTIL + 50), 'session-ended'],
  ])('of %s ends in its slot, once, and before anything else is asked', async (_, who, reason) => {
    const { watched, clock, told, lags } = watching({}, who);
    clock.now = UNTIL - 1;
    watched.tick();
    expect([told, watched.size]).toEqual([[], 1]);
    clock.now = UNTIL;
    watched.tick();
    expect([told, lags, watched.size]).toEqual([[reason], [[0, 'expiry']], 0]);
    watched.tick();
    await settled();
    expect(told).toEqual([reason]);
  });

  test('is told late by as much as it was, after it has ended', () => {
    const order: unknown[] = [];
    const clock = { now: START };
    const watched = lifetime({ now: () => clock.now, slotMillis: 100, late: (millis) => order.push(millis) });
    const ended = (): void => {
      clock.now += 30;
      order.push('ended');
    };
    watched.watch(principal('alice', START + 310), { ended, prolonged: () => undefined });
    watched.watch(principal('bob', START + 305), { ended, prolonged: () => undefined });
    clock.now = START + 500;
    watched.tick();
    expect(order).toEqual(['ended', 220, 'ended', 255]);
  });

  test('that was taken back is not told of, however often', async () => {
    const { leave, at, told, watched } = watching();
    leave();
    leave();
    await at(LATER);
    expect([told, watched.size]).toEqual([[], 0]);
  });
});

describe('an authority that is prolonged', () => {
  test.each([
    ['at once', (later: Principal) => later],
    ['by a promise', async (later: Principal) => later],
  ])('%s goes on, and is asked for again at its new end', async (_, give) => {
    const asked: number[] = [];
    const { at, told, lags, watched } = watching({
      prolong(one) {
        asked.push(one.expiresAtMillis - START);
        return one.expiresAtMillis === UNTIL ? give(sessionOf('alice', LATER)) : undefined;
      },
    });
    await at(UNTIL);
    await at(LATER - 1);
    expect([told, lags, watched.size]).toEqual([['demo|alice until 120000'], [], 1]);
    await at(LATER);
    expect([told, asked]).toEqual([
      ['demo|alice until 120000', 'session-ended'],
      [60_000, 120_000],
    ]);
  });

  test('only as long as it was, because it was asked for a little early, is asked for once more', async () => {
    const who = sessionOf('alice', UNTIL + 90);
    const { at, told, lags } = watching({ prolong: (one) => one }, who);
    await at(UNTIL);
    expect(told).toEqual(['demo|alice until 60090']);
    await at(UNTIL + 100);
    expect([told.at(-1), lags]).toEqual(['session-ended', [[10, 'expiry']]]);
  });

  test.each([
    ['another owner’s', sessionOf('bob', LATER)],
    ['over already', sessionOf('alice', UNTIL)],
  ])('by one that is %s is over', async (_, found) => {
    const { at, told } = watching({ prolong: async () => found });
    await at(UNTIL);
    expect(told).toEqual(['session-ended']);
  });

  test.each<[string, (answer: PromiseWithResolvers<Principal>) => void]>([
    ['after it was taken back', ({ resolve }) => resolve(sessionOf('alice', LATER))],
    ['or refused after that', ({ reject }) => reject(new Rejection('session-ended', 'x'))],
    ['or not found out after that', ({ reject }) => reject(away())],
  ])('%s is told to nobody', async (_, settle) => {
    const answer = Promise.withResolvers<Principal>();
    const { at, told, leave, watched } = watching({ prolong: () => answer.promise });
    await at(UNTIL);
    leave();
    settle(answer);
    await at(LATER);
    expect([told, watched.size]).toEqual([[], 0]);
  });
});

describe('an authority of which nobody can say whether it goes on', () => {
  test.each([
    ['by a rejection', () => Promise.reject(away())],
    [
      'by throwing',
      () => {
        throw away();
      },
    ],
  ])('%s is asked for again each second, and goes on when it does', async (_, refuse) => {
    let asked = 0;
    const { at, told, watched } = watching({
      prolong() {
        asked += 1;
        return asked < 4 ? refuse() : sessionOf('alice', LATER);
      },
    });
    for (let millis = 0; millis < 3_000; millis += 100) await at(UNTIL + millis);
    expect([asked, told]).toEqual([3, []]);
    await at(UNTIL + 3_000);
    expect([asked, told, watched.size]).toEqual([4, ['demo|alice until 120000'], 1]);
  });

  test('is waited for as long the next time', async () => {
    let isAway = true;
    const { at, told } = watching({ prolong: () => (isAway ? Promise.reject(away()) : sessionOf('alice', LATER)) });
    await at(UNTIL);
    isAway = false;
    await at(UNTIL + 1_000);
    isAway = true;
    for (let millis = 0; millis < 60_000; millis += 1_000) await at(LATER + millis);
    expect(told).toEqual(['demo|alice until 120000']);
    await at(LATER + 60_000);
    expect(told).toEqual(['demo|alice until 120000', 'session-ended']);
  });

  test('ends after a minute, however often it was asked for', async () => {
    let asked = 0;
    const { at, told, lags, watched } = watching({
      prolong() {
        asked += 1;
        return Promise.reject(away());
      },
    });
    for (let millis = 0; millis < 60_000; millis += 500) await at(UNTIL + millis);
    expect([asked, told]).toEqual([60, []]);
    await at(UNTIL + 60_000);
    expect([told, lags, watched.size]).toEqual([['session-ended'], [[60_000, 'unanswered']], 0]);
    await at(UNTIL + 90_000);
    expect(told).toHaveLength(1);
  });

  test('because no answer comes at all ends after a minute too, and what comes then is not heard', async () => {
    const answer = Promise.withResolvers<Principal>();
    const { at, told } = watching({ prolong: () => answer.promise });
    for (let millis = 0; millis < 60_000; millis += 1_000) await at(UNTIL + millis);
    expect(told).toEqual([]);
    await at(UNTIL + 60_000);
    answer.resolve(sessionOf('alice', UNTIL + 600_000));
    await settled();
    expect(told).toEqual(['session-ended']);
  });

  test('is over at once where it is refused, or where what fails is no part that is away', async () => {
    for (const error of [new Rejection('session-ended', 'x'), new Rejection('tenant-refused', 'x'), new Error('bug')]) {
      const { at, told, lags } = watching({ prolong: () => Promise.reject(error) });
      await at(UNTIL);
      expect([told, lags]).toEqual([['session-ended'], [[0, 'expiry']]]);
    }
  });

  test('is told of nobody when everything is closed meanwhile', async () => {
    const answer = Promise.withResolvers<Principal>();
    const { at, told, watched } = watching({ prolong: () => answer.promise });
    await at(UNTIL);
    watched.close();
    answer.resolve(sessionOf('alice', LATER));
    await at(LATER);
    expect([told, watched.size]).toEqual([[], 0]);
  });
});

describe('the principal as it is by now', () => {
  const clock = { now: UNTIL };
  const now = () => clock.now;
  test.each<[string, Principal, LifetimeOptions['prolong'], number | undefined]>([
    ['itself while it is good', sessionOf('alice', LATER), undefined, LATER],
    ['a later one', sessionOf('alice', UNTIL), async () => sessionOf('alice', LATER), LATER],
    ['none where it is over', sessionOf('alice', UNTIL), () => undefined, undefined],
    ['none where it is another’s', sessionOf('alice', UNTIL), () => sessionOf('bob', LATER), undefined],
    ['none where nobody can say', sessionOf('alice', UNTIL), () => Promise.reject(away()), undefined],
  ])('is %s', async (_, who, prolong, until) => {
    const watched = lifetime({ now, ...(prolong && { prolong }) });
    expect((await watched.current(who))?.expiresAtMillis).toBe(until);
  });
});
