/** One open socket with all its real parts but the library and the network: what it is sent, and how it is closed. */
import { PassThrough } from 'node:stream';
import type { AuditRecord } from '../../src/model/audit.ts';
import { ENFORCED, modeFor, type Rollout } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { type LifetimeOptions, lifetime } from '../../src/realtime/lifetime.ts';
import { canonical } from '../../src/server/canonical.ts';
import { watchAuthority } from '../../src/server/socket-authority.ts';
import { ownerChannels } from '../../src/server/socket-channels.ts';
import type { Door, SocketLifeOptions } from '../../src/server/socket-door.ts';
import { type Conn, decisions, type Link, type Polled } from '../../src/server/socket-link.ts';
import { peer } from '../../src/server/socket-peer.ts';
import { tally } from '../../src/server/socket-tally.ts';
import { socketRule } from './session-events.ts';
import { identifyByTable } from './socket-door.ts';

const SLOT = 100;

export interface OpenLinkOptions {
  readonly principal?: Principal | undefined;
  readonly polled?: Polled;
  readonly identify?: SocketLifeOptions['identify'];
  readonly rollout?: Rollout;
  readonly prolong?: LifetimeOptions['prolong'];
  readonly maxSocketsPerOwner?: number;
}

/** At the time 1,000,000, which goes on when it is told to. */
export const openLink = (options: OpenLinkOptions = {}) => {
  const { principal, polled, identify = identifyByTable(), maxSocketsPerOwner = 50 } = options;
  const clock = { now: 1_000_000, rollout: options.rollout ?? ENFORCED };
  const records: AuditRecord[] = [];
  const lags: number[] = [];
  const watched = lifetime({
    ...{ now: () => clock.now, slotMillis: SLOT, late: (millis) => lags.push(millis) },
    ...(options.prolong && { prolong: options.prolong }),
  });
  const byOwner = tally(maxSocketsPerOwner);
  const door: Door = {
    record: decisions(
      (record) => records.push(record),
      () => clock.now,
    ),
    channels: ownerChannels(),
    byOwner,
    options: { rule: socketRule, identify, inbound: inbound({ accept: socketRule.accept }), lifetime: watched },
    now: () => clock.now,
    modeOf: (caller) => modeFor(clock.rollout, caller),
    isRevoked: () => false,
  };
  const raw = { method: 'GET', target: '/socket.io/', rawHeaders: ['host', 'a.example'], remoteAddress: '192.0.2.1' };
  const { conn, sent, closes } = connection();
  const slow = (): void => undefined;
  const link: Link = {
    request: canonical({ hosts: undefined, trustedProxies: [] })(raw),
    duplex: new PassThrough(),
    ...(polled === undefined ? {} : { polled }),
    judge: door.options.inbound(),
    startedMillis: clock.now,
    conn,
    peer: peer({ wire: conn, maxWaitingBytes: 1e9, maxWaitingPackets: 1e9, slow }),
    principal,
    seat: undefined,
    limited: undefined,
    denials: principal === undefined ? [{ would: 'deny', reason: 'token-missing', detail: 'no token' }] : [],
    unwatch: undefined,
    ended: false,
  };
  if (principal !== undefined) {
    byOwner.take(principal.owner);
    link.duplex.once('close', () => byOwner.give(principal.owner));
  }
  if (link.peer !== undefined) link.seat = door.channels.add(link.peer, principal?.owner, door.modeOf(principal));
  watchAuthority(door, link);
  return { door, link, clock, records, lags, watched, sent, closes, byOwner };
};

/** What Engine.IO has, as far as it is used: it takes everything at once. */
const connection = () => {
  const sent: string[] = [];
  const closes: Array<readonly [code: number | undefined, reason: string | undefined]> = [];
  const socket = {
    close: (code?: number, reason?: string): void => void closes.push([code, reason]),
    on: () => undefined,
    prependListener: () => undefined,
  };
  const conn: Conn = {
    transport: { name: 'websocket', socket },
    request: {},
    write(_text, wire, taken) {
      const { wsPreEncodedFrame: parts } = wire as { wsPreEncodedFrame: [Buffer, Buffer] };
      sent.push(parts[1].toString().slice(1));
      taken?.();
    },
    on: () => undefined,
    close: () => socket.close(),
  };
  return { conn, sent, closes };
};
