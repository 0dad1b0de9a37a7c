import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { principalOf } from '../../src/authn/claims.ts';
import { type TokenReader, tokens as tokensOf } from '../../src/authn/credential-token.ts';
import type { Principal } from '../../src/model/principal.ts';
import { keySource } from '../../src/store/keys/source.ts';
import { eventually } from '../support/eventually.ts';
import {
  authenticator,
  clock,
  issuerSettings,
  type KeyServer,
  keyServer,
  match,
  NOON,
  rejectionOf,
  request,
  type Signer,
  signer,
} from '../support/token-issuer.ts';

let key: Signer;
let server: KeyServer;
const opened: Array<{ close(): void }> = [];
beforeAll(async () => {
  key = await signer('k1');
  server = await keyServer(key.jwk);
});
afterAll(async () => {
  for (const one of opened) one.close();
  await server.close();
});

const holderOf = (user: string, expiresAtMillis = (NOON + 60) * 1000): Principal =>
  principalOf('opaque', { user, roles: [], tenant: undefined }, { issuedAtMillis: undefined, expiresAtMillis });

/** Reads tokens of a prefix, each the name of a user after it. */
const reader = (prefix: string, more: Partial<TokenReader> = {}): TokenReader => ({
  reads: (token) => token.startsWith(prefix),
  verify: (token) => holderOf(token.slice(prefix.length)),
  ...more,
});

const tokens = (readers: readonly TokenReader[], now = () => NOON * 1000) => {
  const made = tokensOf({ issuers: [issuerSettings(server.url)], source: keySource, now, readers });
  opened.push(made);
  return made;
};

describe('a token', () => {
  test('is read by the first reader of its kind, and else as a JSON Web Token', async () => {
    const made = tokens([reader('a:'), reader('a:b:', { verify: () => holderOf('never') }), reader('c:')]);
    expect(made.verify('a:ann')).toMatchObject({ owner: 'opaque|ann' });
    expect(made.verify('a:b:bob')).toMatchObject({ owner: 'opaque|b:bob' });
    expect(made.verify('c:carl')).toMatchObject({ owner: 'opaque|carl' });
    expect(await made.verify(key.sign())).toMatchObject({ owner: 'main|ann' });
    expect(await rejectionOf(() => made.verify('d:dora'))).toMatchObject({ reason: 'token-malformed' });
  });

  test('is too large for any reader', async () => {
    const made = tokens([reader('a:')]);
    expect(made.verify(`a:${'x'.repeat(8190)}`)).toMatchObject({ issuer: 'opaque' });
    expect(await rejectionOf(() => made.verify(`a:${'x'.repeat(8191)}`))).toMatchObject({ reason: 'token-too-large' });
  });

  test('that a reader refuses is refused, and nobody else is asked', async () => {
    const refuses = () => {
      throw new RangeError('refused');
    };
    expect(() => tokens([reader('', { verify: refuses }), reader('')]).verify(key.sign())).toThrow(RangeError);
  });

  test('of any kind lets in, is recognised by the stage, and may be revoked', async () => {
    const revokes = ({ user }: Principal) => (user === 'bob' ? ('token-revoked' as const) : undefined);
    const later = reader('l:', { verify: async (token) => holderOf(token.slice(2)) });
    const authn = authenticator([issuerSettings(server.url)], {
      readers: [reader('a:'), later],
      revocations: { revokes },
    });
    opened.push(authn);
    expect(authn.authenticate(request('Bearer a:ann'), match())).toMatchObject({ owner: 'opaque|ann' });
    expect(await authn.authenticate(request('Bearer l:ann'), match())).toMatchObject({ owner: 'opaque|ann' });
    for (const token of ['a:bob', 'l:bob']) {
      const call = () => authn.authenticate(request(`Bearer ${token}`), match());
      expect(await rejectionOf(call)).toMatchObject({ reason: 'token-revoked', status: 401 });
    }
  });
});

describe('a principal', () => {
  test('is prolonged by the reader that gave it, again and again', async () => {
    const asked: string[] = [];
    const prolongs = (name: string, renewed: () => Principal | Promise<Principal>): Partial<TokenReader> => ({
      prolong({ user }) {
        asked.push(`${name} ${user}`);
        return renewed();
      },
    });
    const made = tokens([
      reader(
        'a:',
        prolongs('a', () => holderOf('ann-2')),
      ),
      reader('l:', { verify: async () => holderOf('lea'), ...prolongs('l', async () => holderOf('lea-2')) }),
    ]);
    const again = made.prolong(await made.verify('a:ann')) as Principal;
    expect(again).toMatchObject({ user: 'ann-2' });
    expect(made.prolong(again)).toMatchObject({ user: 'ann-2' });
    const lea = (await made.prolong(await made.verify('l:lea'))) as Principal;
    expect(await made.prolong(lea)).toMatchObject({ user: 'lea-2' });
    expect(asked).toEqual(['a ann', 'a ann-2', 'l lea', 'l lea-2']);
  });

  test('is not prolonged by a reader that cannot, or does not, nor where no reader gave it', async () => {
    const made = tokens([reader('a:'), reader('b:', { prolong: () => undefined })]);
    expect(made.prolong(await made.verify('a:ann'))).toBeUndefined();
    expect(made.prolong(await made.verify('b:bob'))).toBeUndefined();
    expect(made.prolong(await made.verify(key.sign()))).toBeUndefined();
    expect(made.prolong(holderOf('ann'))).toBeUndefined();
  });

  test('is over at its time, unless its reader says that it goes on', async () => {
    const time = clock();
    let goesOn: TokenReader['prolong'] = (principal) => principal;
    const made = tokens([reader('a:'), reader('b:', { prolong: (principal) => goesOn?.(principal) })], time.now);
    const [ann, bob] = [await made.verify('a:ann'), await made.verify('b:bob')];
    expect([made.isOver(ann), made.isOver(bob)]).toEqual([false, false]);
    time.seconds = NOON + 60;
    expect([made.isOver(ann), made.isOver(bob)]).toEqual([true, false]);
    goesOn = () => undefined;
    expect(made.isOver(bob)).toBe(true);
  });

  test('goes on while its reader asks elsewhere, and a failure of that harms nobody', async () => {
    const time = clock();
    let asked = 0;
    const prolong = async (): Promise<Principal> => {
      asked += 1;
      throw new Error('unreachable');
    };
    const made = tokens([reader('a:', { prolong })], time.now);
    const ann = await made.verify('a:ann');
    time.seconds = NOON + 61;
    expect(made.isOver(ann)).toBe(false);
    await eventually(() => asked === 1);
  });
});
