import { afterEach, describe, expect, test } from 'vitest';
import { parseStrictJson } from '../../src/body/json.ts';
import type { ApiKey } from '../../src/model/api-key.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type AdminKeys, keyRoutes } from '../../src/server/admin-keys.ts';
import { ADMIN_TOKEN, type AdminCall, BEARER } from '../support/admin-door.ts';
import { openAdminPart } from '../support/admin-part.ts';
import { openKeys } from '../support/api-keys.ts';

const NOW = Date.UTC(2026, 10, 1);
const MADE = '2026-11-01T00:00:00.000Z';
const NINETY_DAYS = '2027-01-30T00:00:00.000Z';

const ends: Array<() => unknown> = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const open = async (more: Partial<AdminKeys> = {}) => {
  const records: AuditRecord[] = [];
  const { keys, revocations, end } = await openKeys(undefined, { now: () => NOW });
  revocations.onRevoked(() => 2);
  const door = await openAdminPart(
    '/keys',
    keyRoutes({
      ...{ host: 'admin.internal', token: ADMIN_TOKEN, alias: 'service' },
      ...{ list: keys.list, make: keys.make, revoke: keys.revoke },
      readJson: parseStrictJson,
      onDecision: (record) => records.push(record),
      now: () => NOW,
      ...more,
    }),
  );
  ends.push(door.close, end);
  const call = (one: AdminCall) => door.call({ headers: BEARER, ...one });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    call({ method: 'POST', body, headers: { ...BEARER, 'content-type': 'application/json', ...headers } });
  return { call, post, records, keys };
};

const secretIn = ({ body }: { readonly body: unknown }): string => (body as { secret: string }).secret;

describe('an API key', () => {
  test('is made, and told this once, in an answer that nobody may keep', async () => {
    const { call, post, keys } = await open();
    const answer = await post({ account: 'ci', roles: ['admin', 'reader', 'admin'], note: 'builds' });
    const [made] = keys.list();
    const shown = {
      ...{ id: made?.id, owner: 'service|ci', roles: ['admin', 'reader'] },
      ...{ madeAt: MADE, expires: NINETY_DAYS, note: 'builds', expired: false },
    };
    expect(answer).toMatchObject({
      status: 201,
      headers: { location: `/keys/${made?.id}`, 'cache-control': 'no-store' },
      body: { key: shown, secret: expect.stringMatching(/^jgk_/) },
    });
    expect(keys.verify(secretIn(answer))).toMatchObject({ owner: 'service|ci', roles: ['admin', 'reader'] });
    const listed = await call({});
    expect(listed.body).toEqual({ keys: [shown] });
  });

  test('has no roles and 90 days unless others are asked for, 366 days at most', async () => {
    const { post, keys } = await open();
    await post({ account: 'ci' });
    await post({ account: 'ci', expires: '2027-11-02T00:00:00.000Z' });
    expect(keys.list()).toMatchObject([
      { roles: [], expiresAtMillis: Date.parse(NINETY_DAYS), note: undefined },
      { expiresAtMillis: NOW + 366 * 86_400_000 },
    ]);
    expect(await post({ account: 'ci', expires: '2027-11-02T00:00:00.001Z' })).toMatchObject({ code: 'body-unfit' });
  });

  test('is revoked by its id, once', async () => {
    const { call, post, keys } = await open();
    const answer = await post({ account: 'ci' });
    const [made] = keys.list();
    const revoke = () => call({ method: 'DELETE', path: `/keys/${made?.id}` });
    expect(await revoke()).toMatchObject({
      status: 200,
      body: { key: { id: made?.id, owner: 'service|ci' }, ended: 2 },
    });
    expect(() => keys.verify(secretIn(answer))).toThrow('there is no API key');
    expect(await revoke()).toMatchObject({ status: 404, code: 'key-unknown' });
  });
});

