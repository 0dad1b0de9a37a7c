import { describe, expect, test } from 'vitest';
import { hostChecker } from '../../src/server/host.ts';
import { refusalOf } from '../support/bodies.ts';

const outcome = (host: string | undefined, hosts?: readonly string[]): Promise<string> =>
  refusalOf(() => hostChecker(hosts)(host));

describe('without a list', () => {
  test.each(['a', 'a.example', 'a_b.example:1', '127.0.0.1:65535', '[::1]', '[2001:db8::1]:443'])(
    'every valid host is served: %s',
    async (host) => {
      expect(await outcome(host)).toBe('accepted');
    },
  );

  test.each([
    undefined,
    '',
    '.',
    'a.example.',
    '-a',
    'a-',
    ':80',
    'a:',
    '[::1',
    '::1',
    '[g::1]',
    'a b',
    `a${'b'.repeat(300)}`,
  ])('a host that is none is refused: %s', async (host) => {
    expect(await outcome(host)).toBe('host-invalid 400');
  });
});

describe('with a list', () => {
  test('a host is served in any case, and on every port unless one is listed', async () => {
    expect(await outcome('A.example:8080', ['a.EXAMPLE'])).toBe('accepted');
    expect(await outcome('a.example:8080', ['a.example:8080'])).toBe('accepted');
    expect(await outcome('a.example:8081', ['a.example:8080'])).toBe('host-unknown 421');
    expect(await outcome('b.example', ['a.example'])).toBe('host-unknown 421');
  });

  test('a malformed entry is found at start-up', () => {
    for (const entry of ['', 'https://a', '*.example', 'a/b', 'a:99999']) {
      expect(() => hostChecker([entry])).toThrow(TypeError);
    }
  });
});
