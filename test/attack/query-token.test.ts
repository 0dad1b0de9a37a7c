/**
 * A token in an address: it is kept where addresses are kept, in the logs of whoever sees them, and is told to other sites
 * as the referrer. It stands there only where the policy says so, and then it goes no further than this process.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type CredentialDoor, openCredentialDoor } from '../support/credential-door.ts';
import { eventually } from '../support/eventually.ts';
import { NOON } from '../support/token-issuer.ts';
import type { WireAnswer } from '../support/wire.ts';

const POLICY = `version: 1
name: p
routes:
  - { id: file, match: 'GET /files/{name}', token: [header, query], query: [size] }
  - { id: secret, match: GET /secret, token: [header, query], roles: [admin] }
  - { id: own, match: GET /own, token: [header, query], answer: { status: 200, json: [] } }
  - { id: plain, match: GET /plain, query: [size] }
  - { id: invited, match: GET /invited, query: [token] }
`;

let door: CredentialDoor;
beforeAll(async () => {
  door = await openCredentialDoor({ policy: POLICY });
});
afterAll(() => door.close());

/** The parts of a token that can be told from other texts: whichever is found has leaked. */
const partsOf = (token: string): string[] => token.split('.').filter((part) => part.length > 20);

/** What was shown, and whatever was told of it to the client and the upstream; the audit is looked at besides. */
let shown: string[] = [];
let told: string[] = [];
let asked = 0;

