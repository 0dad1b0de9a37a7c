import { describe, expect, test } from 'vitest';
import { processVariables, readOverrides, secretVariable } from '../../src/config/environment.ts';
import { formatFault } from '../../src/policy/fault.ts';

describe('the environment', () => {
  test('gives ports and addresses', () => {
    const { overrides, faults } = readOverrides({
      JAAZ_GATEWAY_PORT: '1',
      JAAZ_GATEWAY_ADMIN_PORT: '0',
      JAAZ_GATEWAY_UPSTREAM_URL: 'http://x:80/',
      JAAZ_GATEWAY_REDIS_URL: 'redis://:pw@x',
    });
    expect(faults).toEqual([]);
    expect(overrides).toEqual({ port: 1, adminPort: 0, upstreamUrl: 'http://x', redisUrl: 'redis://:pw@x' });
  });

  test('gives nothing for a variable that is empty', () => {
    expect(readOverrides({ JAAZ_GATEWAY_PORT: '' })).toEqual({ overrides: {}, faults: [] });
  });

  test('gives nothing for what Kubernetes sets beside a service of our name', () => {
    expect(readOverrides({ JAAZ_GATEWAY_PORT: 'tcp://10.0.0.1:80' })).toEqual({ overrides: {}, faults: [] });
  });

  test('is judged as a whole, and no password is told', () => {
    const { faults } = readOverrides({
      JAAZ_GATEWAY_PORT: 'x',
      JAAZ_GATEWAY_UPSTREAM_URL: 'http://u:hunter2@x',
      JAAZ_GATEWAY_REDIS_URL: 'hunter2',
    });
    expect(faults.map((fault) => fault.file)).toEqual([
      'JAAZ_GATEWAY_PORT',
      'JAAZ_GATEWAY_UPSTREAM_URL',
      'JAAZ_GATEWAY_REDIS_URL',
    ]);
    expect(faults.map(formatFault)[0]).toBe(
      'JAAZ_GATEWAY_PORT: this environment variable is not acceptable (found "x", expected a port from 0 to 65535 (0: any free one))',
    );
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  test('names the secret of an issuer after the issuer', () => {
    expect(secretVariable('my-issuer-2')).toBe('JAAZ_GATEWAY_ISSUER_MY_ISSUER_2_SECRET');
  });

  test('is that of the process', () => {
    expect(Object.keys(processVariables())).toContain('PATH');
  });
});
