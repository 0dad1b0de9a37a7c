/** Times that never come, never end, or are no times. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import {
  authenticator,
  clock,
  goodClaims,
  issuerSettings,
  type KeyServer,
  keyServer,
  NOON,
  outcome,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

describe('a signed token with strange times', () => {
  let key: Signer;
  let server: KeyServer;
  let authn: Authenticator;
  beforeAll(async () => {
    key = await signer('k1');
    server = await keyServer(key.jwk);
    authn = authenticator([issuerSettings(server.url)]);
  });
  afterAll(async () => {
    authn.close();
    await server.close();
  });
  /** Returns a signed token in which a claim is written exactly so. */
  const spelt = (name: string, text: string): string => {
    const claims: Record<string, unknown> = { ...goodClaims };
    delete claims[name];
    const payload = JSON.stringify(claims).replace('{', `{"${name}":${text},`);
    return key.signText('{"alg":"ES256","kid":"k1"}', payload);
  };

  test('is accepted when the times are good, fractions included', async () => {
    expect(await outcome(authn, spelt('exp', `${NOON}.001`))).toBe('accepted');
    expect(await outcome(authn, spelt('exp', '253402300799'))).toBe('accepted');
    expect(await outcome(authn, spelt('nbf', String(NOON)))).toBe('accepted');
  });

  const noTimes = [
    '1e999',
    '-1e999',
    '-1',
    '1e300',
    '1790000300000',
    '253402300800',
    '"1790000300"',
    'null',
    'true',
    '[]',
    '{}',
  ];
  for (const name of ['exp', 'nbf', 'iat']) {
    test.each(noTimes)(`is refused with ${name} %s`, async (text) => {
      expect(await outcome(authn, spelt(name, text))).toBe('token-claims 401');
    });
  }

  test('is refused without an expiry', async () => {
    expect(await outcome(authn, key.sign({ exp: undefined }))).toBe('token-claims 401');
  });

  test('is refused from the very second of its expiry on', async () => {
    expect(await outcome(authn, spelt('exp', String(NOON)))).toBe('token-expired 401');
    expect(await outcome(authn, spelt('exp', '0'))).toBe('token-expired 401');
  });

  test('is refused before its time', async () => {
    expect(await outcome(authn, spelt('nbf', `${NOON}.001`))).toBe('token-not-yet-valid 401');
    expect(await outcome(authn, spelt('nbf', '253402300799'))).toBe('token-not-yet-valid 401');
    expect(await outcome(authn, spelt('iat', String(NOON + 61)))).toBe('token-not-yet-valid 401');
  });

  test('is looked at by the clock at the end of the verification, not at its beginning', async () => {
    const time = clock();
    const late = await keyServer(key.jwk);
    late.answer((response) => {
      time.seconds = NOON + 300;
      response.end(JSON.stringify({ keys: [key.jwk] }));
    });
    const waiting = authenticator([issuerSettings(late.url)], { now: time.now });
    expect(await outcome(waiting, key.sign())).toBe('token-expired 401');
    waiting.close();
    await late.close();
  });
});
