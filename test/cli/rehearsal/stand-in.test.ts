import { describe, expect, test } from 'vitest';
import { authenticate } from '../../../src/authn/authenticate.ts';
import { standIns } from '../../../src/cli/rehearsal/stand-in.ts';
import { outcome } from '../../support/token-issuer.ts';

const stage = (names: readonly string[]) => {
  const people = standIns(names);
  const source = () => {
    throw new Error('no public keys');
  };
  return { people, authenticator: authenticate({ issuers: people.settings, source }) };
};

describe('a stand-in issuer', () => {
  test('signs tokens that the real stage takes for those of the issuer of that name', async () => {
    const { people, authenticator } = stage(['main', 'other']);
    const token = people.token({ issuer: 'other', user: 'alice', roles: ['admin'] });
    expect(await authenticator.verify(token)).toMatchObject({ owner: 'other|alice', roles: ['admin'] });
  });

  test('is trusted by its own rehearsal alone', async () => {
    const token = stage(['main']).people.token({ issuer: 'main', user: 'alice', roles: [] });
    expect(await outcome(stage(['main']).authenticator, token)).toBe('token-signature 401');
  });

  test('is no other issuer', async () => {
    const { people, authenticator } = stage(['main']);
    const token = people.token({ issuer: 'other', user: 'alice', roles: [] });
    expect(await outcome(authenticator, token)).toBe('token-issuer 401');
  });
});
