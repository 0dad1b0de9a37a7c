import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type KeyDeed, key } from '../../src/cli/key.ts';
import { answeringAdmin } from '../support/admin-answers.ts';

let admin: Awaited<ReturnType<typeof answeringAdmin>>;
beforeEach(async () => {
  admin = await answeringAdmin();
});
afterEach(() => admin.close());

const run = async (deed: KeyDeed, options: { json?: boolean; file?: string; port?: number } = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const { json = false, file = admin.file, port = admin.port } = options;
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await key(deed, { file, flags: { adminPort: port }, json, variables: {} }, output);
  return { code, out: out.join('\n'), err: err.join('\n') };
};

const MADE = '2026-11-01T00:00:00.000Z';
const ENDS = '2027-01-30T00:00:00.000Z';
const ci = {
  ...{ id: 'k1', owner: 'service|ci', roles: ['admin', 'reader'] },
  ...{ madeAt: MADE, expires: ENDS, expired: false, note: 'builds' },
};
const cron = { ...ci, id: 'k2', owner: 'service|cron', roles: [], expired: true, note: null };

const create: KeyDeed = { do: 'create', wanted: { account: 'ci', roles: ['admin'] } };
const list: KeyDeed = { do: 'list' };
const revoke: KeyDeed = { do: 'revoke', id: 'k1' };

describe('what was done is told', () => {
  test('a key that was made, itself on a line of its own', async () => {
    admin.answers(201, { key: ci, secret: 'jgk_secret' });
    expect(await run(create)).toEqual({
      code: 0,
      out: [
        `Made: the API key k1 of service|ci, roles admin, reader, until ${ENDS} (builds).`,
        'It is shown this once:',
        'jgk_secret',
      ].join('\n'),
      err: '',
    });
    expect(admin.asked).toEqual([
      { method: 'POST', url: '/keys', authorization: 'Bearer the-token', body: create.wanted },
    ]);
  });

  test('all keys, those that have expired as such, or that there is none', async () => {
    admin.answers(200, { keys: [ci, cron] });
    expect((await run(list)).out.split('\n')).toEqual([
      `k1  ${MADE}  service|ci, roles admin, reader, until ${ENDS} (builds)`,
      `k2  ${MADE}  service|cron, no roles, until ${ENDS}, expired`,
    ]);
    admin.answers(200, { keys: [] });
    expect(await run(list)).toEqual({ code: 0, out: 'There is no API key.', err: '' });
  });

  test.each([
    [0, '0 open sockets were'],
    [1, '1 open socket was'],
  ])('a key that was revoked, and that %i sockets ended', async (ended, words) => {
    admin.answers(200, { key: cron, ended });
    expect(await run(revoke)).toMatchObject({
      code: 0,
      out: `Revoked: the API key k2 of service|cron, no roles, until ${ENDS}. Here ${words} ended.`,
    });
    expect(admin.asked).toMatchObject([{ method: 'DELETE', url: '/keys/k1', body: undefined }]);
  });

  test('a name that steers a terminal is told so that it does not', async () => {
    admin.answers(200, { keys: [{ ...cron, owner: 'service|\u001b[2J', roles: ['\u202ex'], note: '\u0007' }] });
    expect((await run(list)).out).toBe(
      `k2  ${MADE}  service|\\u001b[2J, roles \\u202ex, until ${ENDS} (\\u0007), expired`,
    );
  });

  test('what answers in the place of a gateway steers no terminal', async () => {
    admin.answers(500, { code: 'x\u001b[2J', detail: '\u009b2J' });
    const { err } = await run(create);
    expect(err).toContain('\\u001b[2J');
    expect(err).not.toMatch(/[\u0000-\u001f\u0080-\u009f]/);
    admin.answers(201, { key: { ...ci, id: '\u001b[2J', madeAt: '\u009b' }, secret: 'jgk_\u001b' });
    expect((await run(create)).out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u0080-\u009f]/);
  });

  test('as it was answered, with --json', async () => {
    const answer = { key: ci, secret: 'jgk_secret' };
    admin.answers(201, answer);
    expect(JSON.parse((await run(create, { json: true })).out)).toEqual(answer);
  });
});

describe('ends with 1 and says why', () => {
  const full = { code: 'api-keys-full', detail: 'There are too many API keys.' };
  test.each<[string, KeyDeed, number, unknown, string]>([
    ['there is no such key', revoke, 404, { code: 'key-unknown' }, 'There is no API key k1.'],
    ['there are too many', create, 409, full, '(api-keys-full): There are too many API keys. No key was made.'],
    ['what answers is something else', list, 200, 'hello', '(with status 200) is no gateway that can do this.'],
    ['what answers is an older gateway', create, 404, '404 Not Found', 'can do this. No key was made.'],
    ['the answer to making one holds none', create, 200, { keys: [] }, 'can do this. No key was made.'],
    ['the answer to revoking one is that it was made', revoke, 200, { key: ci, secret: 'x' }, 'Nothing was revoked.'],
  ])('when %s', async (_, deed, status, body, sentence) => {
    admin.answers(status, body);
    const { code, out, err } = await run(deed);
    expect([code, out, err]).toEqual([1, '', expect.stringContaining(sentence)]);
    const told = await run(deed, { json: true });
    expect(JSON.parse(told.out)).toEqual({ outcome: 'failed', message: err });
  });

  test('when no gateway runs: nothing was done', async () => {
    const { code, err } = await run(create, { port: 1 });
    expect([code, err]).toEqual([1, expect.stringMatching(/^No gateway answers at .* No key was made\.$/)]);
    rmSync(admin.tokenFile);
    expect((await run(revoke)).err).toMatch(/^There is no admin token at .* Nothing was revoked\.$/);
    expect((await run(list)).err).toMatch(/no gateway runs with this ledger\.$/);
  });
});

test('ends with 3 when the configuration is not valid', async () => {
  expect((await run(list, { file: join(admin.folder, 'none.yaml') })).code).toBe(3);
  expect(admin.asked).toEqual([]);
});
