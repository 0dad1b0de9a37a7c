import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answeringAdmin } from '../support/admin-answers.ts';
import { commandLine } from '../support/command-line.ts';

let admin: Awaited<ReturnType<typeof answeringAdmin>>;
beforeEach(async () => {
  admin = await answeringAdmin();
  admin.answers(201, {
    revocation: { id: 'r1', by: 'user', user: 'a|b', madeAt: '2026-11-01T00:00:00Z', until: null, note: null },
    ended: 0,
  });
});
afterEach(() => admin.close());

const run = (...words: string[]) =>
  commandLine('revoke', ...words, '--config', admin.file, '--admin-port', String(admin.port));

test.each([
  [['user', 'a|b c'], { user: 'a|b c' }],
  [['user', 'a|b', '--note', 'left'], { user: 'a|b', note: 'left' }],
  [['token', 'a', 'jti-1'], { token: 'jti-1', issuer: 'a' }],
  [['session', '0123456789abcdef01234567'], { session: '0123456789abcdef01234567' }],
  [['issued-before', '2026-01-01T00:00:00Z'], { issuedBefore: '2026-01-01T00:00:00.000Z' }],
  [
    ['issued-before', '2026-01-01', '--issuer', 'a', '--until', '2099-01-01'],
    { issuedBefore: '2026-01-01T00:00:00.000Z', issuer: 'a', until: '2099-01-01T00:00:00.000Z' },
  ],
])('%j asks for %j', async (words, body) => {
  expect((await run(...words)).code).toBe(0);
  expect(admin.asked).toMatchObject([{ method: 'POST', url: '/revocations', body }]);
  expect(admin.asked[0]?.body).toEqual(body);
});

test('a span is from now on for --until, and before now for issued-before', async () => {
  const before = Date.now();
  await run('issued-before', '1h', '--until', '1h');
  const [asked] = admin.asked;
  const { issuedBefore, until } = (asked?.body ?? {}) as { issuedBefore: string; until: string };
  const after = Date.now();
  expect(Date.parse(issuedBefore)).toBeGreaterThanOrEqual(before - 3_600_000);
  expect(Date.parse(issuedBefore)).toBeLessThanOrEqual(after - 3_600_000);
  expect(Date.parse(until)).toBeGreaterThanOrEqual(before + 3_600_000);
  expect(Date.parse(until)).toBeLessThanOrEqual(after + 3_600_000);
});

test('list and undo ask for just that', async () => {
  await run('list');
  await run('undo', 'r1');
  expect(admin.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /revocations',
    'DELETE /revocations/r1',
  ]);
});

describe('ends with 2, and asks nobody', () => {
  test.each([
    [[], 'Usage:'],
    [['users', 'a|b'], "unknown command 'users'"],
    [['user'], "missing required argument 'owner'"],
    [['user', 'alice'], 'Expected ISSUER|USER'],
    [['user', '|alice'], 'Expected ISSUER|USER'],
    [['user', 'a|b', '--until', '2020-01-01'], 'a time that is yet to come'],
    [['user', 'a|b', '--until', 'soon'], 'a span from now'],
    [['session', 'corp|alice'], 'Expected 24 of 0-9 and a-f'],
    [['session'], "missing required argument 'id'"],
    [['token', 'a'], "missing required argument 'jti'"],
    [['issued-before', 'yesterday'], 'Expected a span of time such as 24h'],
    [['list', 'all'], 'too many arguments'],
    [['list', '--note', 'x'], "unknown option '--note'"],
  ])('for %j', async (words, message) => {
    const { code, out, err } = await (words.length === 0 ? commandLine('revoke') : run(...words));
    expect([code, `${out}${err}`]).toEqual([2, expect.stringContaining(message)]);
    expect(admin.asked).toEqual([]);
  });
});
