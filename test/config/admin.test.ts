import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { adminPlace, urlOf } from '../../src/config/admin.ts';

const folder = mkdtempSync(join(tmpdir(), 'admin-place-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'gateway.yaml');
const write = (more: string): void =>
  writeFileSync(
    file,
    `issuers: [{ name: a, issuer: urn:a, audience: jaaz, keys: { secret: env } }]\npolicies: [gone.yaml]\n${more}`,
  );

describe('the admin side', () => {
  test('is found although secrets, policies and the upstream are missing', () => {
    write('');
    expect(adminPlace({ file, variables: {} })).toEqual({
      url: 'http://127.0.0.1:9090',
      tokenFile: join(folder, 'data', 'admin.token'),
    });
  });

  test('is where the flag says, else the environment, else the file', () => {
    write("admin: { host: '::1', port: 1 }\nledger: { sqlite: here/l.db }\n");
    const variables = { JAAZ_GATEWAY_ADMIN_PORT: '2' };
    expect(adminPlace({ file, variables: {} })).toEqual({
      url: 'http://[::1]:1',
      tokenFile: join(folder, 'here', 'admin.token'),
    });
    expect(adminPlace({ file, variables })).toMatchObject({ url: 'http://[::1]:2' });
    expect(adminPlace({ file, flags: { adminPort: 3 }, variables })).toMatchObject({ url: 'http://[::1]:3' });
  });

  test('is not guessed from a file that is wrong, or away, nor from a wrong variable', () => {
    write('admin: { prot: 1 }\n');
    expect(adminPlace({ file, variables: {} })).toMatchObject({ faults: [{ file, line: 3 }] });
    expect(adminPlace({ file: join(folder, 'none.yaml'), variables: {} })).toMatchObject({ faults: [{ line: 1 }] });
    write('');
    expect(adminPlace({ file, variables: { JAAZ_GATEWAY_ADMIN_PORT: 'x' } })).toMatchObject({
      faults: [{ file: 'JAAZ_GATEWAY_ADMIN_PORT' }],
    });
  });
});

test.each([
  ['0.0.0.0', 'http://127.0.0.1:80'],
  ['::', 'http://127.0.0.1:80'],
  ['fd00::1', 'http://[fd00::1]:80'],
  ['10.0.0.1', 'http://10.0.0.1:80'],
])('a listener on %s is reached at %s', (address, url) => {
  expect(urlOf({ address, port: 80 })).toBe(url);
});
