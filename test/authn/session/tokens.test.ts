import { describe, expect, test } from 'vitest';
import { tokenSealer } from '../../../src/authn/session/tokens.ts';
import { testSealer } from '../../support/sessions.ts';

const sealer = testSealer();
const { seal, open } = tokenSealer(sealer);
const NOTHING = { refreshToken: undefined, idToken: undefined };

test.each([
  { refreshToken: 'r', idToken: 'i' },
  { refreshToken: 'r', idToken: undefined },
  { refreshToken: undefined, idToken: 'i\u2028"' },
])('%j comes back as it was sealed', (tokens) => {
  expect(open({ id: 's', sealedTokens: seal('s', tokens) })).toEqual(tokens);
});

test('nothing to seal is nothing sealed', () => {
  expect(seal('s', NOTHING)).toBeUndefined();
  expect(open({ id: 's', sealedTokens: undefined })).toEqual(NOTHING);
});

describe('opens to nothing', () => {
  const sealed = seal('s', { refreshToken: 'r', idToken: 'i' }) ?? '';

  test.each([
    ['of another session', { id: 't', sealedTokens: sealed }],
    ['altered', { id: 's', sealedTokens: sealed.slice(0, 30) + (sealed[30] === 'A' ? 'B' : 'A') + sealed.slice(31) }],
    ['empty', { id: 's', sealedTokens: '' }],
    ['sealed for another purpose', { id: 's', sealedTokens: sealer.seal('login', '{"refreshToken":"r"}') }],
  ])('what is %s', (_, session) => {
    expect(open(session)).toBeUndefined();
  });
});
