import { createServer, request, type Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { admin } from '../../src/server/admin.ts';
import type { AdminPolicy } from '../../src/server/admin-policy.ts';
import { listen, shutDown } from '../../src/server/shutdown.ts';

let server: Server = createServer();
afterEach(() => shutDown(server, 0));

interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const open = async (more: Partial<AdminPolicy> = {}) => {
  const done: string[] = [];
  const act = (deed: string) => () => {
    done.push(deed);
    return { done: true, answer: { outcome: deed } };
  };
  server = admin({
    checks: {
      ledger: async () => undefined,
      upstream: () => true,
      keys: () => true,
      audit: () => true,
      redis: undefined,
    },
    scrape: async () => ({ text: '', contentType: 'text/plain' }),
    policy: {
      host: 'admin.internal',
      token: 'right-token',
      status: () => ({ generation: 1 }),
      reload: act('loaded'),
      rollBack: act('rolled-back'),
      ...more,
    },
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  const call = ({ method = 'GET', path = '/policy', host = `127.0.0.1:${port}`, headers = {} }: Call) =>
    new Promise<{ status: number; code: unknown; body: unknown }>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', method, path, headers: { host, ...headers } };
      const sent = request(options, async (response) => {
        const text = (await response.toArray()).join('');
        const body = text.startsWith('{') ? JSON.parse(text) : text;
        resolve({ status: response.statusCode ?? 0, code: body.code, body });
      });
      sent.on('error', reject).end();
    });
  return { call, done, port };
};

const BEARER = { authorization: 'Bearer right-token' };

describe('the policy’s status', () => {
  test.each(['localhost', 'LOCALHOST:1', '127.0.0.1:9090', '[::1]:9090', 'admin.internal', 'Admin.Internal:9090'])(
    'is told at the host %s, without a token',
    async (host) => {
      const { call } = await open();
      expect(await call({ host })).toMatchObject({ status: 200, body: { generation: 1 } });
    },
  );

  test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', '0.0.0.0'])(
    'is not told at the host %j',
    async (host) => {
      const { call } = await open();
      expect(await call({ host })).toMatchObject({ status: 421, code: 'host-unknown' });
    },
  );

  test('is told at an address of version 6 that is configured', async () => {
    const { call } = await open({ host: 'fd00::1' });
    expect((await call({ host: '[fd00::1]:9090' })).status).toBe(200);
  });

  test('is told to its own page, and to no other', async () => {
    const { call, port } = await open();
    const from = async (origin: string) => (await call({ headers: { origin } })).status;
    expect(await from(`http://127.0.0.1:${port}`)).toBe(200);
    expect(await from('http://127.0.0.1:1')).toBe(403);
    expect(await from('https://evil.example')).toBe(403);
    expect(await from('null')).toBe(403);
  });
});

describe('what changes the policy', () => {
  test.each([
    ['/policy/reload', 'loaded'],
    ['/policy/rollback', 'rolled-back'],
  ])('%s is done with the token', async (path, outcome) => {
    const { call, done } = await open();
    expect(await call({ method: 'POST', path, headers: BEARER })).toMatchObject({ status: 200, body: { outcome } });
    expect(done).toEqual([outcome]);
  });

  test('is answered with 409 when it could not be done', async () => {
    const { call } = await open({ reload: () => ({ done: false, answer: { outcome: 'refused' } }) });
    const answer = await call({ method: 'POST', path: '/policy/reload', headers: BEARER });
    expect(answer).toMatchObject({ status: 409, body: { outcome: 'refused' } });
  });

  test.each([
    ['no token', {}, 401, 'token-missing'],
    ['another token', { authorization: 'Bearer wrong-token' }, 401, 'token-signature'],
    ['a longer token', { authorization: 'Bearer right-token2' }, 401, 'token-signature'],
    ['the bare token', { authorization: 'right-token' }, 401, 'token-signature'],
    ['a page of another origin', { ...BEARER, origin: 'https://evil.example' }, 403, 'origin-refused'],
  ])('is refused with %s', async (_, headers, status, code) => {
    const { call, done } = await open();
    for (const path of ['/policy/reload', '/policy/rollback', '/policy/other', '/policy'])
      expect(await call({ method: 'POST', path, headers }), path).toMatchObject({ status, code });
    expect(done).toEqual([]);
  });

  test('is refused at a foreign host, token or not', async () => {
    const { call, done } = await open();
    const answer = await call({ method: 'POST', path: '/policy/reload', host: 'evil.example', headers: BEARER });
    expect(answer).toMatchObject({ status: 421, code: 'host-unknown' });
    expect(done).toEqual([]);
  });

  test('is not done by looking', async () => {
    const { call, done } = await open();
    for (const path of ['/policy/reload', '/policy/rollback'])
      expect((await call({ path, headers: BEARER })).status).toBe(404);
    expect(done).toEqual([]);
  });
});

test('health and metrics are open to any host', async () => {
  const { call } = await open();
  for (const path of ['/livez', '/readyz', '/metrics'])
    expect((await call({ path, host: 'pod-7.cluster' })).status, path).toBe(200);
});
