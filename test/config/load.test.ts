import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type LoadOptions, loadConfig } from '../../src/config/load.ts';
import { formatFault } from '../../src/policy/fault.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'policies'));
writeFileSync(join(folder, 'policies', 'p.yaml'), '');
writeFileSync(join(folder, 'keys.json'), '{"keys":[]}');
const file = join(folder, 'gateway.yaml');

const ISSUER = '{ name: corp, issuer: https://i, audience: jaaz, keys: { url: https://i/keys } }';
const LEAST = `upstream: { url: http://up:1/ }\nissuers: [${ISSUER}]\npolicies: [policies/p.yaml]\n`;

type Sources = Omit<LoadOptions, 'file' | 'variables'> & Partial<Pick<LoadOptions, 'variables'>>;

function load(text: string, sources: Sources = {}) {
  writeFileSync(file, text);
  return loadConfig({ file, variables: {}, ...sources });
}

function configOf(text: string, sources: Sources = {}): Config {
  const result = load(text, sources);
  if ('faults' in result) throw new Error(result.faults.map(formatFault).join('\n'));
  return result.config;
}

function faultsOf(text: string, sources: Sources = {}): string[] {
  const result = load(text, sources);
  return 'faults' in result ? result.faults.map((fault) => formatFault(fault).replace(`${folder}/`, '')) : [];
}

describe('the least file', () => {
  test('is completed with defaults, and its paths are absolute', () => {
    expect(configOf(LEAST)).toEqual({
      file,
      listen: { host: '0.0.0.0', port: 8080, url: undefined, hosts: undefined, trustedProxies: [], origins: [] },
      admin: { host: '127.0.0.1', port: 9090 },
      upstream: { url: 'http://up:1', assertion: undefined },
      issuers: [
        {
          name: 'corp',
          issuer: 'https://i',
          audience: 'jaaz',
          algorithms: ['RS256'],
          keys: { url: 'https://i/keys' },
          claims: { user: 'sub', roles: 'roles' },
          types: ['at+jwt', 'jwt'],
          clockToleranceSeconds: 30,
        },
      ],
      ledger: { sqlite: join(folder, 'data/ownership.db') },
      redis: undefined,
      sockets: {
        perUser: 50,
        perAddress: 200,
        packetsPerSecond: 50,
        burst: 100,
        waitingBytes: 67_108_864,
        connectMillis: 10_000,
      },
      sessions: { idleMillis: 43_200_000, lifetimeMillis: 604_800_000, store: 'ledger', secrets: [] },
      policies: [join(folder, 'policies/p.yaml')],
      audit: { file: join(folder, 'data/audit.ndjson') },
      log: { level: 'info' },
    });
  });

  test('needs upstream, issuers and policies', () => {
    expect(faultsOf('{}')).toEqual([
      'gateway.yaml:1:1: missing key "issuers" (expected a list)',
      'gateway.yaml:1:1: missing key "policies" (expected a list)',
    ]);
    expect(faultsOf(LEAST.replace(/^upstream.*\n/, ''))).toEqual([
      'gateway.yaml:1:1: missing key "upstream" (expected { url })',
    ]);
  });
});

test('every key of a full file arrives', () => {
  const config = configOf(`
listen: { host: '::', port: 1, hosts: [a.example.com], trusted-proxies: [10.0.0.0/8], origins: [https://b] }
admin: { host: 0.0.0.0, port: 2 }
upstream: { url: https://up }
issuers:
  - name: a
    issuer: urn:a
    audience: [x, y]
    algorithms: [ES256, EdDSA]
    keys: { file: keys.json }
    claims: { user: /u/id, roles: /u/roles }
    types: [jwt]
    clock-tolerance: 1m
ledger: { sqlite: /var/l.db }
redis: { url: redis://r }
sockets: { per-user: 1, per-address: 2, packets-per-second: 3, burst: 4, waiting: 1GiB, connect-timeout: 5m }
policies: [policies/p.yaml]
audit: off
log: { level: debug }
`);
  expect(config).toMatchObject({
    listen: { host: '::', port: 1, hosts: ['a.example.com'], trustedProxies: ['10.0.0.0/8'], origins: ['https://b'] },
    admin: { host: '0.0.0.0', port: 2 },
    upstream: { url: 'https://up' },
    ledger: { sqlite: '/var/l.db' },
    redis: { url: 'redis://r' },
    sockets: {
      perUser: 1,
      perAddress: 2,
      packetsPerSecond: 3,
      burst: 4,
      waitingBytes: 1_073_741_824,
      connectMillis: 300_000,
    },
    audit: undefined,
    log: { level: 'debug' },
  });
  expect(config.issuers).toEqual([
    {
      name: 'a',
      issuer: 'urn:a',
      audience: ['x', 'y'],
      algorithms: ['ES256', 'EdDSA'],
      keys: { file: join(folder, 'keys.json') },
      claims: { user: '/u/id', roles: '/u/roles' },
      types: ['jwt'],
      clockToleranceSeconds: 60,
    },
  ]);
});

