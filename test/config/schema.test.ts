import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSupportedAlgorithm } from '../../src/authn/jwk.ts';
import { loadConfig } from '../../src/config/load.ts';
import { checkGatewayFile } from '../../src/config/schema.ts';
import { ALGORITHMS } from '../../src/config/schema-issuer.ts';
import { parseDocument } from '../../src/policy/document.ts';
import { formatFault } from '../../src/policy/fault.ts';

test('every algorithm of public keys that can be configured can be verified, and no other', () => {
  expect(ALGORITHMS.filter((algorithm) => !isSupportedAlgorithm(algorithm))).toEqual(['HS256']);
});

test('an empty section means its defaults', () => {
  const text =
    'issuers: [{ name: a, issuer: a, audience: a, keys: { file: a } }]\npolicies: [a]\naudit: {}\nlisten: {}\n';
  const parsed = parseDocument({ file: 'g', text });
  expect('document' in parsed && checkGatewayFile(parsed.document)).toMatchObject({
    value: { audit: { file: 'data/audit.ndjson' }, listen: { port: 8080 } },
  });
});

const page = readFileSync('docs/configuration.md', 'utf8');
const sample = /```yaml\n(listen:[^`]*)```/.exec(page)?.[1] ?? '';

function faultsOf(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'documentation-'));
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies', 'jaaz.yaml'), '');
  writeFileSync(join(folder, 'gateway.yaml'), text);
  const result = loadConfig({ file: join(folder, 'gateway.yaml'), variables: {} });
  rmSync(folder, { recursive: true });
  return 'faults' in result ? result.faults.map(formatFault) : [];
}

describe('a sample', () => {
  test('on the page is valid', () => {
    expect(sample).toContain('upstream:');
    expect(faultsOf(sample)).toEqual([]);
  });

  test('at the root is valid, with everything in it that is commented out', () => {
    const file = readFileSync('gateway.yaml', 'utf8');
    expect(faultsOf(file)).toEqual([]);
    const keyFile = /^ *# - \{ name: partner.*\n/m;
    expect(file).toMatch(keyFile);
    const whole = file
      .replace(keyFile, '')
      .replace('# - { name: script', '- { name: script')
      .replace(/# (url|hosts|trusted-proxies|origins|assertion|login):/g, '$1:')
      .replace('# redis:', 'redis:')
      .replace('#   url: redis', '  url: redis')
      .replace('# sockets:', 'sockets:')
      .replace('# sessions:', 'sessions:')
      .replace(
        /^# {3}(per-user|per-address|packets-per-second|burst|waiting|connect-timeout|idle|lifetime|secret):/gm,
        '  $1:',
      );
    expect(whole).not.toMatch(/^# +[a-z-]+: /m);
    expect(faultsOf(whole).map((fault) => fault.replace(/^\S+ /, ''))).toEqual([
      'the environment holds no secret (expected the variable JAAZ_GATEWAY_ISSUER_CORP_CLIENT_SECRET)',
      'the environment holds no secret (expected the variable JAAZ_GATEWAY_ISSUER_SCRIPT_SECRET)',
      'the environment holds no secret (expected the variable JAAZ_GATEWAY_SESSION_SECRET)',
    ]);
  });
});

test('the page names every setting and every default', () => {
  const settings = [
    ['listen.host', '0.0.0.0'],
    ['listen.port', '8080'],
    ['admin.host', '127.0.0.1'],
    ['admin.port', '9090'],
    ['ledger.sqlite', 'data/ownership.db'],
    ['audit.file', 'data/audit.ndjson'],
    ['log.level', 'info'],
    ['claims.user', 'sub'],
    ['claims.roles', 'roles'],
    ['clock-tolerance', '30s'],
    ['types', '[at+jwt, jwt]'],
    ['sockets.per-user', '50'],
    ['sockets.per-address', '200'],
    ['sockets.packets-per-second', '50'],
    ['sockets.burst', '100'],
    ['sockets.waiting', '64MiB'],
    ['sockets.connect-timeout', '10s'],
  ];
  for (const [key, value] of settings) expect(page).toContain(`| \`${key}\` | \`${value}\` |`);
  for (const key of [
    'listen.hosts',
    'listen.trusted-proxies',
    'listen.origins',
    'upstream.url',
    'redis.url',
    'issuer',
  ]) {
    expect(page).toContain(`| \`${key}\` |`);
  }
});
