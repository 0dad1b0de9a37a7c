/**
 * Who changes the policy can open everything. A page in the operator's browser reaches the admin listener (DNS rebinding,
 * cross-site requests), other users of the machine do too, and everybody reaches the public one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyStatus } from '../../src/policy/status.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type SilentUpstream, startSilentUpstream } from '../support/silent-upstream.ts';
import { exchange, portOf, requestText } from '../support/wire.ts';

let gateway: GatewayProcess;
let upstream: SilentUpstream;
let token: string;
beforeAll(async () => {
  upstream = await startSilentUpstream();
  gateway = await startGatewayProcess(upstream.url);
  token = readFileSync(join(gateway.directory, 'admin.token'), 'utf8').trim();
});
afterAll(async () => {
  await gateway.stop();
  await upstream.close();
});

const adminPort = (): number => portOf(gateway.adminUrl());

/** Sends one request to a port and returns `status code` of its answer. */
const send = async (port: number, line: string, headers: readonly string[]): Promise<string> => {
  const { answers } = await exchange(port, requestText(line, [...headers, 'Content-Length: 0', 'Connection: close']));
  const [answer] = answers;
  return `${answer?.status} ${answer?.code}`;
};

const DEEDS = ['POST /policy/reload HTTP/1.1', 'POST /policy/rollback HTTP/1.1'];

const outcomes = async (port: number, headers: readonly string[]): Promise<string[]> =>
  [...new Set(await Promise.all(DEEDS.map((line) => send(port, line, headers))))].sort();

/** Whatever was tried. */
afterEach(async () => {
  const status = (await (await fetch(`${gateway.adminUrl()}/policy`)).json()) as PolicyStatus;
  expect(status).toMatchObject({ generation: 1, rolledBackFrom: null, lastFailure: null });
});

test('with the token, from this machine, the admin API does as it is told', async () => {
  const headers = [`Host: localhost:${adminPort()}`, `Authorization: Bearer ${token}`];
  expect(await outcomes(adminPort(), headers)).toEqual(['200 undefined', '409 undefined']);
});

describe('without the token nothing is changed', () => {
  test.each([
    ['none', []],
    ['an empty one', ['Authorization: Bearer ']],
    ['another one', [`Authorization: Bearer ${'A'.repeat(43)}`]],
    ['the beginning of it', () => [`Authorization: Bearer ${token.slice(0, -1)}`]],
    ['it in a cookie', () => [`Cookie: token=${token}`]],
    ['two, one of them right', () => ['Authorization: Bearer x', `Authorization: Bearer ${token}`]],
  ])('%s', async (_, headers) => {
    const shown = typeof headers === 'function' ? headers() : headers;
    expect(await outcomes(adminPort(), [`Host: 127.0.0.1:${adminPort()}`, ...shown])).toEqual([
      shown.some((header) => header.startsWith('Authorization')) ? '401 token-signature' : '401 token-missing',
    ]);
  });

  test('a user’s own token is none', async () => {
    const headers = [`Host: localhost:${adminPort()}`, `Authorization: Bearer ${await gateway.issuer.token('alice')}`];
    expect(await outcomes(adminPort(), headers)).toEqual(['401 token-signature']);
  });
});

describe('a page in the operator’s browser', () => {
  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example'])(
    'that has its name %s point at this machine is told nothing and changes nothing',
    async (name) => {
      const host = `${name}:${adminPort()}`;
      const headers = [`Host: ${host}`, `Origin: http://${host}`, `Authorization: Bearer ${token}`];
      expect(await outcomes(adminPort(), headers)).toEqual(['421 host-unknown']);
      expect(await send(adminPort(), 'GET /policy HTTP/1.1', [`Host: ${host}`])).toBe('421 host-unknown');
      expect(await send(adminPort(), `GET http://localhost:${adminPort()}/policy HTTP/1.1`, [`Host: ${host}`])).toBe(
        '421 host-unknown',
      );
    },
  );

  test.each(['https://evil.example', 'null', 'http://localhost:1', 'http://localhost'])(
    'of the origin %s is refused, even with the token',
    async (origin) => {
      const headers = [`Host: localhost:${adminPort()}`, `Origin: ${origin}`, `Authorization: Bearer ${token}`];
      expect(await outcomes(adminPort(), headers)).toEqual(['403 origin-refused']);
      expect(await send(adminPort(), 'GET /policy HTTP/1.1', headers)).toBe('403 origin-refused');
    },
  );

  test('is given no permission by a preflight', async () => {
    const headers = [`Host: localhost:${adminPort()}`, 'Origin: https://evil.example'];
    const { answers } = await exchange(
      adminPort(),
      requestText('OPTIONS /policy/reload HTTP/1.1', [...headers, 'Connection: close']),
    );
    expect(answers[0]?.status).toBe(403);
    expect(answers[0]?.head.toLowerCase()).not.toContain('access-control');
  });
});

describe('on the public listener', () => {
  test.each([
    ['as it is', []],
    ['with the admin’s Host', () => [`Host: localhost:${adminPort()}`]],
    ['with forwarding headers', () => [`X-Forwarded-Host: localhost:${adminPort()}`, 'X-Original-URL: /policy/reload']],
  ])('there is no policy, %s, even with the token', async (_, more) => {
    const port = portOf(gateway.url());
    const extra = typeof more === 'function' ? more() : more;
    const host = extra.some((header) => header.startsWith('Host')) ? [] : [`Host: 127.0.0.1:${port}`];
    const headers = [...host, ...extra, `Authorization: Bearer ${token}`];
    expect(await outcomes(port, headers)).toEqual(['404 route-unknown']);
    expect(await send(port, 'GET /policy HTTP/1.1', headers)).toBe('404 route-unknown');
    expect(upstream.arrived.filter((line) => line.includes('/policy'))).toEqual([]);
  });
});

test('the token is in no line of the log', () => {
  expect(JSON.stringify(gateway.log())).not.toContain(token);
});
