/** A token of one issuer, or for one audience, presented as if it were of or for another. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/authn/authenticate.ts';
import { reasons } from '../../src/model/reason.ts';
import {
  authenticator,
  issuerSettings,
  type KeyServer,
  keyServer,
  outcome,
  rejectionOf,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

const SECOND = 'https://second.test/';

describe('a token of another issuer or for another audience', () => {
  let first: Signer;
  let second: Signer;
  const servers: KeyServer[] = [];
  let authn: Authenticator;
  beforeAll(async () => {
    // Both issuers call their keys the same, as many do.
    first = await signer('1');
    second = await signer('1');
    servers.push(await keyServer(first.jwk), await keyServer(second.jwk));
    const [one, two] = servers.map(({ url }) => url);
    authn = authenticator([
      issuerSettings(one ?? ''),
      issuerSettings(two ?? '', { name: 'second', issuer: SECOND, audience: 'jaaz-two' }),
    ]);
  });
  afterAll(async () => {
    authn.close();
    for (const server of servers) await server.close();
  });

  test('leaves the same user of two issuers two users', async () => {
    expect(await authn.verify(first.sign())).toMatchObject({ owner: 'main|ann' });
    expect(await authn.verify(second.sign({ iss: SECOND, aud: 'jaaz-two' }))).toMatchObject({ owner: 'second|ann' });
  });

  test('is refused when one issuer signs in the name of the other', async () => {
    expect(await outcome(authn, second.sign())).toBe('token-signature 401');
    expect(await outcome(authn, first.sign({ iss: SECOND, aud: 'jaaz-two' }))).toBe('token-signature 401');
  });

  test('is refused with the audience of the other issuer', async () => {
    expect(await outcome(authn, first.sign({ aud: 'jaaz-two' }))).toBe('token-audience 401');
    expect(await outcome(authn, second.sign({ iss: SECOND, aud: 'jaaz' }))).toBe('token-audience 401');
  });

  test.each([
    'https://issuer.test',
    'https://issuer.test//',
    'HTTPS://issuer.test/',
    'https://issuer.test/ ',
    'https://issuer.test/\0',
    'https://issuer.test/#',
    'issuer.test',
    '__proto__',
    '',
    null,
    undefined,
    1,
    ['https://issuer.test/'],
    { 'https://issuer.test/': true },
  ])('is refused with the iss %j', async (iss) => {
    expect(await outcome(authn, first.sign({ iss }))).toBe('token-issuer 401');
  });

  test.each(['Jaaz', 'jaaz ', 'jaaz/', 'jaa', 'jaaz,other', '*', '', undefined, []])(
    'is refused with the aud %j',
    async (aud) => {
      expect(await outcome(authn, first.sign({ aud }))).toBe('token-audience 401');
    },
  );

  test('says the same to every caller, whatever was wrong', async () => {
    const wrong = [second.sign(), first.sign({ aud: 'x' }), first.sign({ iss: 'x' }), first.sign({ sub: 1 }), 'x'];
    const answers = await Promise.all(wrong.map((token) => rejectionOf(() => authn.verify(token))));
    const seen = answers.map(({ reason, status, headers }) =>
      JSON.stringify([reasons[reason].message, status, headers]),
    );
    expect(new Set(seen).size).toBe(1);
  });
});
