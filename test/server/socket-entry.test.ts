import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import type { Mode } from '../../src/model/mode.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { canonical } from '../../src/server/canonical.ts';
import { type Entry, type EntryOptions, enter, keep, rawRequest } from '../../src/server/socket-entry.ts';
import { decisions } from '../../src/server/socket-link.ts';
import { tally } from '../../src/server/socket-tally.ts';
import { socketRule } from '../support/session-events.ts';
import { identifyByTable } from '../support/socket-door.ts';

const raw = { method: 'GET', target: '/socket.io/', rawHeaders: ['host', 'a.example'], remoteAddress: '192.0.2.1' };
const request = canonical({ hosts: undefined, trustedProxies: [] })(raw);

const entryWith = (more: Partial<EntryOptions> = {}) => {
  const records: AuditRecord[] = [];
  const options: EntryOptions = {
    rule: socketRule,
    identify: identifyByTable(),
    inbound: inbound({ accept: socketRule.accept }),
    lifetime: lifetime(),
    ...more,
  };
  const record = decisions((one) => records.push(one), Date.now);
  const entry: Entry = { options, record, links: new Map(), byAddress: tally(1), closed: undefined, closing: false };
  return { entry, records };
};

const close = async (carrier: PassThrough): Promise<void> => {
  const closed = new Promise((resolve) => carrier.once('close', resolve));
  carrier.destroy();
  await closed;
};

test('counts what comes in by its address until it closes', async () => {
  const { entry } = entryWith();
  const [first, second] = [new PassThrough(), new PassThrough()];
  await enter(entry, request, first);
  await expect(enter(entry, request, second)).rejects.toMatchObject({ reason: 'sockets-limited', status: 429 });
  await close(first);
  await enter(entry, request, second);
  await close(second);
  expect(entry.byAddress.keys).toBe(0);
});

test.each([
  ['enforce', 'throws'],
  ['shadow', 'returns'],
  ['off', 'returns'],
] as const)('in the mode %s, %s the limit that refuses', async (mode: Mode, way) => {
  const limited = new Rejection('rate-limited', 'visitors');
  const { entry } = entryWith({
    rollout: () => ({ mode, cohorts: [] }),
    limit: () => {
      throw limited;
    },
  });
  const entered = enter(entry, request, new PassThrough());
  await (way === 'throws' ? expect(entered).rejects.toBe(limited) : expect(entered).resolves.toBe(limited));
});

test('lets nothing in that has gone before or meanwhile', async () => {
  const carrier = new PassThrough();
  const { entry } = entryWith({ limit: () => close(carrier) });
  await expect(enter(entry, request, carrier)).rejects.toMatchObject({ reason: 'client-gone' });
  await expect(enter(entry, request, carrier)).rejects.toMatchObject({ reason: 'client-gone' });
  expect(entry.byAddress.keys).toBe(0);
});

test('knows a link until what carries it closes, and tells of one that never opened', async () => {
  const { entry, records } = entryWith();
  let closed = 0;
  entry.closed = () => void closed++;
  const [opened, never] = [new PassThrough(), new PassThrough()];
  const incoming = [{}, {}] as const;
  const link = keep(entry, incoming[0], { request, limited: undefined, duplex: opened });
  keep(entry, incoming[1], { request, limited: undefined, duplex: never });
  link.conn = { request: {}, transport: { name: 'websocket' }, write: () => 0, on: () => 0, close: () => undefined };
  expect(entry.links.get(incoming[0])).toBe(link);
  await close(opened);
  expect([entry.links.size, records.length, closed]).toEqual([1, 0, 0]);
  await close(never);
  expect([entry.links.size, closed]).toEqual([0, 1]);
  expect(records).toMatchObject([{ outcome: 'refused', reason: 'request-malformed', address: '192.0.2.1' }]);
});

test('takes from a message what was on the wire', () => {
  const { method, rawHeaders, remoteAddress } = raw;
  const message = { method, url: raw.target, rawHeaders, socket: { remoteAddress } } as unknown as IncomingMessage;
  expect(rawRequest(message)).toEqual(raw);
});
