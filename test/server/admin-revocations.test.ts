import { afterEach, describe, expect, test } from 'vitest';
import { openRevocations } from '../../src/authn/revocation.ts';
import { parseStrictJson } from '../../src/body/json.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { AdminRevocations } from '../../src/server/admin-revocations.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { ADMIN_TOKEN, type AdminCall, BEARER, openAdminDoor } from '../support/admin-door.ts';

let door: Awaited<ReturnType<typeof openAdminDoor>>;
afterEach(() => door.close());

const NOW = Date.UTC(2026, 10, 1);

const open = async (more: Partial<AdminRevocations> = {}) => {
  const records: AuditRecord[] = [];
  const revocations = await openRevocations({ store: memoryRevocations(() => NOW), now: () => NOW });
  revocations.onRevoked(() => 2);
  door = await openAdminDoor({
    revocations: {
      host: 'admin.internal',
      token: ADMIN_TOKEN,
      issuers: ['corp'],
      list: revocations.list,
      add: revocations.add,
      remove: revocations.remove,
      readJson: parseStrictJson,
      onDecision: (record) => records.push(record),
      now: () => NOW,
      ...more,
    },
  });
  const call = (one: AdminCall) => door.call({ path: '/revocations', headers: BEARER, ...one });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    call({ method: 'POST', body, headers: { ...BEARER, 'content-type': 'application/json', ...headers } });
  return { call, post, records, revocations };
};

const UNTIL = '2026-11-02T00:00:00.000Z';

describe('a revocation', () => {
  test('is made, and answered with the entry and with the number of sockets that ended', async () => {
    const { post, revocations } = await open();
    const answer = await post({ user: 'corp|alice', until: UNTIL, note: 'left' });
    const [made] = revocations.list();
    expect(answer).toMatchObject({ status: 201, headers: { location: `/revocations/${made?.id}` } });
    expect(answer.body).toEqual({
      ended: 2,
      revocation: {
        ...{ id: made?.id, by: 'user', user: 'corp|alice' },
        ...{ madeAt: '2026-11-01T00:00:00.000Z', until: UNTIL, note: 'left' },
      },
    });
    expect(made).toMatchObject({ by: 'user', issuer: 'corp', user: 'alice' });
  });

  test('of a session names the session, and nobody', async () => {
    const { call, post, records } = await open();
    const session = '0123456789abcdef01234567';
    const answer = await post({ session, until: UNTIL });
    const terms = { madeAt: '2026-11-01T00:00:00.000Z', until: UNTIL, note: null };
    const told = { id: expect.any(String), by: 'session', session, ...terms };
    expect(answer).toMatchObject({ status: 201, body: { ended: 2, revocation: told } });
    expect((await call({})).body).toEqual({ revocations: [told] });
    expect(records[0]?.detail).toMatch(new RegExp(`^revoked session ${session} until `));
  });

  test('is listed with the others, and taken back by its id', async () => {
    const { call, post } = await open();
    expect((await call({})).body).toEqual({ revocations: [] });
    const terms = { id: expect.any(String), madeAt: expect.any(String), until: null, note: null };
    const made = await post({ token: 't1', issuer: 'corp' });
    await post({ issuedBefore: '2026-10-01T00:00:00Z' });
    const token = { by: 'token', issuer: 'corp', token: 't1', ...terms };
    const before = { by: 'issued-before', issuer: null, issuedBefore: '2026-10-01T00:00:00.000Z', ...terms };
    expect((await call({})).body).toEqual({ revocations: expect.arrayContaining([token, before]) });
    const { id } = (made.body as { revocation: { id: string } }).revocation;
    expect(await call({ method: 'DELETE', path: `/revocations/${id}` })).toMatchObject({
      status: 200,
      body: { revocation: token },
    });
    expect((await call({})).body).toEqual({ revocations: [before] });
    expect(await call({ method: 'DELETE', path: `/revocations/${id}` })).toMatchObject({
      status: 404,
      code: 'resource-hidden',
    });
  });
});

