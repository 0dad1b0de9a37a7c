import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRouteList } from '../../src/cli/route-list.ts';
import { nowhere } from '../support/bare-upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'route-list-'));
afterAll(() => rmSync(folder, { recursive: true }));

const asked = async (listener: RequestListener, timeoutMillis?: number): Promise<unknown> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await readRouteList(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi.json`,
      timeoutMillis,
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

const write = (name: string, text: string | Buffer): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

describe('a list at an URL', () => {
  test('is what is answered', async () => {
    expect(await asked((_request, response) => response.end('{"openapi":"3.1.0"}'))).toEqual({ openapi: '3.1.0' });
  });

  test.each<[string, RequestListener, string]>([
    ['a refusal', (_request, response) => response.writeHead(404).end('{}'), 'it was answered with 404'],
    [
      'a redirect',
      (_request, response) => response.writeHead(307, { location: '/other' }).end('{}'),
      'it was answered with 307',
    ],
    ['a page', (_request, response) => response.end('<html>'), 'it is not JSON'],
    ['what is not UTF-8', (_request, response) => response.end(Buffer.of(0x22, 0xff, 0x22)), 'it is not JSON'],
    ['an answer without end', (_request, response) => void flood(response), 'it is larger than 16777216 bytes'],
    ['no answer', () => undefined, 'there was no whole answer within 200 ms'],
    ['half an answer', (_request, response) => void response.write('{'), 'there was no whole answer within 200 ms'],
  ])('is not %s', async (_what, listener, message) => {
    await expect(asked(listener, message.includes('200 ms') ? 200 : undefined)).rejects.toThrow(message);
  });

  test('is not where nobody listens', async () => {
    await expect(readRouteList(`${await nowhere()}/openapi.json`)).rejects.toThrow(
      'it cannot be reached: ECONNREFUSED',
    );
  });

  test('is asked for with no password', async () => {
    await expect(readRouteList('http://me:secret@127.0.0.1/')).rejects.toThrow('the URL holds a password');
    await expect(readRouteList('http://:x:/')).rejects.toThrow('it is not an URL');
  });
});

const flood = (response: { write(chunk: Buffer): boolean; on(event: 'drain', next: () => void): unknown }): void => {
  const chunk = Buffer.alloc(1 << 20, ' ');
  const more = (): void => {
    while (response.write(chunk));
  };
  response.on('drain', more);
  more();
};

describe('a list in a file', () => {
  test('is what it says', async () => {
    expect(await readRouteList(write('a.json', '[1]'))).toEqual([1]);
  });

  test('is not one that is missing, wrong or too large', async () => {
    await expect(readRouteList(join(folder, 'missing'))).rejects.toThrow('the file cannot be read: ENOENT');
    await expect(readRouteList(folder)).rejects.toThrow('the file cannot be read: EISDIR');
    await expect(readRouteList(write('b.json', 'openapi: 3.1.0'))).rejects.toThrow('it is not JSON');
    const large = write('c.json', '');
    truncateSync(large, 16 * 1024 * 1024 + 1);
    await expect(readRouteList(large)).rejects.toThrow('it is larger than 16777216 bytes');
  });
});
