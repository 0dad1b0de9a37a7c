import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { canonical } from '../../src/server/canonical.ts';
import { cutLink, decisions, denialOf, endLink, type Link, rejectionOf } from '../../src/server/socket-link.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const raw = { method: 'GET', target: '/socket.io/', rawHeaders: ['host', 'a.example'], remoteAddress: '192.0.2.1' };

const link = (more: Partial<typeof raw> = {}) => {
  const closes: Array<boolean | undefined> = [];
  const conn = {
    request: {},
    write: () => undefined,
    on: () => undefined,
    close: (discard?: boolean) => void closes.push(discard),
  };
  const opened: Link = {
    request: canonical({ hosts: undefined, trustedProxies: [] })({ ...raw, ...more }),
    duplex: new PassThrough(),
    judge: inbound({ accept: new Map() })(),
    startedMillis: 500,
    conn,
    peer: undefined,
    principal: undefined,
    seat: undefined,
    limited: undefined,
    denials: [],
    ended: false,
  };
  return { link: opened, closes };
};

test('an end closes once and gracefully, then destroys a connection that does not answer', () => {
  const { link: one, closes } = link();
  endLink(one);
  endLink(one);
  expect(closes).toEqual([undefined]);
  expect(one.duplex.destroyed).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(one.duplex.destroyed).toBe(true);
});

test('an end leaves no timer when the connection closes in time', async () => {
  const { link: one } = link();
  endLink(one);
  const closed = new Promise((resolve) => one.duplex.once('close', resolve));
  one.duplex.destroy();
  await closed;
  expect(vi.getTimerCount()).toBe(0);
});

test('a cut throws away what waits and destroys at once', () => {
  const { link: one, closes } = link();
  cutLink(one);
  expect(closes).toEqual([true]);
  expect(one.duplex.destroyed).toBe(true);
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