describe('is refused', () => {
  test.each([
    ['no token', {}, 401, 'token-missing'],
    ['another token', { authorization: 'Bearer wrong-token' }, 401, 'token-signature'],
    ['a page of another origin', { ...BEARER, origin: 'https://evil.example' }, 403, 'origin-refused'],
  ])('whatever is asked, with %s', async (_, headers, status, code) => {
    const { call, revocations } = await open();
    const type = { 'content-type': 'application/json' };
    const body = { user: 'corp|alice' };
    expect(await call({ headers })).toMatchObject({ status, code });
    expect(await call({ method: 'POST', body, headers: { ...headers, ...type } })).toMatchObject({ status, code });
    expect(await call({ method: 'DELETE', path: '/revocations/x', headers })).toMatchObject({ status, code });
    expect(revocations.list()).toEqual([]);
  });

  test('whatever is asked, at a foreign host', async () => {
    const { call } = await open();
    expect(await call({ host: 'evil.example' })).toMatchObject({ status: 421, code: 'host-unknown' });
  });

  test.each([
    ['another type', '{"user":"corp|alice"}', { 'content-type': 'text/plain' }, 415, 'body-type'],
    ['a type like it', '{"user":"corp|alice"}', { 'content-type': 'application/json5' }, 415, 'body-type'],
    ['no body', '', {}, 400, 'body-malformed'],
    ['half of one', '{"user":', {}, 400, 'body-malformed'],
    ['a key twice', '{"user":"corp|alice","user":"corp|bob"}', {}, 400, 'body-duplicate-key'],
    ['a key that is not known', '{"user":"corp|alice","soon":"1"}', {}, 400, 'body-unfit'],
    ['an issuer that there is not', '{"user":"crop|alice"}', {}, 400, 'issuer-unknown'],
    ['a body of 17 kB', JSON.stringify({ user: 'corp|alice', note: 'x'.repeat(17_000) }), {}, 413, 'body-too-large'],
  ])('with %s', async (_, body, headers, status, code) => {
    const { post, records, revocations } = await open();
    expect(await post(body, headers)).toMatchObject({ status, code });
    expect(revocations.list()).toEqual([]);
    expect(records).toMatchObject([{ kind: 'admin', outcome: 'refused', reason: code, status }]);
  });

  test('with 503 when it cannot be kept', async () => {
    const add = () => Promise.reject(new Rejection('revocations-unavailable', 'disk full'));
    const { post, records } = await open({ add });
    expect(await post({ user: 'corp|alice' })).toMatchObject({ status: 503, code: 'revocations-unavailable' });
    expect(records).toMatchObject([{ outcome: 'failed', reason: 'revocations-unavailable', detail: 'disk full' }]);
  });
});

describe('the audit', () => {
  test('has a record of each: who was revoked, how many sockets ended, and why', async () => {
    const { call, post, records, revocations } = await open();
    await post({ user: 'corp|alice', until: UNTIL, note: 'left' });
    await post({ issuedBefore: '2026-10-01T00:00:00Z', issuer: 'corp' });
    const [first] = revocations.list();
    await call({});
    await call({ method: 'DELETE', path: `/revocations/${first?.id}` });
    expect(records.map(({ method, detail }) => `${method} ${detail}`)).toEqual([
      `POST revoked user corp|alice until ${UNTIL} (${first?.id}): left, 2 sockets ended`,
      expect.stringMatching(
        /^POST revoked what corp issued before 2026-10-01T00:00:00.000Z \([0-9a-f]{12}\), 2 sockets ended$/,
      ),
      'GET listed 2 revocations',
      `DELETE took back user corp|alice until ${UNTIL} (${first?.id}): left`,
    ]);
    expect(records[0]).toMatchObject({
      ...{ kind: 'admin', outcome: 'allowed', reason: undefined, path: '/revocations', status: 201 },
      ...{ time: '2026-11-01T00:00:00.000Z', address: expect.stringContaining('127.0.0.1'), owner: undefined },
    });
  });

  test('has one also of who had no right to ask', async () => {
    const { call, records } = await open();
    await call({ headers: {} });
    expect(records).toMatchObject([{ kind: 'admin', outcome: 'refused', reason: 'token-missing', method: 'GET' }]);
    expect(JSON.stringify(records)).not.toContain(ADMIN_TOKEN);
  });
});
