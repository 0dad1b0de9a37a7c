import { expect, test } from 'vitest';
import { isFailedAttempt } from '../../src/model/failed-attempt.ts';
import type { ReasonCode } from '../../src/model/reason.ts';
import { Rejection } from '../../src/model/rejection.ts';

test.each<[ReasonCode, boolean]>([
  ['token-signature', true],
  ['token-expired', true],
  ['token-revoked', true],
  ['token-inactive', true],
  ['token-missing', false],
  ['session-ended', false],
  ['keys-unavailable', false],
  ['site-foreign', false],
  ['credentials-differ', false],
])('%s counts as a failed attempt: %s', (reason, counts) => {
  expect(isFailedAttempt(new Rejection(reason, 'x'))).toBe(counts);
});
