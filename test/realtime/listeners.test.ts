import { expect, test } from 'vitest';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { listeners } from '../../src/realtime/listeners.ts';
import { principal } from '../support/socket-door.ts';

const register = () => {
  const clock = { now: 0 };
  const watched = lifetime({ now: () => clock.now, slotMillis: 100 });
  const ended: string[] = [];
  const how: string[] = [];
  const open = listeners(watched);
  return {
    open,
    ended,
    how,
    watched,
    add: (user: string, until = 1_000_000) =>
      open.add(principal(user, until), (reason) => {
        ended.push(user);
        how.push(reason);
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
