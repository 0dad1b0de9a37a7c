import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { canonical } from '../../src/server/canonical.ts';
import { eventFrame } from '../../src/server/socket-frame.ts';
import {
  cutLink,
  decisions,
  denialOf,
  endLink,
  type Link,
  rejectionOf,
  type WebSocketEnd,
} from '../../src/server/socket-link.ts';
import { peer } from '../../src/server/socket-peer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const raw = { method: 'GET', target: '/socket.io/', rawHeaders: ['host', 'a.example'], remoteAddress: '192.0.2.1' };

const link = (more: Partial<typeof raw> = {}) => {
  const closes: unknown[] = [];
  const listeners = new Map<string, (data: { length: number }) => void>();
  const socket: WebSocketEnd = {
    close: (...said) => void closes.push(said),
    on: (event, listener) => listeners.set(event, listener),
    prependListener: () => undefined,
  };
  const conn = {
    transport: { name: 'websocket', socket },
    request: {},
    write: (_data: unknown, _options: object, taken?: () => void) => void writes.push(taken),
    on: () => undefined,
    close(discard?: boolean) {
      closes.push(discard ? 'discarded' : 'closed');
      socket.close();
    },
  };
  const writes: Array<(() => void) | undefined> = [];
  const slow = (): void => undefined;
  const opened: Link = {
    request: canonical({ hosts: undefined, trustedProxies: [] })({ ...raw, ...more }),
    duplex: new PassThrough(),
    judge: inbound({ accept: new Map() })(),
    startedMillis: 500,
    conn,
    peer: peer({ wire: conn, maxWaitingBytes: 1e9, maxWaitingPackets: 1e9, slow }),
    principal: undefined,
    seat: undefined,
    limited: undefined,
    denials: [],
    unwatch: undefined,
    ended: false,
  };
  return { link: opened, closes, writes, listeners };
};

const MEGABYTE = eventFrame('e', ['x'.repeat(1 << 20)]);

test('an end closes once and gracefully, then destroys a connection that does not answer', () => {
  const { link: one, closes } = link();
  endLink(one, 'authority-expired');
  endLink(one);
  expect(closes).toEqual(['closed', [4401, 'authority-expired']]);
  expect(one.duplex.destroyed).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(one.duplex.destroyed).toBe(true);
});

test('an end leaves no timer when the connection closes in time, or has closed', async () => {
  const { link: one } = link();
  endLink(one);
  const closed = new Promise((resolve) => one.duplex.once('close', () => resolve(undefined)));
  one.duplex.destroy();
  await closed;
  expect(vi.getTimerCount()).toBe(0);
  const { link: other } = link();
  other.duplex.destroy();
  endLink(other);
  expect(vi.getTimerCount()).toBe(0);
});

test('an end throws away what waits, but a restart closes behind it', () => {
  const [ended, restarted] = [link(), link()];
  for (const { link: one } of [ended, restarted]) for (let i = 0; i < 2; i += 1) one.peer?.send(MEGABYTE);
  endLink(ended.link, 'token-revoked');
  endLink(restarted.link, 'shutting-down');
  expect(ended.closes).toHaveLength(2);
  expect(restarted.closes).toEqual([]);
  ended.writes[0]?.();
  restarted.writes[0]?.();
  expect([ended.writes.length, restarted.writes.length]).toEqual([1, 2]);
  expect(restarted.closes).toEqual(['closed', [1012, 'shutting-down']]);
});

test('a cut throws away what waits, closes behind what is on its way, and destroys soon', () => {
  const { link: one, closes, writes } = link();
  for (let i = 0; i < 2; i += 1) one.peer?.send(MEGABYTE);
  cutLink(one, 'packet-invalid');
  expect(closes).toEqual(['discarded', [4400, 'packet-invalid']]);
  writes[0]?.();
  expect([writes.length, one.duplex.destroyed]).toEqual([1, false]);
  vi.advanceTimersByTime(2_000);
  expect(one.duplex.destroyed).toBe(true);
});

test('a cut destroys at once who goes on talking, and who was sent away already', () => {
  const { link: one, listeners } = link();
  cutLink(one, 'rate-limited');
  listeners.get('message')?.({ length: 60_000 });
  listeners.get('ping')?.({ length: 0 });
  expect(one.duplex.destroyed).toBe(false);
  listeners.get('message')?.({ length: 10_000 });
  expect(one.duplex.destroyed).toBe(true);
  const { link: other } = link();
  endLink(other, 'authority-expired');
  cutLink(other, 'rate-limited');
  expect(other.duplex.destroyed).toBe(true);
});

test('a record says who, from where, how long and why', () => {
  const records: AuditRecord[] = [];
  const record = decisions(
    (one) => records.push(one),
    () => 2_500,
  );
  const { link: one } = link();
  record.link(one, { outcome: 'refused', reason: 'authority-expired', detail: 'd' });
  record.refused(raw, undefined, { rejection: new Rejection('shutting-down', 'bye'), id: 'r1' });
  expect(records).toMatchObject([
    { time: '1970-01-01T00:00:02.500Z', kind: 'socket', path: '/socket.io/', address: '192.0.2.1', millis: 2_000 },
    { requestId: 'r1', outcome: 'failed', reason: 'shutting-down', status: 503, address: '192.0.2.1', path: undefined },
  ]);
});

test('a record outside of enforce says its mode, what was found, and which client it was', () => {
  const records: AuditRecord[] = [];
  const record = decisions(
    (one) => records.push(one),
    () => 2_500,
  );
  const { link: one } = link({ rawHeaders: ['host', 'a.example', 'user-agent', `é${'x'.repeat(200)}`] });
  const findings = [denialOf(new Rejection('token-missing', 'd'))];
  record.link(one, { outcome: 'allowed', mode: 'shadow', findings });
  record.link(one, { outcome: 'allowed', mode: 'off', findings });
  record.link(one, { outcome: 'allowed', mode: 'enforce', findings: [] });
  const [shadow, off, enforced] = records;
  const client = `?${'x'.repeat(119)}`;
  expect(shadow).toMatchObject({ mode: 'shadow', client, findings: [{ would: 'deny', reason: 'token-missing' }] });
  expect(off).toMatchObject({ mode: 'off', client });
  expect(Object.keys(off ?? {})).not.toContain('findings');
  for (const key of ['mode', 'client', 'findings']) expect(Object.keys(enforced ?? {})).not.toContain(key);
});

test('whatever is thrown becomes a refusal, and what nobody foresaw an internal error', () => {
  const refused = new Rejection('token-missing', 'd');
  expect(rejectionOf(refused)).toBe(refused);
  expect(rejectionOf(new Error('x'))).toMatchObject({ reason: 'internal-error', status: 500 });
});