const ask = async (
  target: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<WireAnswer> => {
  shown.push(...partsOf(token));
  asked += 1;
  const answer = await door.ask(`GET ${target}${target.includes('?') ? '&' : '?'}token=${token}`, headers);
  told.push(answer.head, answer.body);
  return answer;
};
const arrived = () => {
  const requests = door.arrived();
  told.push(...requests.flatMap(({ target, headers, body }) => [target, ...headers, String(body)]));
  return requests;
};
const targets = (): string[] => arrived().map(({ target }) => target);
const headerOf = ({ head }: WireAnswer, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)\\r?$`, 'im').exec(head)?.[1]?.trim();

afterEach(async () => {
  arrived();
  await eventually(() => door.auditText().split('\n').length > asked);
  const everything = [...told, door.auditText()].join('\n');
  expect(shown.filter((part) => everything.includes(part))).toEqual([]);
  expect(door.faults).toEqual([]);
  shown = [];
  told = [];
});

describe('where the policy takes it', () => {
  test('it lets its owner in, and neither the upstream nor the record hears of it', async () => {
    const answer = await ask('/files/a.png?size=2', door.token('ann'));
    expect(answer.status).toBe(200);
    const [request, ...more] = arrived();
    expect([request?.target, more]).toEqual(['/files/a.png?size=2', []]);
    expect(request?.headers).toContain('x-user-id: main|ann');
    expect(request?.headers.join('\n')).not.toContain('token');
    await eventually(() => door.auditText().includes('"path":"/files/a.png","route":"file","owner":"main|ann"'));
  });

  test.each([
    ['forwarded', '/files/a.png'],
    ['the gateway’s own', '/own'],
  ])('no page hands it on as a referrer, the answer being %s, and no cache keeps it', async (_, path) => {
    const answer = await ask(path, door.token('ann'));
    expect(answer.status).toBe(200);
    expect(headerOf(answer, 'referrer-policy')).toBe('no-referrer');
    expect(headerOf(answer, 'cache-control')).toBe('private, no-store');
  });

  test.each([
    ['is none', () => 'not-a-token-but-a-secret-of-somebody', 'token-malformed'],
    ['has expired', () => door.token('ann', { exp: NOON - 1 }), 'token-expired'],
    ['is for others', () => door.token('ann', { aud: 'others' }), 'token-audience'],
    ['was changed', () => `${door.token('ann').slice(0, -6)}AAAAAA`, 'token-signature'],
    ['is too large', () => 'x'.repeat(8_100), 'target-too-long'],
  ])('no refusal cites one that %s', async (_, make, code) => {
    const answer = await ask(
      '/files/a.png?size=12345678901234567890123456789012345678901234567890123456789012345678901234567890',
      make(),
    );
    expect(answer.code).toBe(code);
    expect(arrived()).toEqual([]);
  });

  test('no refusal for want of a role cites it', async () => {
    const answer = await ask('/secret', door.token('ann'));
    expect([answer.status, answer.code]).toEqual([403, 'role-missing']);
  });

  test('beside another one in the header neither counts', async () => {
    const answer = await ask('/files/a.png', door.token('ann'), { authorization: `Bearer ${door.token('bob')}` });
    expect([answer.status, answer.code]).toEqual([401, 'token-malformed']);
    const token = door.token('ann');
    expect((await ask('/files/a.png', token, { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  test('beside a session of somebody else it is refused: a link could make its visitor work as its sender', async () => {
    const answer = await ask('/files/a.png', door.token('mallory'), door.sessions.cookieOf('ann'));
    expect([answer.status, answer.code]).toEqual([400, 'credentials-differ']);
    expect(arrived()).toEqual([]);
  });
});

describe('where the policy does not take it', () => {
  test('it is no credential, and is dropped like every parameter that is not listed', async () => {
    const answer = await ask('/plain?size=1', door.token('ann'));
    expect([answer.status, answer.code]).toEqual([401, 'token-missing']);
    const header = { authorization: `Bearer ${door.token('bob')}` };
    expect((await ask('/plain?size=1', door.token('ann'), header)).status).toBe(200);
    expect(targets()).toEqual(['/plain?size=1']);
  });

  test('it does not come along to the login page', async () => {
    const navigation = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    const answer = await ask('/plain?size=1', door.token('ann'), navigation);
    expect([answer.status, headerOf(answer, 'location')]).toEqual([303, '/auth/login?return=%2Fplain%3Fsize%3D1']);
  });

  test('what the upstream calls so is the upstream’s, and lets nobody in', async () => {
    expect((await door.ask('GET /invited?token=t-1')).status).toBe(401);
    const answer = await door.ask('GET /invited?token=t-1', { authorization: `Bearer ${door.token('ann')}` });
    expect(answer.status).toBe(200);
    asked += 2;
    expect(targets()).toEqual(['/invited?token=t-1']);
  });
});

test('where the policy only looks on it goes no further either, and what else is in the query does', async () => {
  const lenient = await openCredentialDoor({ policy: POLICY.replace('name: p\n', 'name: p\nmode: shadow\n') });
  try {
    for (const token of [lenient.token('ann'), lenient.token('ann', { exp: NOON - 1 })]) {
      expect((await lenient.ask(`GET /files/a.png?more=1&token=${token}&size=2`)).status).toBe(200);
    }
    expect(lenient.arrived().map(({ target }) => target)).toEqual(Array(2).fill('/files/a.png?more=1&size=2'));
    await eventually(() => lenient.auditText().split('\n').length === 3);
    expect(lenient.auditText()).toMatch(/"owner":"main\|ann".*"mode":"shadow"/);
    expect(lenient.auditText()).not.toContain('eyJ');
  } finally {
    await lenient.close();
  }
});

test('where the policy only looks on it goes no further on a path that is nearly the route’s', async () => {
  const policy = `
version: 1
name: t
mode: shadow
routes:
  - { id: file.read, match: 'GET /api/file/{page}', token: [header, query] }
`;
  const lenient = await openCredentialDoor({ policy });
  try {
    const token = lenient.token('ann');
    for (const line of ['GET /api/file/a/', 'GET /API/file/a', 'GET /elsewhere'])
      await lenient.ask(`${line}?token=${token}&size=2`);
    const targets = lenient.arrived().map(({ target }) => target);
    // Elsewhere it is the server's own parameter.
    expect(targets).toEqual(['/api/file/a/?size=2', '/API/file/a?size=2', `/elsewhere?token=${token}&size=2`]);
  } finally {
    await lenient.close();
  }
});

test('a token that is forwarded would be found', async () => {
  const token = door.token('ann');
  await door.ask(`GET /invited?token=${token}`, { authorization: `Bearer ${token}` });
  asked += 1;
  const requests = door.arrived();
  expect(partsOf(token).length).toBeGreaterThan(1);
  expect(partsOf(token).every((part) => requests.some(({ target }) => target.includes(part)))).toBe(true);
});
