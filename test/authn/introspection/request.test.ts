import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AskIssuerOptions, askIssuer } from '../../../src/authn/introspection/request.ts';
import {
  activeClaims,
  type IntrospectionServer,
  introspectionServer,
  say,
} from '../../support/introspection-server.ts';

let server: IntrospectionServer;
beforeEach(async () => {
  server = await introspectionServer({ good: activeClaims });
});
afterEach(() => server.close());

const open = (more: Partial<AskIssuerOptions> = {}) =>
  askIssuer({ url: server.url, issuer: 'https://issuer.test/', clientId: 'gate way', clientSecret: 'a:b%ü', ...more });

test('asks with a form, under the name and the secret of the gateway', async () => {
  expect(await open()('good')).toEqual(activeClaims);
  const [asked] = server.asked;
  expect(asked?.method).toBe('POST');
  expect(Object.fromEntries(asked?.form ?? [])).toEqual({ token: 'good', token_type_hint: 'access_token' });
  // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
  const [scheme, credentials = ''] = asked?.authorization?.split(' ') ?? [];
  expect([scheme, Buffer.from(credentials, 'base64').toString()]).toEqual(['Basic', 'gate+way:a%3Ab%25%C3%BC']);
});

test('hands on that a token is not active', async () => {
  expect(await open()('other')).toEqual({ active: false });
});

test('sends a token as it is, whatever it holds', async () => {
  const token = 'a+b/c~d.e_f-g==';
  await open()(token);
  expect(server.asked[0]?.form.get('token')).toBe(token);
});

describe('what is no answer is none', () => {
  const body = JSON.stringify(activeClaims);
  const status =
    (code: number, text = body) =>
    (response: ServerResponse) =>
      void response.writeHead(code, { 'content-type': 'application/json', location: '/elsewhere' }).end(text);
  const answered =
    (text: string, type = 'application/json') =>
    (response: ServerResponse) =>
      say(response, text, type);

  const breakOff = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy());
  };

  const notUtf8 = (response: ServerResponse) => {
    const bytes = Buffer.from('{"active":true,"sub":"ann\xff"}', 'latin1');
    response.writeHead(200, { 'content-type': 'application/json' }).end(bytes);
  };

  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ['500', status(500), /answered with 500/],
    ['503 with a page', (response) => void response.writeHead(503).end('<html>'), /answered with 503/],
    ['429', status(429), /answered with 429/],
    ['401, because our secret is not right', status(401, '{"error":"invalid_client"}'), /answered with 401/],
    ['403 that says that the token is active', status(403), /unexpected HTTP|403/],
    ['204', (response) => void response.writeHead(204).end(), /answered with 204/],
    ['201', status(201), /answered with 201/],
    ['a redirect', status(302), /answered with 302/],
    ['a redirect that keeps the method', status(307), /answered with 307/],
    ['a page', answered('<html>active: true</html>', 'text/html'), /not with JSON/],
    ['JSON that is called a page', answered(body, 'text/html'), /not with JSON/],
    ['JSON that is called nothing', (response) => void response.writeHead(200).end(body), /not with JSON/],
    ['a signed answer', answered(body, 'application/token-introspection+jwt'), /not with JSON/],
    ['half of it', answered(body.slice(0, -1)), /not one unambiguous JSON object/],
    ['nothing', answered(''), /not one unambiguous JSON object/],
    ['a list', answered(`[${body}]`), /not one unambiguous JSON object/],
    ['a name twice', answered('{"active":false,"active":true}'), /not one unambiguous JSON object/],
    ['a name twice, spelt differently', answered('{"active":true,"sub":"a","s\\u0075b":"b"}'), /unambiguous/],
    ['deep nesting', answered(`{"active":true,"x":${'['.repeat(20)}${']'.repeat(20)}}`), /unambiguous/],
    ['what is no UTF-8', notUtf8, /unambiguous/],
    ['active as a text', answered('{"active":"true"}'), /active/],
    ['active as a number', answered('{"active":1}'), /active/],
    ['no active', answered('{"sub":"ann"}'), /active/],
    ['a huge one', answered(JSON.stringify({ ...activeClaims, x: 'x'.repeat(65_536) })), /more than 65536 bytes/],
    ['one that breaks off', breakOff, /terminated|closed/],
  ])('%s', async (_, handler, message) => {
    server.answer(handler);
    const failed = await open()('secret-token').then(String, (error: Error) => error);
    expect(failed).toBeInstanceOf(Error);
    expect(String(failed)).toMatch(message);
    expect(String(failed)).not.toContain('secret-token');
    expect((failed as Error).cause).toBeUndefined();
    expect(server.asked).toHaveLength(1);
  });

  test('one that does not end in time', async () => {
    server.answer((response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{'));
    await expect(open({ timeoutMillis: 50 })('good')).rejects.toThrow('timeout');
  });

  test('nobody who listens', async () => {
    const ask = open();
    await server.close();
    await expect(ask('good')).rejects.toThrow('ECONNREFUSED');
    server = await introspectionServer();
  });

  test('an endless one, of which no more is received', async () => {
    let ended = false;
    server.answer((response) => {
      response.on('close', () => {
        ended = true;
      });
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (response.write(' '.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    await expect(open()('good')).rejects.toThrow('more than 65536 bytes');
    await expect.poll(() => ended).toBe(true);
  });
});

test.each([
  'nowhere',
  'ftp://issuer.test/',
  'http://issuer.test/introspect',
  'https://a:b@issuer.test/',
  'http://127.0.0.2/',
])('nobody is asked at %s', (url) => {
  expect(() => open({ url })).toThrow(TypeError);
});
