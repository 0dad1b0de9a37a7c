/** Calls to a provider, within limits. What a whole provider can do wrong is in test/attack/login-provider-lies. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awayIn, isAskable, ProviderAway, providerFetch } from '../../../src/authn/oidc/fetch.ts';

let answer: (response: ServerResponse, asked: string) => void;
let server: Server;
let url = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(response, `${request.method} ${request.headers['x-a']} ${Buffer.concat(chunks)}`));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ask = providerFetch({ timeoutMillis: 2000, maxBytes: 1000 });
const get = { method: 'GET', headers: {}, body: undefined };
const json =
  (body: string | Buffer, status = 200, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);

test('sends what is asked and resolves with the whole answer', async () => {
  answer = (response, asked) => json(JSON.stringify({ asked }), 200, { 'x-secret': '1' })(response);
  const answered = await ask(url, { method: 'POST', headers: { 'x-a': 'b' }, body: 'c=d' });
  expect(await answered.json()).toEqual({ asked: 'POST b c=d' });
  expect([...answered.headers.keys()]).toEqual(['content-type']);
});

test('an error that the provider explains is an answer', async () => {
  answer = json('{"error":"invalid_grant"}', 400, { 'www-authenticate': 'Basic' });
  const answered = await ask(url, get);
  expect([answered.status, await answered.json()]).toEqual([400, { error: 'invalid_grant' }]);
});

test.each([
  ['a body of as many bytes as are allowed', `{"a":"${'a'.repeat(992)}"}`, undefined],
  ['a body of one byte more', `{"a":"${'a'.repeat(993)}"}`, 'more than 1000 bytes'],
])('%s', async (_name, body, expected) => {
  answer = json(body);
  if (expected === undefined) expect((await ask(url, get)).status).toBe(200);
  else await expect(ask(url, get)).rejects.toThrow(expected);
});

test('what is counted is what has been unpacked', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(gzipSync(`{"a":"${'a'.repeat(100_000)}"}`));
  };
  await expect(ask(url, get)).rejects.toThrow('more than 1000 bytes');
});

describe('says that the provider is away', () => {
  test.each([
    ['a redirect', json('{}', 302, { location: '/other' })],
    ['a 204', json('', 204)],
    ['a 500', json('{}', 500)],
    ['a 429', json('{}', 429)],
    ['a 408', json('{}', 408)],
    ['a 404 that is a page', (response: ServerResponse) => void response.writeHead(404).end('<html>')],
    ['what says that it is a page', json('{"error":"invalid_grant"}', 400, { 'content-type': 'text/html' })],
    ['what does not say what it is', json('{}', 200, { 'content-type': '' })],
    ['a list', json('[]')],
    ['nothing', json('')],
    ['a member twice', json('{"a":1,"a":2}')],
    ['a deep nest', json(`${'{"a":'.repeat(20)}1${'}'.repeat(20)}`)],
    ['bytes that are no text', json(Buffer.from('{"\u00ff":1}', 'latin1'))],
  ])('on %s', async (_name, how) => {
    answer = how;
    await expect(ask(url, get)).rejects.toThrow(ProviderAway);
  });

  test('when nobody listens, in the words of the system', async () => {
    await expect(ask('http://127.0.0.1:1/', get)).rejects.toThrow(/ECONNREFUSED|bad port/);
  });

  test('when the time is over', async () => {
    answer = () => undefined;
    const hasty = providerFetch({ timeoutMillis: 50, maxBytes: 1000 });
    await expect(hasty(url, get)).rejects.toThrow(/timeout/);
  });

  test('without asking, where the address is not acceptable', async () => {
    await expect(ask('http://evil.example/', get)).rejects.toThrow('not https');
  });
});

test('the body of an answer is in no error', async () => {
  answer = json('{"id_token":"secret');
  const error: unknown = await ask(url, get).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProviderAway);
  expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain('secret');
});

test.each([
  ['https://issuer.example', true],
  ['https://issuer.example:8443/a?b=c', true],
  ['http://localhost:1', true],
  ['http://127.0.0.1:1', true],
  ['http://[::1]:1', true],
  ['http://issuer.example', false],
  ['http://127.0.0.2', false],
  ['http://localhost.evil.example', false],
  ['http://localhost@evil.example', false],
  ['https://user@issuer.example', false],
  ['https://:pass@issuer.example', false],
  ['https://issuer.example/#a', false],
  ['ftp://issuer.example', false],
  ['file:///etc/passwd', false],
  ['issuer.example', false],
  ['', false],
  [7, false],
  [undefined, false],
])('%j may be asked: %j', (address, expected) => {
  expect(isAskable(address)).toBe(expected);
});

test('what a library has wrapped is found, and nothing else is', () => {
  const away = new ProviderAway('answered with 500');
  expect(awayIn(new Error('a', { cause: new Error('b', { cause: away }) }))).toBe(away);
  expect(awayIn(new Error('a', { cause: 'b' }))).toBeUndefined();
  expect(awayIn('a')).toBeUndefined();
  const loop = new Error('a');
  loop.cause = loop;
  expect(awayIn(loop)).toBeUndefined();
});
