import { expect, test } from 'vitest';
import { type LifetimeOptions, lifetime } from '../../src/realtime/lifetime.ts';
import { listeners } from '../../src/realtime/listeners.ts';
import { principal, sessionOf } from '../support/socket-door.ts';

const register = (options: LifetimeOptions = {}) => {
  const clock = { now: 0 };
  const watched = lifetime({ now: () => clock.now, slotMillis: 100, ...options });
  const ended: string[] = [];
  const how: string[] = [];
  const open = listeners(watched);
  return {
    open,
    ended,
    how,
    watched,
    add: (user: string, until = 1_000_000, one = principal(user, until)) =>
      open.add(one, {
        prolonged: ({ roles }) => how.push(`prolonged as ${roles}`),
        ended(reason) {
          ended.push(user);
          how.push(reason);
        },
      }),
    at(millis: number) {
      clock.now = millis;
      watched.tick();
    },
  };
};

test('a listener is ended once, with its authority', () => {
  const { add, at, ended, how, open } = register();
  add('alice', 1_000);
  add('bob', 2_000);
  at(1_000);
  at(1_500);
  expect([ended, how, open.size]).toEqual([['alice'], ['authority-expired'], 1]);
});

test('those of some principals can be ended before, and are not ended again', () => {
  const { add, at, ended, how, open, watched } = register();
  add('alice', 1_000);
  add('alice', 3_000);
  add('bob', 3_000);
  expect(open.end(({ user }) => user === 'alice')).toBe(2);
  at(1_000);
  expect([ended, open.size, watched.size]).toEqual([['alice', 'alice'], 1, 1]);
  expect(how).toEqual(['token-revoked', 'token-revoked']);
});

test('one that left is not ended, however often it leaves', () => {
  const { add, at, ended, open, watched } = register();
  const leave = add('alice', 1_000);
  leave();
  leave();
  at(2_000);
  expect([ended, open.size, watched.size, open.end(() => true)]).toEqual([[], 0, 0, 0]);
});

test('one whose principal was revoked before it began is ended as it begins', () => {
  const { add, ended, open, watched } = register();
  open.end(({ user }) => user === 'alice');
  add('bob');
  add('alice')();
  expect([ended, open.size, watched.size]).toEqual([['alice'], 1, 1]);
});

test('one whose authority is prolonged goes on, and is ended by what it is from then on', () => {
  const { add, at, open, how } = register({ prolong: () => sessionOf('alice', 3_000, ['staff']) });
  add('alice', 0, sessionOf('alice', 1_000));
  at(1_000);
  expect([how, open.size]).toEqual([['prolonged as staff'], 1]);
  expect(open.end(({ roles }) => roles.includes('staff'))).toBe(1);
  expect([how, open.size]).toEqual([['prolonged as staff', 'session-ended'], 0]);
});

test('one of a session that is over, or was taken back, is told that the session has ended', () => {
  const { add, at, open, how } = register();
  add('alice', 0, sessionOf('alice', 1_000));
  add('bob', 0, sessionOf('bob', 9_000));
  at(1_000);
  open.end(({ user }) => user === 'bob');
  expect(how).toEqual(['session-ended', 'session-ended']);
});
