import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import {
  checkAuthority,
  countFor,
  rejudge,
  revoke,
  turnOut,
  watchAuthority,
} from '../../src/server/socket-authority.ts';
import { openLink } from '../support/open-link.ts';
import { principal, sessionOf } from '../support/socket-door.ts';

const SHADOW: Rollout = { mode: 'shadow', cohorts: [] };
const event = { name: 'session_update', payload: {} };

describe('the end of a token', () => {
  test('takes its socket out of the channel and closes it with 4401, in time', () => {
    const { door, clock, watched, records, closes, lags } = openLink({ principal: principal('alice', 1_060_050) });
    clock.now = 1_059_999;
    watched.tick();
    expect([door.channels.size, closes]).toEqual([1, []]);
    clock.now = 1_060_000;
    watched.tick();
    expect([door.channels.size, closes, lags]).toEqual([0, [[4401, 'authority-expired']], [0]]);
    expect(records).toMatchObject([{ kind: 'socket', outcome: 'refused', reason: 'authority-expired' }]);
  });

  test('is measured from that end until the socket is out of its channel', () => {
    const { clock, watched, lags } = openLink({ principal: principal('alice', 1_060_050) });
    clock.now = 1_060_300;
    watched.tick();
    expect(lags).toEqual([250]);
  });

  test('leaves somebody unknown where that may go on, and one watch less', () => {
    const { door, link, clock, watched, closes } = openLink({
      principal: principal('alice', 1_060_000),
      rollout: SHADOW,
    });
    clock.now = 1_060_000;
    watched.tick();
    expect([link.principal, closes, watched.size]).toEqual([undefined, [], 0]);
    expect(door.channels.send('demo|alice', event, [])).toBe(0);
    expect(door.channels.broadcast(event)).toBe(1);
  });

  test('counts for nothing where another watch took its place', () => {
    const { door, link, clock, watched, closes } = openLink({ principal: principal('alice', 1_060_000) });
    link.principal = principal('alice', 1_090_000);
    watchAuthority(door, link);
    expect(watched.size).toBe(1);
    clock.now = 1_060_000;
    watched.tick();
    expect(closes).toEqual([]);
    clock.now = 1_090_000;
    watched.tick();
    expect(closes).toEqual([[4401, 'authority-expired']]);
  });
});

describe('the session of a socket', () => {
  const settled = () => new Promise(setImmediate);

  test('that is used goes on, with the same seat and without a record', async () => {
    const later = sessionOf('alice', 1_090_000);
    const { door, link, clock, watched, records, closes } = openLink({
      principal: sessionOf('alice', 1_060_000),
      prolong: async ({ expiresAtMillis }) => (expiresAtMillis === 1_060_000 ? later : undefined),
    });
    const { seat } = link;
    clock.now = 1_060_000;
    watched.tick();
    await settled();
    expect([link.principal, link.seat, records, closes, watched.size]).toEqual([later, seat, [], [], 1]);
    expect(door.channels.send('demo|alice', event, [])).toBe(1);
    clock.now = 1_090_000;
    watched.tick();
    await settled();
    expect([door.channels.size, closes]).toEqual([0, [[4401, 'session-ended']]]);
    expect(records).toMatchObject([{ outcome: 'refused', reason: 'session-ended', owner: 'demo|alice' }]);
  });

  test('with other roles is in the cohort of those', async () => {
    const rollout: Rollout = {
      mode: 'enforce',
      cohorts: [{ name: 'pilots', mode: 'shadow', has: ({ roles }) => roles.includes('pilot') }],
    };
    const { door, clock, watched } = openLink({
      principal: sessionOf('alice', 1_060_000),
      prolong: () => sessionOf('alice', 1_090_000, ['pilot']),
      rollout,
    });
    expect(door.channels.broadcast(event)).toBe(0);
    clock.now = 1_060_000;
    watched.tick();
    expect(door.channels.broadcast(event)).toBe(1);
  });

  test('that is ended while it is asked about does not come back', async () => {
    const answer = Promise.withResolvers<Principal>();
    const { door, link, clock, watched, closes } = openLink({
      principal: sessionOf('alice', 1_060_000),
      prolong: () => answer.promise,
    });
    clock.now = 1_060_000;
    watched.tick();
    revoke(door, link, sessionOf('alice'));
    answer.resolve(sessionOf('alice', 1_090_000));
    await settled();
    expect([link.principal?.expiresAtMillis, closes]).toEqual([1_060_000, [[4401, 'session-ended']]]);
    expect(door.channels.send('demo|alice', event, [])).toBe(0);
  });

  test('leaves somebody unknown where that may go on, and why is recorded', async () => {
    const { door, clock, watched, records, closes } = openLink({
      principal: sessionOf('alice', 1_060_000),
      prolong: () => undefined,
      rollout: SHADOW,
    });
    clock.now = 1_060_000;
    watched.tick();
    expect([door.channels.send('demo|alice', event, []), closes]).toEqual([0, []]);
    expect(records).toMatchObject([{ outcome: 'allowed', findings: [{ reason: 'session-ended' }] }]);
  });
});

