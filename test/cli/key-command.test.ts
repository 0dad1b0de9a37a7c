import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answeringAdmin } from '../support/admin-answers.ts';
import { commandLine } from '../support/command-line.ts';

let admin: Awaited<ReturnType<typeof answeringAdmin>>;
beforeEach(async () => {
  admin = await answeringAdmin();
  const key = { id: 'k1', owner: 'service|ci', roles: [], madeAt: 'T', expires: 'T', expired: false, note: null };
  admin.answers(201, { key, secret: 'jgk_x' });
});
afterEach(() => admin.close());

const run = (...words: string[]) =>
  commandLine('key', ...words, '--config', admin.file, '--admin-port', String(admin.port));

test.each([
  [['create', 'ci'], { account: 'ci', roles: [] }],
  [
    ['create', 'ci', '--role', 'admin', '--role', 'reader', '--note', 'the builds'],
    { account: 'ci', roles: ['admin', 'reader'], note: 'the builds' },
  ],
])('%j asks for %j', async (words, body) => {
  expect((await run(...words)).code).toBe(0);
  expect(admin.asked).toEqual([{ method: 'POST', url: '/keys', authorization: 'Bearer the-token', body }]);
});

test('--expires is a span from now, or a time', async () => {
  const before = Date.now();
  await run('create', 'ci', '--expires', '366d');
  const { expires } = (admin.asked[0]?.body ?? {}) as { expires: string };
  expect(Date.parse(expires)).toBeGreaterThanOrEqual(before + 366 * 86_400_000);
  expect(Date.parse(expires)).toBeLessThanOrEqual(Date.now() + 366 * 86_400_000);
  const soon = new Date(Date.now() + 86_400_000).toISOString();
  await run('create', 'ci', '--expires', soon);
  expect(admin.asked[1]?.body).toEqual({ account: 'ci', roles: [], expires: soon });
});

test('list and revoke ask for just that', async () => {
  await run('list');
  await run('revoke', 'a/b');
  expect(admin.asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /keys', 'DELETE /keys/a%2Fb']);
});

describe('ends with 2, and asks nobody', () => {
  test.each([
    [[], 'Usage:'],
    [['make', 'ci'], "unknown command 'make'"],
    [['create'], "missing required argument 'account'"],
    [['create', 'CI'], 'Expected 1 to 64 of a-z'],
    [['create', 'a|b'], 'Expected 1 to 64 of a-z'],
    [['create', 'ci', 'admin'], 'too many arguments'],
    [['create', 'ci', '--role', 'admin reader'], 'Expected one role'],
    [['create', 'ci', '--role', ''], 'Expected one role'],
    [['create', 'ci', '--expires', 'never'], 'Expected a span from now'],
    [['create', 'ci', '--expires', '2020-01-01'], 'Expected a span from now'],
    [['create', 'ci', '--expires', '367d'], '366d at most'],
    [['list', 'all'], 'too many arguments'],
    [['revoke'], "missing required argument 'id'"],
  ])('for %j', async (words, message) => {
    const { code, out, err } = await (words.length === 0 ? commandLine('key') : run(...words));
    expect([code, `${out}${err}`]).toEqual([2, expect.stringContaining(message)]);
    expect(admin.asked).toEqual([]);
  });
});
