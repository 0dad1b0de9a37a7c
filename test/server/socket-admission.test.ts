import { PassThrough } from 'node:stream';
import type { Socket } from 'socket.io';
import { expect, test } from 'vitest';
import type { AuditRecord } from '../../src/model/audit.ts';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import type { SocketRule } from '../../src/model/event.ts';
import type { Mode } from '../../src/model/mode.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { CanonicalRequest } from '../../src/model/request.ts';
import { inbound } from '../../src/realtime/inbound.ts';
import { lifetime } from '../../src/realtime/lifetime.ts';
import { canonical } from '../../src/server/canonical.ts';
import { admit } from '../../src/server/socket-admission.ts';
import { ownerChannels } from '../../src/server/socket-channels.ts';
import type { Door } from '../../src/server/socket-door.ts';
import { decisions, denialOf, type Link, type Polled } from '../../src/server/socket-link.ts';
import { tally } from '../../src/server/socket-tally.ts';
import { pollingRule } from '../support/session-events.ts';
import { identifyByTable, principal, sessionOf, until } from '../support/socket-door.ts';

interface Circumstances {
  readonly auth?: unknown;
  readonly authorization?: string;
  /** The value of the session cookie. */
  readonly cookie?: string;
  readonly polled?: Polled;
  readonly mode?: Mode;
  readonly rule?: SocketRule;
  readonly whileVerifying?: (duplex: PassThrough) => void;
  readonly isRevoked?: Door['isRevoked'];
}

const sessions = new Map([
  ['hers', sessionOf('alice')],
  ['his', sessionOf('bob')],
  ['over', sessionOf('alice', 1)],
]);

const alice: Polled = { principal: principal('alice'), denial: undefined };
const byCookie: Polled = { principal: sessionOf('alice'), denial: undefined };
const nobody: Polled = { principal: undefined, denial: denialOf(new Rejection('token-signature', 'forged')) };

/** Resolves with what became of a link that wants in. */
const come = async (circumstances: Circumstances) => {
  const { auth, authorization, cookie, polled, mode = 'enforce', rule, whileVerifying, isRevoked } = circumstances;
  const records: AuditRecord[] = [];
  const duplex = new PassThrough();
  const rawHeaders = ['host', 'a.example'];
  if (authorization !== undefined) rawHeaders.push('authorization', authorization);
  if (cookie !== undefined) rawHeaders.push('cookie', `${SESSION_COOKIE}=${cookie}`);
  const raw = { method: 'GET', target: '/socket.io/', rawHeaders, remoteAddress: '192.0.2.1' };
  const link: Link = {
    request: canonical({ hosts: undefined, trustedProxies: [] })(raw),
    duplex,
    polled,
    judge: inbound({ accept: new Map() })(),
    startedMillis: 0,
    conn: undefined,
    peer: undefined,
    principal: undefined,
    seat: undefined,
    limited: undefined,
    denials: [],
    unwatch: undefined,
    ended: false,
  };
  const byOwner = tally(1);
  const options = {
    rule: rule ?? pollingRule,
    async identify(asked: CanonicalRequest, token: string | undefined): Promise<Principal | undefined> {
      whileVerifying?.(duplex);
      return identifyByTable(undefined, sessions)(asked, token);
    },
    inbound: inbound({ accept: new Map() }),
    lifetime: lifetime(),
  };
  const record = decisions((one) => records.push(one), Date.now);
  const door: Door = {
    ...{ options, record, channels: ownerChannels(), byOwner, now: Date.now, modeOf: () => mode },
    isRevoked: isRevoked ?? (() => false),
  };
  let told: (Error & { data?: unknown }) | undefined;
  const socket = { handshake: { auth } } as unknown as Socket;
  await admit(door, { link, socket }, (error) => (told = error));
  return { link, told, records, duplex, byOwner };
};

test.each([
  ['a token in `auth`', { auth: { token: 'alice-token' } }],
  ['a token in the header', { authorization: 'Bearer alice-token' }],
  ['her cookie', { cookie: 'hers' }],
  ['her token and her cookie', { auth: { token: 'alice-token' }, cookie: 'hers' }],
  ['her token and a cookie that opens nothing', { auth: { token: 'alice-token' }, cookie: 'ended' }],
  ['an empty token and her cookie', { auth: { token: '' }, cookie: 'hers' }],
  ['a session of hers', { polled: alice }],
  ['a session that her cookie opened', { polled: byCookie, cookie: 'hers' }],
  [
    'a session that her cookie opened and her token',
    { polled: byCookie, cookie: 'hers', auth: { token: 'alice-token' } },
  ],
  ['a session of hers and her token in `auth`', { polled: alice, auth: { token: 'alice-token' } }],
  ['a session of hers, whatever header opened it', { polled: alice, authorization: 'Bearer long-gone' }],
])('lets Alice in by %s', async (_, circumstances) => {
  const { link, told, byOwner } = await come(circumstances);
  expect([told, link.principal?.owner, byOwner.keys]).toEqual([undefined, 'demo|alice', 1]);
});

