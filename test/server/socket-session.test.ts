import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Rejection } from '../../src/model/rejection.ts';
import type { Authorised } from '../../src/server/socket-door.ts';
import { denialOf } from '../../src/server/socket-link.ts';
import { type Caller, pollingSession, type SessionConn } from '../../src/server/socket-session.ts';
import { principal } from '../support/socket-door.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const alice: Caller = { principal: principal('alice', 1_000) };
const bob: Caller = { principal: principal('bob', 1_000) };
const nobody: Caller = { denial: denialOf(new Rejection('token-missing', 'd')) };
const other: Caller = { denial: denialOf(new Rejection('token-signature', 'd')) };

const begin = (name = 'polling') => {
  const watches: Array<[number, boolean]> = [];
  const told: Authorised[] = [];
  const expired = vi.fn();
  const session = pollingSession({
    watch({ expiresAtMillis }, authorised) {
      told.push(authorised);
      const watch: [number, boolean] = [expiresAtMillis, true];
      watches.push(watch);
      return () => {
        watch[1] = false;
      };
    },
    expired,
  });
  const closes: Array<boolean | undefined> = [];
  const transport: SessionConn['transport'] = { name };
  const conn = Object.assign(new EventEmitter(), {
    id: 'sid',
    transport,
    close(discard?: boolean) {
      closes.push(discard);
      conn.emit('close');
    },
  });
  const closed = vi.fn();
  session.once('close', closed);
  return { session, conn, closes, closed, watches, told, expired, transport };
};

const ask = (method: string) => {
  const outgoing = Object.assign(new EventEmitter(), { destroy: vi.fn() });
  return { incoming: { method } as IncomingMessage, outgoing: outgoing as unknown as ServerResponse & typeof outgoing };
};

test('is of who opened it, and of nobody else', () => {
  const { session } = begin();
  const { incoming, outgoing } = ask('GET');
  session.carry(incoming, outgoing, alice);
  expect([session.isOf(alice), session.isOf(bob), session.isOf(nobody)]).toEqual([true, false, false]);
  expect([session.principal, session.denial]).toEqual(['principal' in alice && alice.principal, undefined]);
});

test('that nobody opened is nobody’s, whatever made them nobody', () => {
  const { session } = begin();
  const { incoming, outgoing } = ask('GET');
  session.carry(incoming, outgoing, nobody);
  expect([session.isOf(other), session.isOf(alice)]).toEqual([true, false]);
  expect([session.principal, session.denial?.reason]).toEqual([undefined, 'token-missing']);
});

test('closes once, when engine.io and the WebSocket have both closed', () => {
  const { session, conn, closed } = begin();
  session.opened(conn);
  const socket = new PassThrough();
  session.upgrade(socket, alice);
  conn.emit('upgrade');
  conn.emit('close');
  expect([closed.mock.calls.length, session.isPolling]).toEqual([0, false]);
  socket.emit('close');
  session.destroy();
  expect([closed.mock.calls.length, session.destroyed]).toEqual([1, true]);
});

test('that is destroyed takes everything with it', () => {
  const { session, conn, closes, closed, watches } = begin();
  const { incoming, outgoing } = ask('GET');
  session.carry(incoming, outgoing, alice);
  session.opened(conn);
  const socket = new PassThrough();
  session.upgrade(socket, alice);
  session.destroy();
  socket.emit('close');
  expect([closes, socket.destroyed, closed.mock.calls.length, watches]).toEqual([[true], true, 1, [[1_000, false]]]);
});

test('that is destroyed before engine.io has it closes what comes late', () => {
  const { session, conn, closes, closed } = begin();
  session.destroy();
  expect(closed).toHaveBeenCalledTimes(1);
  session.opened(conn);
  expect([closes, session.isOpen]).toEqual([[true], false]);
});

test('takes one request of a kind at a time, until its answer is read', () => {
  const { session } = begin();
  const [first, second, third] = [ask('GET'), ask('GET'), ask('POST')];
  session.carry(first.incoming, first.outgoing, alice);
  session.carry(third.incoming, third.outgoing, alice);
  expect(() => session.carry(second.incoming, second.outgoing, alice)).toThrow(
    expect.objectContaining({ reason: 'session-busy' }),
  );
  first.outgoing.emit('finish');
  session.carry(second.incoming, second.outgoing, alice);
  // What is heard late of the first is not about the second.
  first.outgoing.emit('close');
  expect(() => session.carry(first.incoming, first.outgoing, alice)).toThrow(Rejection);
});

test('takes one WebSocket at a time, and another when it has failed', () => {
  const { session } = begin();
  const [first, second] = [new PassThrough(), new PassThrough()];
  session.upgrade(first, alice);
  expect(() => session.upgrade(second, alice)).toThrow(expect.objectContaining({ reason: 'session-busy' }));
  first.emit('close');
  session.upgrade(second, alice);
});

test('watches the authority of its last request, and none when it is a WebSocket', () => {
  const { session, conn, watches, told, expired } = begin();
  const come = (caller: Caller) => {
    const { incoming, outgoing } = ask('POST');
    session.carry(incoming, outgoing, caller);
    outgoing.emit('finish');
  };
  come(alice);
  come(alice);
  session.opened(conn);
  expect(watches).toEqual([[1_000, true]]);
  come({ principal: principal('alice', 2_000) });
  expect(watches).toEqual([
    [1_000, false],
    [2_000, true],
  ]);
  told[1]?.ended('authority-expired');
  expect(expired.mock.calls).toEqual([['authority-expired']]);
  conn.emit('upgrade');
  expect(watches.map(([, isOn]) => isOn)).toEqual([false, false]);
});

test('whose authority is prolonged is of the same owner still, by what that is now', () => {
  const { session, watches, told } = begin();
  const { incoming, outgoing } = ask('POST');
  session.carry(incoming, outgoing, alice);
  outgoing.emit('finish');
  const later = principal('alice', 3_000);
  told[0]?.prolonged(later);
  expect([session.principal, session.isOf(alice), watches]).toEqual([later, true, [[1_000, true]]]);
  session.carry(incoming, outgoing, { principal: principal('alice', 3_000) });
  expect(watches).toEqual([[1_000, true]]);
});

test('that is over cuts an answer that is not read, leaves one that is, and no timer', () => {
  const { session, conn } = begin();
  const [poll, data] = [ask('GET'), ask('POST')];
  session.carry(poll.incoming, poll.outgoing, alice);
  session.carry(data.incoming, data.outgoing, alice);
  session.opened(conn);
  conn.emit('close');
  data.outgoing.emit('finish');
  vi.advanceTimersByTime(2_000);
  expect([poll.outgoing.destroy.mock.calls.length, data.outgoing.destroy.mock.calls.length]).toEqual([1, 0]);
  expect(vi.getTimerCount()).toBe(0);
});

test('does not let engine.io hold for half a minute what is closing, nor say a last word', () => {
  const { session, conn, transport } = begin();
  const encoded: unknown[] = [];
  transport.parser = { encodePayload: (packets) => void encoded.push(...packets) };
  session.opened(conn);
  expect(transport.closeTimeout).toBe(2_000);
  transport.parser?.encodePayload([{ type: 'message' }, { type: 'close' }], () => undefined);
  expect(encoded).toEqual([{ type: 'message' }, { type: 'noop' }]);
});