describe('precedence', () => {
  const variables = {
    JAAZ_GATEWAY_PORT: '2',
    JAAZ_GATEWAY_UPSTREAM_URL: 'http://env',
    JAAZ_GATEWAY_REDIS_URL: 'redis://e',
  };

  test('a flag goes before the environment, that before the file, that before the default', () => {
    const text = `${LEAST}listen: { port: 1 }\n`;
    expect(configOf(LEAST).listen.port).toBe(8080);
    expect(configOf(text).listen.port).toBe(1);
    expect(configOf(text, { variables }).listen.port).toBe(2);
    expect(configOf(text, { variables, flags: { port: 3 } }).listen.port).toBe(3);
  });

  test('the environment may name the upstream and Redis when the file does not', () => {
    const config = configOf(LEAST.replace(/^upstream.*\n/, ''), { variables });
    expect(config.upstream.url).toBe('http://env');
    expect(config.redis).toEqual({ url: 'redis://e' });
  });
});

describe('a secret', () => {
  const shared = (keys: string, more = '') =>
    LEAST.replace(ISSUER, `{ name: my-app, issuer: urn:i, audience: x, keys: ${keys}${more} }`);
  const long = 's'.repeat(32);
  const variable = 'JAAZ_GATEWAY_ISSUER_MY_APP_SECRET';

  test('comes from the file or, before that, from the environment', () => {
    const secret = (text: string, value?: string) => configOf(text, { variables: { [variable]: value } }).issuers[0];
    expect(secret(shared(`{ secret: ${long} }`))).toMatchObject({ keys: { secret: long }, algorithms: ['HS256'] });
    expect(secret(shared(`{ secret: ${long} }`), 'e'.repeat(32))).toMatchObject({ keys: { secret: 'e'.repeat(32) } });
    expect(secret(shared('{ secret: env }'), 'e'.repeat(32))).toMatchObject({ keys: { secret: 'e'.repeat(32) } });
  });

  test('that is promised in the environment must be there', () => {
    expect(faultsOf(shared('{ secret: env }'))).toEqual([
      `gateway.yaml:2:71: the environment holds no secret (expected the variable ${variable})`,
    ]);
  });

  test('has 32 bytes or more, and is not told when it has not', () => {
    const inFile = faultsOf(shared('{ secret: hunter2 }'));
    const inEnvironment = faultsOf(shared('{ secret: env }'), { variables: { [variable]: 'hunter2' } });
    expect(inFile).toEqual([
      'gateway.yaml:2:71: the secret is too short (found 7 bytes, expected a secret of 32 bytes or more)',
    ]);
    expect(inEnvironment).toEqual([
      `${variable}: this environment variable is not acceptable (expected a secret of 32 bytes or more)`,
    ]);
  });

  test.each(['keys: hunter2', 'keys: [hunter2]', 'keys: { secret: { hunter2: 1 } }'])(
    'is not told when it stands in the wrong place: %s',
    (keys) => {
      const faults = faultsOf(LEAST.replace('keys: { url: https://i/keys }', keys));
      expect(faults.length).toBeGreaterThan(0);
      expect(faults.join()).not.toContain('"hunter2"');
    },
  );

  test('goes with HS256 alone, and HS256 with a secret alone', () => {
    expect(faultsOf(shared(`{ secret: ${long} }`, ', algorithms: [HS256, RS256]'))[0]).toContain(
      'this algorithm cannot use a secret (found RS256, expected HS256 alone)',
    );
    expect(faultsOf(shared('{ file: keys.json }', ', algorithms: [HS256]'))[0]).toContain(
      'this algorithm needs a secret, not public keys (found HS256',
    );
  });
});