test.each<[string, Circumstances, string]>([
  ['nothing', {}, 'token-missing'],
  ['a forged token', { auth: { token: 'forged' } }, 'token-signature'],
  ['a forged token beside her cookie', { auth: { token: 'forged' }, cookie: 'hers' }, 'token-signature'],
  ['her token beside his cookie', { auth: { token: 'alice-token' }, cookie: 'his' }, 'credentials-differ'],
  ['a cookie that opens nothing', { cookie: 'ended' }, 'session-ended'],
  ['a cookie of a session that is over by then', { cookie: 'over' }, 'session-ended'],
  [
    'another’s token in a session that her cookie opened',
    { polled: byCookie, cookie: 'hers', auth: { token: 'bob-token' } },
    'credentials-differ',
  ],
  [
    'a session whose cookie has ended',
    { polled: { principal: sessionOf('alice', 1), denial: undefined } },
    'session-ended',
  ],
  ['a token that is revoked meanwhile', { auth: { token: 'alice-token' }, isRevoked: () => true }, 'token-revoked'],
  ['a session that is ended meanwhile', { cookie: 'hers', isRevoked: () => true }, 'session-ended'],
  ['a session that is nobody’s', { polled: nobody }, 'token-signature'],
  [
    'a session that is nobody’s and a good token',
    { polled: nobody, auth: { token: 'alice-token' } },
    'token-signature',
  ],
  ['another’s token in her session', { polled: alice, auth: { token: 'bob-token' } }, 'token-other-owner'],
  ['a forged token in her session', { polled: alice, auth: { token: 'forged' } }, 'token-signature'],
  ['no text in her session', { polled: alice, auth: { token: 7 } }, 'token-malformed'],
  [
    'a session whose token has expired',
    { polled: { principal: principal('alice', 1), denial: undefined } },
    'token-expired',
  ],
])('refuses %s with a code, and ends the transport', async (_, circumstances, code) => {
  const { link, told, records, byOwner } = await come(circumstances);
  expect(told?.data).toEqual({ code, message: told?.message });
  expect(records).toMatchObject([{ outcome: 'refused', reason: code }]);
  await until(() => link.ended);
  expect([link.principal, byOwner.keys]).toEqual([undefined, 0]);
});

test('the token’s is the authority where a cookie stands beside it', async () => {
  const { link } = await come({ auth: { token: 'alice-token' }, cookie: 'hers' });
  expect(link.principal?.sessionId).toBeUndefined();
  expect((await come({ cookie: 'hers' })).link.principal?.sessionId).toBe('session of alice');
});

test('where `auth` is no place for a token, another’s there changes nothing', async () => {
  const rule: SocketRule = { ...pollingRule, credentials: new Set(['header']) };
  const { link } = await come({ polled: alice, auth: { token: 'bob-token' }, rule });
  expect(link.principal?.owner).toBe('demo|alice');
});

test.each([
  ['a session that is nobody’s', { polled: nobody, auth: { token: 'alice-token' } }, 'token-signature'],
  ['another’s token in her session', { polled: alice, auth: { token: 'bob-token' } }, 'token-other-owner'],
])('in shadow, %s is somebody unknown’s, and why is kept', async (_, circumstances, reason) => {
  const { link, told, byOwner } = await come({ ...circumstances, mode: 'shadow' });
  expect([told, link.principal, byOwner.keys]).toEqual([undefined, undefined, 0]);
  expect(link.denials).toMatchObject([{ would: 'deny', reason }]);
});

test('gives back what was counted when the link closes', async () => {
  const { duplex, byOwner } = await come({ polled: alice });
  duplex.destroy();
  await until(() => byOwner.keys === 0);
});

test('lets nobody in who has gone meanwhile', async () => {
  const whileVerifying = (duplex: PassThrough): void => void duplex.destroy();
  const { link, told, byOwner } = await come({ auth: { token: 'alice-token' }, whileVerifying });
  expect([told?.message, link.principal, byOwner.keys]).toEqual(['gone', undefined, 0]);
});
