/** What is to be remembered of a login: sealed, of one state, for ten minutes. */
import { expect, test } from 'vitest';
import { type LoginNote, loginNotes, NOTE_MILLIS, randomText } from '../../../src/authn/login/note.ts';
import { sealer } from '../../../src/authn/seal.ts';
import { clock, rejectionOf } from '../../support/token-issuer.ts';

const time = clock();
const sealing = sealer([Buffer.alloc(32, 1)]);
const notes = loginNotes(sealing, time.now);

const note = (changes: Partial<LoginNote> = {}): LoginNote => ({
  provider: 'main',
  state: 'the-state',
  nonce: 'n',
  verifier: 'v',
  returnTo: '/a?b=c',
  redirectUri: 'https://jaaz.example/auth/callback',
  begunAtMillis: time.now(),
  ...changes,
});

const detail = async (sealed: string | undefined, state: string | undefined): Promise<string> => {
  const { reason, message } = await rejectionOf(() => notes.open(sealed, state));
  expect(reason).toBe('login-failed');
  return message;
};

test('opens what was sealed', () => {
  expect(notes.open(notes.seal(note()), 'the-state')).toEqual(note());
});

test.each([undefined, '', 'another', 'the-state '])('refuses the state %j', async (state) => {
  expect(await detail(notes.seal(note()), state)).toMatch(/state/);
});

test('refuses none, and what was sealed for something else', async () => {
  expect(await detail(undefined, 'the-state')).toContain('has begun no login');
  expect(await detail(sealing.seal('tokens', JSON.stringify(note())), 'the-state')).toContain('not sealed here');
});

test.each([
  [{ begunAtMillis: time.now() - NOTE_MILLIS + 1 }, undefined],
  [{ begunAtMillis: time.now() - NOTE_MILLIS }, 'too long'],
  [{ begunAtMillis: time.now() + 59_999 }, undefined],
  [{ begunAtMillis: time.now() + 60_001 }, 'in the future'],
])('of the time of %j: %s', async (changes, expected) => {
  const sealed = notes.seal(note(changes));
  if (expected === undefined) expect(notes.open(sealed, 'the-state')).toMatchObject(changes);
  else expect(await detail(sealed, 'the-state')).toContain(expected);
});

test.each(['provider', 'nonce', 'verifier', 'returnTo', 'redirectUri', 'begunAtMillis'])(
  'refuses one without %s',
  async (name) => {
    const sealed = sealing.seal('login', JSON.stringify({ ...note(), [name]: undefined }));
    expect(await detail(sealed, 'the-state')).toContain('another form');
  },
);

test('random texts are 256 bits, and never the same', () => {
  const texts = Array.from({ length: 100 }, randomText);
  expect(new Set(texts).size).toBe(100);
  for (const text of texts) expect(Buffer.from(text, 'base64url')).toHaveLength(32);
});
