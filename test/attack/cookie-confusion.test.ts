/**
 * A cookie that is nearly the session's: planted by another host of the site, hidden in another's value, spelt so that two
 * readers differ, or a credential of one kind shown as one of another.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SESSION_COOKIE } from '../../src/model/cookie.ts';
import { type CredentialDoor, openCredentialDoor } from '../support/credential-door.ts';

const POLICY = `version: 1
name: p
routes:
  - { id: read, match: GET /read, token: [header, query] }
`;

let door: CredentialDoor;
beforeAll(async () => {
  door = await openCredentialDoor({ policy: POLICY });
});
afterAll(() => door.close());
afterEach(() => expect(door.faults).toEqual([]));

const secretOf = (user: string): string => door.sessions.cookieOf(user).cookie.split('=').at(-1) ?? '';
const read = async (cookie: string, more: Readonly<Record<string, string>> = {}) => {
  const answer = await door.ask('GET /read', { cookie, 'sec-fetch-site': 'same-origin', ...more });
  const [request] = door.arrived();
  return { code: answer.code, status: answer.status, headers: request?.headers ?? [] };
};

test('the session’s cookie lets its user in, wherever it stands among others', async () => {
  for (const around of ['NAME=VALUE', 'a=1; NAME=VALUE', 'NAME=VALUE; z=', 'a=1;NAME=VALUE;b', 'a = 1;  NAME=VALUE']) {
    const { status, headers } = await read(around.replace('NAME', SESSION_COOKIE).replace('VALUE', secretOf('ann')));
    expect([around, status]).toEqual([around, 200]);
    expect(headers).toContain('x-user-id: main|ann');
  }
});

describe('nobody is let in by a cookie', () => {
  test.each([
    ['of the name without its prefix, which other hosts may set', 'jaaz-session=VALUE'],
    ['of the weaker prefix', '__Secure-jaaz-session=VALUE'],
    ['of the name in other letters', '__host-jaaz-session=VALUE'],
    ['of the name in capitals', '__HOST-JAAZ-SESSION=VALUE'],
    ['of the name in capitals, beside its name as a value', 'a=NAME; __HOST-JAAZ-SESSION=VALUE'],
    ['of the name with something behind it', 'NAME2=VALUE'],
    ['of the name with something before it', 'xNAME=VALUE'],
    ['of the name with a byte before it that some take for a blank', '\u00a0NAME=VALUE'],
    ['of the name with such a byte behind it', 'NAME\u00a0=VALUE'],
    ['of the name, escaped', '__Host%2Djaaz-session=VALUE'],
    ['of the name, quoted', '"NAME"=VALUE'],
    ['without a name', '=NAME=VALUE'],
    ['in the value of another', 'a=NAME=VALUE'],
    ['in the quoted value of another', 'a="x NAME=VALUE"'],
    ['behind a comma', 'a=1, NAME=VALUE'],
    ['behind attributes that servers once took', '$Version=1, NAME=VALUE'],
    ['that is not one pair', 'NAME VALUE'],
    ['that is empty', 'NAME='],
  ])('%s', async (_, text) => {
    const cookie = text.replace('NAME', SESSION_COOKIE).replace('VALUE', secretOf('ann'));
    const { status, code, headers } = await read(cookie);
    expect([status, code, headers]).toEqual([401, 'token-missing', []]);
  });

  test.each([
    ['first', 'NAME=PLANTED; NAME=VALUE'],
    ['last', 'NAME=VALUE; NAME=PLANTED'],
    ['twice the same', 'NAME=VALUE; NAME=VALUE'],
    ['empty, first', 'NAME=; NAME=VALUE'],
    ['empty, last', 'NAME=VALUE; NAME='],
  ])('of which there are two, the planted one being %s: which of them is ours nobody can tell', async (_, text) => {
    const planted = text.replaceAll('NAME', SESSION_COOKIE).replaceAll('PLANTED', secretOf('mallory'));
    const { status, code } = await read(planted.replaceAll('VALUE', secretOf('ann')));
    expect([status, code]).toEqual([401, 'token-missing']);
  });

  test.each([
    ['quoted', (value: string) => `"${value}"`],
    ['cut', (value: string) => value.slice(0, -1)],
    ['with something behind it', (value: string) => `${value}0`],
    ['in other letters', (value: string) => value.toUpperCase()],
    ['escaped', (value: string) => `%${value.charCodeAt(0).toString(16)}${value.slice(1)}`],
    ['the id that operators see', () => 's-ann'],
  ])('of which the value is %s', async (_, spelt) => {
    const { status, code } = await read(`${SESSION_COOKIE}=${spelt(secretOf('ann'))}`);
    expect([status, code]).toEqual([401, 'session-ended']);
  });
});

test('a cookie that another host of the site planted beside it locks nobody out', async () => {
  const cookie = `${SESSION_COOKIE}=${secretOf('ann')}; \u00a0${SESSION_COOKIE}=${secretOf('mallory')}`;
  const { status, headers } = await read(cookie);
  expect(status).toBe(200);
  expect(headers).toContain('x-user-id: main|ann');
});

describe('a credential of one kind is none of another:', () => {
  test('a session’s value is no bearer token', async () => {
    const value = secretOf('ann');
    const header = await door.ask('GET /read', { authorization: `Bearer ${value}` });
    const query = await door.ask(`GET /read?token=${value}`);
    expect([header.code, query.code]).toEqual(['token-malformed', 'token-malformed']);
    expect(door.auditText()).not.toContain(value);
  });

  test('a token is no session’s value', async () => {
    expect(await read(`${SESSION_COOKIE}=${door.token('ann')}`)).toMatchObject({ status: 401, code: 'session-ended' });
  });

  test('a cookie is no header of another name', async () => {
    const { cookie } = door.sessions.cookieOf('ann');
    for (const name of ['cookie2', 'x-cookie', 'set-cookie', 'cookie_', 'x-forwarded-cookie']) {
      const answer = await door.ask('GET /read', { [name]: cookie });
      expect([name, answer.code]).toEqual([name, 'token-missing']);
    }
  });
});

test('no cookie reaches the upstream: not the session’s, not another’s, in no spelling', async () => {
  const { cookie } = door.sessions.cookieOf('ann');
  const { status, headers } = await read(cookie, { cookie2: cookie, cookie_: cookie, 'x-cookie': cookie });
  expect(status).toBe(200);
  expect(headers.filter((header) => header.includes(SESSION_COOKIE) || /cookie/i.test(header))).toEqual([]);
});
