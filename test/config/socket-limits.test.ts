import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatFault } from '../../src/policy/fault.ts';

const folder = mkdtempSync(join(tmpdir(), 'socket-limits-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'p.yaml'), '');
const file = join(folder, 'gateway.yaml');
const LEAST = `upstream: { url: http://up:1 }
issuers: [{ name: a, issuer: a, audience: a, keys: { url: https://i/keys } }]
policies: [p.yaml]
`;

const load = (text: string) => {
  writeFileSync(file, `${LEAST}${text}`);
  return loadConfig({ file, variables: {} });
};

test('what is not said is as it always was', () => {
  const result = load('sockets: { per-user: 7 }');
  expect('config' in result && result.config.sockets).toEqual({
    perUser: 7,
    perAddress: 200,
    packetsPerSecond: 50,
    burst: 100,
    waitingBytes: 67_108_864,
    connectMillis: 10_000,
  });
});

describe('a fault', () => {
  test.each([
    ['an unknown limit of sockets', 'sockets: { per-usr: 5 }', '4:12: unknown key "per-usr", did you mean "per-user"?'],
    ['a limit of nothing', 'sockets: { per-user: 0 }', '4:22: sockets.per-user is too small'],
    [
      'a limit of a part',
      'sockets: { burst: 1.5 }',
      '4:19: sockets.burst has the wrong type (found 1.5, expected a whole number)',
    ],
    ['a limit in words', 'sockets: { per-address: many }', '4:25: sockets.per-address has the wrong type'],
    [
      'a pace that is none',
      'sockets: { packets-per-second: 1000000 }',
      '4:32: sockets.packets-per-second is too large',
    ],
    ['a size without a unit', 'sockets: { waiting: 64 }', '4:21: sockets.waiting'],
    ['a size that is no bound', 'sockets: { waiting: 2GiB }', '4:21: sockets.waiting is not acceptable'],
    ['a size that holds no event', 'sockets: { waiting: 1023KiB }', '4:21: sockets.waiting is not acceptable'],
    [
      'a time in which nobody connects',
      'sockets: { connect-timeout: 10ms }',
      '4:29: sockets.connect-timeout is not acceptable',
    ],
    ['a time that has no end', 'sockets: { connect-timeout: 1h }', '4:29: sockets.connect-timeout is not acceptable'],
  ])('is %s', (_, text, expected) => {
    const result = load(text);
    const faults = 'faults' in result ? result.faults.map((fault) => formatFault(fault).replace(`${folder}/`, '')) : [];
    expect(faults).toEqual([expect.stringContaining(`gateway.yaml:${expected}`)]);
  });
});
