/**
 * Two credentials in one request: whoever looks at one of them lets the other pass unseen. A page, or a link, that brings its
 * sender's token would have the visitor, who is logged in, work in the sender's name; and a planted cookie the reverse.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CredentialDoor, openCredentialDoor } from '../support/credential-door.ts';

const POLICY = `version: 1
name: p
routes:
  - { id: read, match: GET /read, token: [header, query] }
  - { id: act, match: POST /act }
`;

let door: CredentialDoor;
/** Looks at tokens alone. */
let careless: CredentialDoor;
beforeAll(async () => {
  door = await openCredentialDoor({ policy: POLICY });
  careless = await openCredentialDoor({ policy: POLICY, authn: { sessions: undefined } });
});
afterAll(async () => {
  await door.close();
  await careless.close();
});
afterEach(() => expect([...door.faults, ...careless.faults]).toEqual([]));

const bearer = (at: CredentialDoor, user: string) => ({ authorization: `Bearer ${at.token(user)}` });
/** Returns who the upstream was told that each of the requests was from. */
const callers = (at: CredentialDoor): Array<string | undefined> =>
  at.arrived().map(({ headers }) => headers.find((header) => header.startsWith('x-user-id: '))?.slice(11));
const LINES = ['GET /read', 'POST /act'];

describe.each(LINES)('%s', (line) => {
  test('with a token and a cookie of two users is the token’s where the cookie is not looked at', async () => {
    const headers = { ...bearer(careless, 'mallory'), ...careless.sessions.cookieOf('ann') };
    expect((await careless.ask(line, headers)).status).toBe(200);
    expect(callers(careless)).toEqual(['main|mallory']);
  });

  test('with a token and a cookie of two users is nobody’s, whichever of them came first', async () => {
    const cookies = door.sessions.cookieOf('ann');
    for (const headers of [
      { ...bearer(door, 'mallory'), ...cookies },
      { ...cookies, ...bearer(door, 'mallory') },
      { ...bearer(door, 'ann'), ...door.sessions.cookieOf('mallory') },
      { ...bearer(door, 'ann'), ...door.sessions.cookieOf('ann', { issuer: 'second' }) },
    ]) {
      const answer = await door.ask(line, { 'sec-fetch-site': 'same-origin', ...headers });
      expect([answer.status, answer.code]).toEqual([400, 'credentials-differ']);
      expect(answer.body).not.toMatch(/ann|mallory/);
    }
    expect(callers(door)).toEqual([]);
  });

  test('with both of one user is that user’s', async () => {
    expect((await door.ask(line, { ...bearer(door, 'ann'), ...door.sessions.cookieOf('ann') })).status).toBe(200);
    expect(callers(door)).toEqual(['main|ann']);
  });

  test('with a token that is not good gets no further by a cookie that is', async () => {
    const cookies = { 'sec-fetch-site': 'same-origin', ...door.sessions.cookieOf('ann') };
    for (const authorization of [`Bearer ${door.token('ann', { aud: 'others' })}`, 'Bearer', 'Basic eDp5', '']) {
      expect((await door.ask(line, { authorization, ...cookies })).status).toBe(401);
    }
    expect(callers(door)).toEqual([]);
  });

  test('with two headers of one kind is refused, also where they are the same', async () => {
    const { authorization } = bearer(door, 'ann');
    const { cookie } = door.sessions.cookieOf('ann');
    for (const headers of [
      { authorization, Authorization: authorization },
      { authorization, Authorization: bearer(door, 'mallory').authorization },
      { cookie, Cookie: cookie },
      { cookie, Cookie: door.sessions.cookieOf('mallory').cookie },
    ]) {
      const answer = await door.ask(line, { 'sec-fetch-site': 'same-origin', ...headers });
      expect([answer.status, answer.code]).toEqual([400, 'header-invalid']);
    }
    expect(callers(door)).toEqual([]);
  });
});

test('a token in the address and one in the header are of one user, or of nobody', async () => {
  const [ann, mallory] = [door.token('ann'), door.token('mallory')];
  const asked = async (query: string, header: string) =>
    (await door.ask(`GET /read?token=${query}`, { authorization: `Bearer ${header}` })).status;
  expect([await asked(ann, mallory), await asked(mallory, ann)]).toEqual([401, 401]);
  // One user, and yet two tokens: with which of them it passed nobody could tell afterwards.
  expect(await asked(ann, door.token('ann', { jti: 'another' }))).toBe(401);
  expect(callers(door)).toEqual([]);
  expect(await asked(ann, ann)).toBe(200);
  expect(callers(door)).toEqual(['main|ann']);
});
