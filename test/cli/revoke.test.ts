import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RevokeDeed, revoke } from '../../src/cli/revoke.ts';
import { answeringAdmin } from '../support/admin-answers.ts';

let admin: Awaited<ReturnType<typeof answeringAdmin>>;
beforeEach(async () => {
  admin = await answeringAdmin();
});
afterEach(() => admin.close());

const run = async (deed: RevokeDeed, options: { json?: boolean; file?: string; port?: number } = {}) => {
  const out: string[] = [];
  const err: string[] = [];
  const { json = false, file = admin.file, port = admin.port } = options;
  const output = { out: (line: string) => out.push(line), err: (line: string) => err.push(line) };
  const code = await revoke(deed, { file, flags: { adminPort: port }, json, variables: {} }, output);
  return { code, out: out.join('\n'), err: err.join('\n') };
};

const MADE = '2026-11-01T00:00:00.000Z';
const alice = { id: 'r1', by: 'user', user: 'corp|alice', madeAt: MADE, until: null, note: null };
const token = { id: 'r2', by: 'token', issuer: 'corp', token: 't1', madeAt: MADE, until: MADE, note: 'lost' };
const session = { id: 'r4', by: 'session', session: '0a1b', madeAt: MADE, until: MADE, note: null };
const before = {
  id: 'r3',
  by: 'issued-before',
  issuer: null,
  issuedBefore: MADE,
  madeAt: MADE,
  until: null,
  note: null,
};

const user: RevokeDeed = { do: 'revoke', wanted: { user: 'corp|alice', note: 'left' } };
const list: RevokeDeed = { do: 'list' };
const undo: RevokeDeed = { do: 'undo', id: 'r1' };

describe('what was done is told', () => {
  test.each([
    [alice, 2, 'Revoked: user corp|alice, as r1. Here 2 open sockets were ended.'],
    [token, 1, `Revoked: token t1 of corp, until ${MADE} (lost), as r2. Here 1 open socket was ended.`],
    [session, 1, `Revoked: session 0a1b, until ${MADE}, as r4. Here 1 open socket was ended.`],
    [before, 0, `Revoked: what every issuer issued before ${MADE}, as r3. Here 0 open sockets were ended.`],
  ])('%j, %i', async (revocation, ended, sentence) => {
    admin.answers(201, { revocation, ended });
    expect(await run(user)).toEqual({ code: 0, out: sentence, err: '' });
    expect(admin.asked).toEqual([
      { method: 'POST', url: '/revocations', authorization: 'Bearer the-token', body: user.wanted },
    ]);
  });

  test('a revocation that was taken back', async () => {
    admin.answers(200, { revocation: alice });
    expect(await run(undo)).toMatchObject({
      code: 0,
      out: 'Taken back: user corp|alice. What is valid otherwise is good again.',
    });
    expect(admin.asked).toMatchObject([{ method: 'DELETE', url: '/revocations/r1', body: undefined }]);
  });

  test('all that are in effect, or that there is none', async () => {
    admin.answers(200, { revocations: [alice, token, before] });
    expect((await run(list)).out.split('\n')).toEqual([
      `r1  ${MADE}  user corp|alice`,
      `r2  ${MADE}  token t1 of corp, until ${MADE} (lost)`,
      `r3  ${MADE}  what every issuer issued before ${MADE}`,
    ]);
    admin.answers(200, { revocations: [] });
    expect(await run(list)).toEqual({ code: 0, out: 'Nothing is revoked.', err: '' });
  });

  test('a name that steers a terminal is told so that it does not', async () => {
    admin.answers(200, { revocations: [{ ...session, session: 'x\u001b[2J' }] });
    expect((await run(list)).out).toBe(`r4  ${MADE}  session x\\u001b[2J, until ${MADE}`);
    admin.answers(200, { revocations: [{ ...alice, user: 'corp|\u001b[2J\u202ebob' }] });
    expect((await run(list)).out).toBe(`r1  ${MADE}  user corp|\\u001b[2J\\u202ebob`);
  });

  test('as it was answered, with --json', async () => {
    const answer = { revocation: alice, ended: 2 };
    admin.answers(201, answer);
    expect(JSON.parse((await run(user, { json: true })).out)).toEqual(answer);
  });
});

describe('ends with 1 and says why', () => {
  test.each<[string, RevokeDeed, number, unknown, string]>([
    ['there is no such issuer', user, 400, { code: 'issuer-unknown' }, 'The gateway knows no issuer of this name'],
    [
      'it could not be kept',
      user,
      503,
      { code: 'revocations-unavailable', detail: 'Try again later.' },
      'The gateway refused it (revocations-unavailable): Try again later. Nothing was revoked.',
    ],
    ['there is no such revocation', undo, 404, { code: 'resource-hidden' }, 'There is no revocation r1.'],
    ['what answers is something else', list, 200, 'hello', '(with status 200) is no gateway that can do this.'],
    [
      'what answers is an older gateway',
      user,
      404,
      '404 Not Found',
      '(with status 404) is no gateway that can do this.',
    ],
  ])('when %s', async (_, deed, status, body, sentence) => {
    admin.answers(status, body);
    const { code, out, err } = await run(deed);
    expect([code, out, err]).toEqual([1, '', expect.stringContaining(sentence)]);
    const told = await run(deed, { json: true });
    expect(JSON.parse(told.out)).toEqual({ outcome: 'failed', message: err });
  });

  test('when no gateway runs: nothing was revoked', async () => {
    const { code, err } = await run(user, { port: 1 });
    expect([code, err]).toEqual([1, expect.stringMatching(/^No gateway answers at .* Nothing was revoked\.$/)]);
    rmSync(admin.tokenFile);
    expect((await run(undo)).err).toMatch(/^There is no admin token at .* Nothing was taken back\.$/);
    expect((await run(list)).err).toMatch(/no gateway runs with this ledger\.$/);
  });
});

test('ends with 3 when the configuration is not valid', async () => {
  expect((await run(list, { file: join(admin.folder, 'none.yaml') })).code).toBe(3);
  expect(admin.asked).toEqual([]);
});
