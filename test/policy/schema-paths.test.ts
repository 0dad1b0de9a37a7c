import { describe, expect, test } from 'vitest';
import { scopePath, userPaths } from '../../src/policy/schema-paths.ts';

const accepts = (value: unknown): boolean => scopePath.safeParse(value).success;

describe('scope-path', () => {
  test('is a field or a query parameter below a root, or a name without one', () => {
    expect(scopePath.parse({ field: 'path', root: '/srv/w' })).toEqual({ field: 'path', root: '/srv/w', as: 'file' });
    expect(accepts({ query: 'q', root: '/srv/w', as: 'folder' })).toBe(true);
    expect(accepts({ field: 'title', as: 'name' })).toBe(true);
  });

  test.each([
    [{}],
    [{ field: 'path' }],
    [{ root: '/srv/w' }],
    [{ field: 'path', query: 'q', root: '/srv/w' }],
    [{ field: 'title', as: 'name', root: '/srv/w' }],
    [{ query: 'title', as: 'name' }],
    [{ field: 'path', root: '/srv/w', as: 'anything' }],
    [{ field: 'a.b', root: '/srv/w' }],
  ])('is not %j', (value) => {
    expect(accepts(value)).toBe(false);
  });

  test.each([
    '/srv',
    '/srv/jaaz/user_data/workspace',
    '/Users/a/Library/Application Support/jaaz',
    '/srv/.jaaz',
    '/a..b',
  ])('takes the root %s', (root) => {
    expect(accepts({ field: 'path', root })).toBe(true);
  });

  test.each([
    ...['', '/', 'srv', './srv', '../srv', '/srv/', '//srv', '/srv//w', '/srv/../etc', '/srv/.', '/..', '~/w', '/~/w'],
    ...['C:/w', 'C:\\w', '/srv/%2e', '/srv/a ', '/srv/ a', '/srv/a/ b', '/srv/\n', '/srv/ü', `/${'a'.repeat(256)}`],
  ])('takes no root %j', (root) => {
    expect(accepts({ field: 'path', root })).toBe(false);
  });
});

test('user-paths say how each field is shown', () => {
  expect(userPaths.safeParse({ path: 'path', error: 'text', content: 'plain' }).success).toBe(true);
  expect(userPaths.safeParse({ path: 'raw' }).success).toBe(false);
  expect(userPaths.safeParse({ 'a.b': 'path' }).success).toBe(false);
});
