import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keySource } from '../../../src/store/keys/source.ts';

const never = new AbortController().signal;

test('reads a file where a file is named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'));
  await writeFile(join(folder, 'keys.json'), '{"keys":[1]}');
  const bytes = await keySource({ file: join(folder, 'keys.json') }).read(never);
  await rm(folder, { recursive: true });
  expect(Buffer.from(bytes).toString()).toBe('{"keys":[1]}');
});

test('asks a server where an URL is named', async () => {
  const server = createServer((_request, response) => response.end('{"keys":[2]}'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const bytes = await keySource({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }).read(never);
  server.closeAllConnections();
  server.close();
  expect(Buffer.from(bytes).toString()).toBe('{"keys":[2]}');
});

test('lets no operator fetch keys in the clear from another host', () => {
  expect(() => keySource({ url: 'http://issuer.test/keys' })).toThrow(TypeError);
});