describe('a fault', () => {
  const issuer = (change: string) => LEAST.replace(ISSUER, ISSUER.replace(/ }$/, `, ${change} }`));
  test.each([
    ['an unknown key', `${LEAST}ledgre: {}`, '4:1: unknown key "ledgre", did you mean "ledger"?'],
    ['a port out of range', `${LEAST}listen: { port: 65536 }`, '4:17: listen.port is too large'],
    [
      'a range that is none',
      `${LEAST}listen: { trusted-proxies: [10.0.0.0/33] }`,
      '4:29: listen.trusted-proxies[0] is not acceptable',
    ],
    ['an origin with a path', `${LEAST}listen: { origins: [https://a/] }`, '4:21: listen.origins[0] is not acceptable'],
    ['a host that is none', `${LEAST}listen: { hosts: [a b] }`, '4:19: listen.hosts[0] is not acceptable'],
    [
      'one port for both listeners',
      `${LEAST}admin: { port: 8080 }`,
      '4:16: the public and the admin listener have the same port',
    ],
    ['an upstream with a path', LEAST.replace('up:1/', 'up/x'), '1:18: upstream.url is not acceptable'],
    ['an alias of the wrong form', LEAST.replace('corp', 'Co|rp'), '2:19: issuers[0].name is not acceptable'],
    ['an alias that is too long', LEAST.replace('corp', 'c'.repeat(33)), '2:19: issuers[0].name is not acceptable'],
    ['an algorithm that is none', issuer('algorithms: [none]'), 'issuers[0].algorithms[0] is not acceptable'],
    ['no algorithm at all', issuer('algorithms: []'), 'issuers[0].algorithms is too small'],
    ['too much tolerance', issuer('clock-tolerance: 1h'), 'issuers[0].clock-tolerance is not acceptable'],
    ['keys in clear', LEAST.replace('https://i/keys', 'http://i/keys'), 'issuers[0].keys.url is not acceptable'],
    [
      'keys of two kinds',
      LEAST.replace('keys: {', 'keys: { file: keys.json,'),
      'issuers[0].keys has none of the forms',
    ],
    [
      'keys that are not there',
      LEAST.replace('url: https://i/keys', 'file: nope.json'),
      'there is no such file (found "nope.json"',
    ],
    [
      'a policy that is not there',
      LEAST.replace('p.yaml', 'q.yaml'),
      '3:12: there is no such file (found "policies/q.yaml"',
    ],
    ['a policy that is a folder', LEAST.replace('policies/p.yaml', 'policies'), '3:12: there is no such file'],
    ['no policy at all', LEAST.replace('policies/p.yaml', ''), '3:11: policies is too small'],
  ])('is %s', (_, text, expected) => {
    const faults = faultsOf(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(expected);
  });

  test('is a second issuer with the same alias or the same name', () => {
    const twice = LEAST.replace(ISSUER, `${ISSUER}, ${ISSUER}`);
    expect(faultsOf(twice).map((fault) => fault.replace(/^\S+ /, ''))).toEqual([
      'issuers[0] has the same name (found "corp", expected another)',
      'issuers[0] has the same issuer (found "https://i", expected another)',
    ]);
  });

  test('never hides another: form, meaning, disk and environment are told together', () => {
    const text = `bogus: 1\nissuers: [${ISSUER}, ${ISSUER.replace('https://i,', 'urn:2,')}]\npolicies: [nope]\nlog: { level: loud }`;
    const faults = faultsOf(text, { variables: { JAAZ_GATEWAY_PORT: 'x' } });
    expect(faults.map((fault) => fault.replace(/ \(.*/, ''))).toEqual([
      'gateway.yaml:1:1: unknown key "bogus"',
      'gateway.yaml:2:101: issuers[0] has the same name',
      'gateway.yaml:3:12: there is no such file',
      'gateway.yaml:4:15: log.level is not acceptable',
      'JAAZ_GATEWAY_PORT: this environment variable is not acceptable',
    ]);
  });

  test('still lets the policies be found', () => {
    expect(load(`${LEAST}bogus: 1`)).toMatchObject({ policies: [join(folder, 'policies/p.yaml')] });
  });
});
