/** Assertions for tests: on a store, with a clock, and read as whoever receives them does. */
import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type AssertionOptions, type Assertions, assertions } from '../../src/authn/assertion/assertion.ts';
import { principalOf } from '../../src/authn/claims.ts';
import { type Sealer, sealer } from '../../src/authn/seal.ts';
import type { OwnAsked } from '../../src/model/own.ts';
import type { Principal } from '../../src/model/principal.ts';
import { memorySigningKeys } from '../../src/store/memory/signing-keys.ts';
import { NOON } from './token-issuer.ts';

export const NOON_MILLIS = NOON * 1000;

export const freshSealer = (): Sealer => sealer([randomBytes(32)]);

/** Returns assertions as they are by default; their clock stands still unless another one is given. */
export const openAssertions = (more: Partial<AssertionOptions> = {}): Promise<Assertions> =>
  assertions({
    ...{ store: memorySigningKeys(), sealer: freshSealer(), header: 'x-jaaz-assertion', issuer: 'jaaz-gateway' },
    ...{ audience: 'jaaz', algorithm: 'ES256', lifetimeMillis: 60_000, rotateMillis: 86_400_000 },
    now: () => NOON_MILLIS,
    ...more,
  });

export const somebody = (user = 'alice', roles: readonly string[] = [], tenant?: string): Principal =>
  principalOf(
    'corp',
    { user, roles, tenant },
    { issuedAtMillis: NOON_MILLIS, expiresAtMillis: NOON_MILLIS + 3_600_000 },
  );

export const keySetOf = ({ endpoint }: Pick<Assertions, 'endpoint'>): JSONWebKeySet => {
  const answer = endpoint.answer({} as OwnAsked);
  if (answer instanceof Promise) throw new TypeError('the keys are there at once');
  return JSON.parse(String(answer.body)) as JSONWebKeySet;
};

/** Resolves with what an assertion says to whoever knows the published keys, or rejects. */
export const readAssertion = async (token: string, keys: JSONWebKeySet, nowMillis = NOON_MILLIS) => {
  const options = {
    typ: 'jaaz-assertion+jwt',
    issuer: 'jaaz-gateway',
    audience: 'jaaz',
    currentDate: new Date(nowMillis),
  };
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), options);
  return { payload, header: protectedHeader };
};
