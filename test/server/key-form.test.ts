import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import { keyWantedIn } from '../../src/server/key-form.ts';
import { rejectionOf } from '../support/token-issuer.ts';

const NOW = Date.UTC(2026, 10, 1);
const read = (body: JsonValue) => keyWantedIn(body, NOW);

test('every field is taken as it is asked for', () => {
  const body = { account: 'ci.build_2-x', roles: ['admin', 'ä'], expires: '2026-11-01T00:00:00.001Z', note: 'für "x"' };
  expect(read(body)).toEqual({
    ...{ account: 'ci.build_2-x', roles: ['admin', 'ä'] },
    ...{ expiresAtMillis: NOW + 1, note: 'für "x"' },
  });
});

test('a name of 64 and a note of 500 characters are fine', () => {
  expect(read({ account: 'a'.repeat(64), note: 'x'.repeat(500) })).toMatchObject({ account: 'a'.repeat(64) });
});

describe('is refused, and says which field is wrong', () => {
  test.each<[string, JsonValue]>([
    ['the body', null],
    ['the body', []],
    ['the body', 'ci'],
    ['a key', { account: 'ci', role: 'admin' }],
    ['a key', JSON.parse('{"account":"ci","__proto__":{}}') as JsonValue],
    ['account', {}],
    ['account', { account: '' }],
    ['account', { account: 'a'.repeat(65) }],
    ['account', { account: 'CI' }],
    ['account', { account: 'a|b' }],
    ['account', { account: '-x' }],
    ['account', { account: 'ci\n' }],
    ['account', { account: ['ci'] }],
    ['roles', { account: 'ci', roles: 'admin' }],
    ['roles', { account: 'ci', roles: ['admin reader'] }],
    ['roles', { account: 'ci', roles: [''] }],
    ['roles', { account: 'ci', roles: [1] }],
    ['roles', { account: 'ci', roles: ['a\u0000'] }],
    ['roles', { account: 'ci', roles: ['a\u202e'] }],
    ['roles', { account: 'ci', roles: Array.from({ length: 257 }, (_, index) => `r${index}`) }],
    ['expires', { account: 'ci', expires: '90d' }],
    ['expires', { account: 'ci', expires: NOW + 1000 }],
    ['expires', { account: 'ci', expires: null }],
    ['expires', { account: 'ci', expires: '2026-11-01T00:00:00.000Z' }],
    ['expires', { account: 'ci', expires: '2027-02-31T00:00:00.000Z' }],
    ['expires', { account: 'ci', expires: '2027-11-02T00:00:00.001Z' }],
    ['note', { account: 'ci', note: '' }],
    ['note', { account: 'ci', note: 'x'.repeat(501) }],
    ['note', { account: 'ci', note: 'a\u001b[2J' }],
    ['note', { account: 'ci', note: 1 }],
  ])('%s in %j', async (field, body) => {
    const { reason, message } = await rejectionOf(() => read(body));
    expect([reason, message.startsWith(`${field} `)]).toEqual(['body-unfit', true]);
  });
});
