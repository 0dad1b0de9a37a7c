import { expect, test } from 'vitest';
import type { Principal } from '../../src/model/principal.ts';
import { type ReasonCode, reasons } from '../../src/model/reason.ts';
import { Rejection } from '../../src/model/rejection.ts';

test('has the status of its reason, whichever it is', () => {
  for (const [code, { status }] of Object.entries(reasons)) {
    expect(new Rejection(code as ReasonCode, 'why')).toMatchObject({ reason: code, status });
  }
});

test('is an error that says why, with what was below it', () => {
  const cause = new Error('below');
  const rejection = new Rejection('internal-error', 'why', { cause });
  expect(rejection).toBeInstanceOf(Error);
  expect(rejection).toMatchObject({ name: 'Rejection', message: 'why', cause });
});

test('holds no headers and nobody until it is told', () => {
  expect(new Rejection('route-unknown', 'why')).toMatchObject({ headers: [], principal: undefined });
  const principal = { owner: 'main|ann' } as unknown as Principal;
  const headers = ['Retry-After', '1'];
  expect(new Rejection('rate-limited', 'why', { headers, principal })).toMatchObject({ headers, principal });
});
