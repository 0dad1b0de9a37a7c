import { expect, test } from 'vitest';
import { endOf } from '../../src/model/authority.ts';

test.each([
  [undefined, 'expired', 'authority-expired'],
  [undefined, 'revoked', 'token-revoked'],
  ['s1', 'expired', 'session-ended'],
  ['s1', 'revoked', 'session-ended'],
] as const)('the authority of the session %s that was %s ends as %s', (sessionId, how, reason) => {
  expect(endOf({ sessionId }, how)).toBe(reason);
});