describe('a socket that waited for something', () => {
  test('ends at once when its token has expired by then, and once', async () => {
    const { door, link, clock, watched, closes, records } = openLink({ principal: principal('alice', 1_060_000) });
    clock.now = 1_059_999;
    await checkAuthority(door, link);
    expect([link.ended, closes]).toEqual([false, []]);
    clock.now = 1_060_000;
    await checkAuthority(door, link);
    watched.tick();
    expect([link.ended, closes]).toEqual([true, [[4401, 'authority-expired']]]);
    expect(records).toHaveLength(1);
  });

  test('goes on by its session, when that was used meanwhile', async () => {
    const later = sessionOf('alice', 1_090_000);
    const { door, link, clock, closes } = openLink({
      principal: sessionOf('alice', 1_060_000),
      prolong: async () => later,
    });
    clock.now = 1_060_000;
    await checkAuthority(door, link);
    expect([link.principal, closes]).toEqual([later, []]);
  });

  test('goes on when nobody knows whose it is', async () => {
    const { door, link } = openLink({ rollout: SHADOW });
    await checkAuthority(door, link);
    expect(link.ended).toBe(false);
  });
});

describe('a client that polls', () => {
  test('goes on by the later token that it has shown since, and ends with that', () => {
    const polled = { principal: principal('alice', 1_090_000), denial: undefined };
    const { clock, watched, closes } = openLink({ principal: principal('alice', 1_060_000), polled });
    clock.now = 1_060_000;
    watched.tick();
    expect([closes, watched.size]).toEqual([[], 1]);
    clock.now = 1_090_000;
    watched.tick();
    expect([closes, watched.size]).toEqual([[[4401, 'authority-expired']], 0]);
  });

  test.each([
    ['the same one', principal('alice', 1_060_000)],
    ['an earlier one', principal('alice', 1_050_000)],
    ['another’s', principal('bob', 1_090_000)],
    ['none', undefined],
  ])('ends when it has shown %s', (_, shown) => {
    const polled = { principal: shown, denial: undefined };
    const { clock, watched, closes } = openLink({ principal: principal('alice', 1_060_000), polled });
    clock.now = 1_060_000;
    watched.tick();
    expect(closes).toEqual([[4401, 'authority-expired']]);
  });
});

describe('a revocation', () => {
  test.each<[string, Rollout | undefined]>([
    ['in effect', undefined],
    ['in shadow', SHADOW],
  ])('ends the socket with 4401 where the policy is %s, and it hears nothing any more', (_, rollout) => {
    const { door, link, records, closes } = openLink({
      principal: principal('alice'),
      ...(rollout === undefined ? {} : { rollout }),
    });
    revoke(door, link, principal('alice'));
    expect([door.channels.send('demo|alice', event, []), door.channels.broadcast(event)]).toEqual([0, 0]);
    expect(closes).toEqual([[4401, 'token-revoked']]);
    expect(records).toMatchObject([{ outcome: 'refused', reason: 'token-revoked', owner: 'demo|alice' }]);
  });
});

describe('what an owner may have open', () => {
  test('counts a socket once, however often it becomes its owner’s, and no longer when it is closed', async () => {
    const { door, link, clock, watched, byOwner } = openLink({
      principal: principal('alice', 1_060_000),
      rollout: SHADOW,
      maxSocketsPerOwner: 2,
    });
    clock.now = 1_060_000;
    watched.tick();
    for (let i = 0; i < 5; i += 1) countFor(door, link, 'demo|alice');
    for (let i = 0; i < 5; i += 1) countFor(door, link, 'demo|bob');
    expect([byOwner.take('demo|alice'), byOwner.take('demo|alice')]).toEqual([true, false]);
    byOwner.give('demo|alice');
    const closed = new Promise((resolve) => link.duplex.once('close', () => resolve(undefined)));
    link.duplex.destroy();
    await closed;
    expect(byOwner.keys).toBe(0);
  });

  test('refuses one more than there may be', () => {
    const { door, link } = openLink({ rollout: SHADOW, maxSocketsPerOwner: 1 });
    door.byOwner.take('demo|alice');
    expect(() => countFor(door, link, 'demo|alice')).toThrow('sockets of owner demo|alice');
  });
});

describe('another rollout', () => {
  test('turns out who is unknown where the policy comes into effect, for the reason of its handshake', () => {
    const { door, link, clock, closes, records } = openLink({ rollout: SHADOW });
    clock.rollout = { mode: 'enforce', cohorts: [] };
    rejudge(door, link);
    expect(closes).toEqual([[4401, 'token-missing']]);
    expect(records).toMatchObject([{ reason: 'token-missing', detail: 'no token' }]);
  });

  test('moves everybody else', () => {
    const { door, link, clock, closes } = openLink({ principal: principal('alice') });
    expect(door.channels.broadcast(event)).toBe(0);
    clock.rollout = SHADOW;
    rejudge(door, link);
    expect([door.channels.broadcast(event), closes]).toEqual([1, []]);
  });

  test('says nothing of a socket that has ended', () => {
    const { door, link, clock, records } = openLink({ rollout: SHADOW });
    turnOut(door, link);
    clock.rollout = { mode: 'enforce', cohorts: [] };
    rejudge(door, link);
    expect(records).toHaveLength(1);
  });
});
