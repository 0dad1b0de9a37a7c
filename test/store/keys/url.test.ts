import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { urlKeySource } from '../../../src/store/keys/url.ts';
import { type KeyServer, keyServer } from '../../support/token-issuer.ts';

describe('urlKeySource', () => {
  let server: KeyServer;
  beforeEach(async () => {
    server = await keyServer();
  });
  afterEach(() => server.close());
  const never = new AbortController().signal;

  test('returns the document', async () => {
    expect(Buffer.from(await urlKeySource(server.url).read(never)).toString()).toBe('{"keys":[]}');
  });

  test('does not follow a redirect', async () => {
    const other = await keyServer();
    server.answer((response) => response.writeHead(302, { location: other.url }).end());
    await expect(urlKeySource(server.url).read(never)).rejects.toThrow('302');
    expect(other.hits()).toBe(0);
    await other.close();
  });

  test.each([204, 304, 401, 404, 500])('rejects the status %d', async (status) => {
    server.answer((response) => response.writeHead(status).end());
    await expect(urlKeySource(server.url).read(never)).rejects.toThrow(String(status));
  });

  test.each([
    'text/html',
    'text/plain',
    'application/octet-stream',
    'application/jsonp',
    'image/png; x=application/json',
  ])('rejects the type %s', async (type) => {
    server.answer((response) => response.writeHead(200, { 'content-type': type }).end('{"keys":[]}'));
    await expect(urlKeySource(server.url).read(never)).rejects.toThrow(
      `the keys were answered with the type "${type}"`,
    );
  });

  test.each(['application/json', 'application/jwk-set+json', 'Application/JSON;charset=UTF-8', undefined])(
    'takes the type %s',
    async (type) => {
      server.answer((response) =>
        response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end('{}'),
      );
      expect(Buffer.from(await urlKeySource(server.url).read(never)).toString()).toBe('{}');
    },
  );

  test('rejects a document above the bound, and stops receiving it', async () => {
    const gone = vi.fn();
    server.answer((response) => {
      response.on('close', gone);
      response.writeHead(200);
      const more = () => {
        while (response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    await expect(urlKeySource(server.url, { maxBytes: 65_536 }).read(never)).rejects.toThrow('larger than 65536');
    await vi.waitFor(() => expect(gone).toHaveBeenCalled());
  });

  test('rejects an answer that does not end in time', async () => {
    server.answer((response) => response.writeHead(200).write('{"keys":'));
    await expect(urlKeySource(server.url, { timeoutMillis: 50 }).read(never)).rejects.toThrow('timeout');
  });

  test('gives up when told to', async () => {
    const stop = new AbortController();
    server.answer(() => stop.abort());
    await expect(urlKeySource(server.url).read(stop.signal)).rejects.toThrow('abort');
  });

  test.each(['keys', 'file:///etc/passwd', 'http://issuer.test/keys', 'https://a:b@issuer.test/', 'data:,{}'])(
    'is not made for %s',
    (url) => {
      expect(() => urlKeySource(url)).toThrow(TypeError);
    },
  );

  test('is made for plain http elsewhere only when that is allowed', () => {
    expect(() => urlKeySource('http://issuer.test/keys', { plainHttp: true })).not.toThrow();
  });
});
