/** The paths of logging in and out. */
import { expect, test } from 'vitest';
import { LOGIN_PATHS } from '../../src/model/login.ts';

test('all of them are below /auth/, different, and plain enough to be matched as they stand', () => {
  const paths = Object.values(LOGIN_PATHS);
  for (const path of paths) expect(path).toMatch(/^\/auth\/[a-z.-]+\/?$/);
  expect(new Set(paths).size).toBe(paths.length);
});
