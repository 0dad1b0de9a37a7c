import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { DEMO_AUDIENCE, type DemoIssuer, openDemoIssuer, rememberAddress } from '../../demo/issuer.ts';

const folder = mkdtempSync(join(tmpdir(), 'issuer-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keysOf = (issuer: DemoIssuer): JSONWebKeySet => JSON.parse(readFileSync(issuer.keysFile, 'utf8'));

async function verified(issuer: DemoIssuer, token: string) {
  const options = { issuer: issuer.url, audience: DEMO_AUDIENCE, algorithms: ['RS256'], typ: 'at+jwt' };
  return (await jwtVerify(token, createLocalJWKSet(keysOf(issuer)), options)).payload;
}

test('a token says who, with which roles and until when, and its key set verifies it', async () => {
  const issuer = await openDemoIssuer(join(folder, 'a'));
  const issuedAtMillis = Date.now();
  const options = { user: 'alice', roles: ['admin'], expiresInSeconds: 60, issuedAtMillis };
  const token = await issuer.issueToken(options);
  const iat = Math.floor(issuedAtMillis / 1000);
  expect(await verified(issuer, token)).toEqual({
    iss: 'http://localhost:57989',
    aud: 'jaaz',
    sub: 'alice',
    roles: ['admin'],
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    iat,
    exp: iat + 60,
  });
  expect(decodeProtectedHeader(token).kid).toBe(keysOf(issuer).keys[0]?.kid);
});

test('the key is kept, is readable by its owner alone, and its private part is not in the key set', async () => {
  const first = await openDemoIssuer(join(folder, 'b'));
  const token = await first.issueToken({ user: 'bob', expiresInSeconds: 60 });
  const again = await openDemoIssuer(join(folder, 'b'));
  expect((await verified(again, token)).sub).toBe('bob');
  const secret = join(folder, 'b', 'demo-issuer', 'private-key.json');
  expect(statSync(secret).mode & 0o777).toBe(0o600);
  expect(Object.keys(keysOf(again).keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
});

test('the address is the given one, or the remembered one, and tokens name it', async () => {
  const data = join(folder, 'e');
  const given = await openDemoIssuer(data, 'http://localhost:1');
  expect((await verified(given, await given.issueToken({ user: 'u', expiresInSeconds: 60 }))).iss).toBe(
    'http://localhost:1',
  );
  expect((await openDemoIssuer(data)).url).toBe('http://localhost:57989');
  rememberAddress(data, given.url);
  expect((await openDemoIssuer(data)).url).toBe('http://localhost:1');
});

test('two that begin at once have one key', async () => {
  const data = join(folder, 'c');
  const issuers = await Promise.all([openDemoIssuer(data), openDemoIssuer(data), openDemoIssuer(data)]);
  for (const issuer of issuers) {
    const token = await issuer.issueToken({ user: 'u', expiresInSeconds: 60 });
    expect((await verified(issuer, token)).sub).toBe('u');
  }
  expect(readdirSync(join(data, 'demo-issuer')).sort()).toEqual(['keys.json', 'private-key.json']);
});

test('a key that cannot be read is told, not replaced', async () => {
  await openDemoIssuer(join(folder, 'd'));
  const secret = join(folder, 'd', 'demo-issuer', 'private-key.json');
  writeFileSync(secret, '{');
  await expect(openDemoIssuer(join(folder, 'd'))).rejects.toThrow(/cannot be read.*Remove it/);
  expect(readFileSync(secret, 'utf8')).toBe('{');
});