describe('is refused', () => {
  test.each([
    ['no token', {}, 401, 'token-missing'],
    ['another token', { authorization: 'Bearer wrong-token' }, 401, 'token-signature'],
    ['a page of another origin', { ...BEARER, origin: 'https://evil.example' }, 403, 'origin-refused'],
  ])('whatever is asked, with %s', async (_, headers, status, code) => {
    const { call, keys } = await open();
    const type = { 'content-type': 'application/json' };
    expect(await call({ headers })).toMatchObject({ status, code });
    const body = { account: 'ci' };
    expect(await call({ method: 'POST', body, headers: { ...headers, ...type } })).toMatchObject({ status, code });
    expect(await call({ method: 'DELETE', path: '/keys/x', headers })).toMatchObject({ status, code });
    expect(keys.list()).toEqual([]);
  });

  test('whatever is asked, with an API key as the token', async () => {
    const { call, post } = await open();
    const authorization = `Bearer ${secretIn(await post({ account: 'ci', roles: ['admin'] }))}`;
    expect(await call({ headers: { authorization } })).toMatchObject({ status: 401, code: 'token-signature' });
  });

  test('whatever is asked, at a foreign host', async () => {
    const { call } = await open();
    expect(await call({ host: 'evil.example' })).toMatchObject({ status: 421, code: 'host-unknown' });
  });

  test.each([
    ['another type', '{"account":"ci"}', { 'content-type': 'text/plain' }, 415, 'body-type'],
    ['no body', '', {}, 400, 'body-malformed'],
    ['a key twice', '{"account":"ci","account":"root"}', {}, 400, 'body-duplicate-key'],
    ['a key that is not known', '{"account":"ci","admin":true}', {}, 400, 'body-unfit'],
    ['a body of 17 kB', JSON.stringify({ account: 'ci', note: 'x'.repeat(17_000) }), {}, 413, 'body-too-large'],
  ])('with %s', async (_, body, headers, status, code) => {
    const { post, records, keys } = await open();
    expect(await post(body, headers)).toMatchObject({ status, code });
    expect(keys.list()).toEqual([]);
    expect(records).toMatchObject([{ kind: 'admin', outcome: 'refused', reason: code, status }]);
  });

  test('with 503 when it cannot be kept', async () => {
    const make = () => Promise.reject(new Rejection('api-keys-unavailable', 'disk full'));
    const { post, records } = await open({ make });
    expect(await post({ account: 'ci' })).toMatchObject({ status: 503, code: 'api-keys-unavailable' });
    expect(records).toMatchObject([{ outcome: 'failed', reason: 'api-keys-unavailable', detail: 'disk full' }]);
  });
});

describe('the audit', () => {
  test('has a record of each: whose key, with which roles, until when, and how many sockets ended', async () => {
    const { call, post, records, keys } = await open();
    await post({ account: 'ci', roles: ['admin', 'reader'], note: 'builds' });
    await post({ account: 'cron' });
    const [first, second] = keys.list() as [ApiKey, ApiKey];
    const named = (account: string) => (first.account === account ? first : second).id;
    await call({});
    await call({ method: 'DELETE', path: `/keys/${named('ci')}` });
    const ci = `the API key ${named('ci')} of service|ci, admin reader, until ${NINETY_DAYS}: builds`;
    expect(records.map(({ method, detail }) => `${method} ${detail}`)).toEqual([
      `POST made ${ci}`,
      `POST made the API key ${named('cron')} of service|cron until ${NINETY_DAYS}`,
      'GET listed 2 API keys',
      `DELETE revoked ${ci}, 2 sockets ended`,
    ]);
    expect(records[0]).toMatchObject({
      ...{ kind: 'admin', outcome: 'allowed', reason: undefined, path: '/keys', status: 201 },
      ...{ time: MADE, address: expect.stringContaining('127.0.0.1'), owner: undefined },
    });
  });

  test('has none of the keys in it, nor the admin token', async () => {
    const { call, post, records } = await open();
    const secret = secretIn(await post({ account: 'ci' }));
    await call({ headers: {} });
    expect(records).toHaveLength(2);
    expect(JSON.stringify(records)).not.toContain(secret.slice(17, 60));
    expect(JSON.stringify(records)).not.toContain(ADMIN_TOKEN);
  });
});
