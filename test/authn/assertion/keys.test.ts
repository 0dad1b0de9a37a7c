import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import {
  openSigningKeys,
  type SigningKeyNotice,
  type SigningKeys,
  type SigningKeysOptions,
} from '../../../src/authn/assertion/keys.ts';
import type { SigningKeyStore, StoredSigningKey } from '../../../src/authn/assertion/store.ts';
import { sealer } from '../../../src/authn/seal.ts';
import { memorySigningKeys } from '../../../src/store/memory/signing-keys.ts';
import { eventually } from '../../support/eventually.ts';
import { freshSealer } from '../../support/signing.ts';

const TIMES = { rotateMillis: 10_000, leadMillis: 1_000, keepMillis: 500 };
const opened: SigningKeys[] = [];
afterEach(() => {
  for (const keys of opened.splice(0)) keys.close();
});

const open = async (more: Partial<SigningKeysOptions> = {}): Promise<SigningKeys> => {
  const given = { store: memorySigningKeys(), sealer: freshSealer(), algorithm: 'ES256' as const, times: TIMES };
  const keys = await openSigningKeys({ ...given, now: () => 0, everyMillis: 2, ...more });
  opened.push(keys);
  return keys;
};
const idsOf = (keys: SigningKeys): string[] =>
  (JSON.parse(String(keys.published())) as { keys: Array<{ kid: string }> }).keys.map(({ kid }) => kid);

describe('at the first start', () => {
  test('a key is made that signs at once, is kept sealed, and is the same after a restart', async () => {
    const [store, ours] = [memorySigningKeys(), freshSealer()];
    const keys = await open({ store, sealer: ours });
    const [kept] = await store.all();
    expect(kept).toMatchObject({ id: keys.current().id, algorithm: 'ES256', signsFromMillis: 0 });
    const secret = keys.current().privateKey.export({ format: 'jwk' }).d ?? '';
    expect(secret).toHaveLength(43);
    expect(JSON.stringify(kept)).not.toContain(secret);
    expect(ours.open('another purpose', kept?.sealed ?? '')).toBeUndefined();
    expect((await open({ store, sealer: ours })).current().id).toBe(keys.current().id);
    expect(await store.all()).toHaveLength(1);
  });

  test('it is not there while the store fails: nothing is signed with a key that nobody else knows', async () => {
    const store: SigningKeyStore = { ...memorySigningKeys(), change: () => Promise.reject(new Error('disk full')) };
    await expect(open({ store })).rejects.toThrow('disk full');
  });
});

test('keys take turns: announced, signing, out of use, gone', async () => {
  let now = 0;
  const keys = await open({ now: () => now });
  const first = keys.current().id;
  now = 9_000;
  await eventually(() => idsOf(keys).length === 2);
  expect(keys.current().id).toBe(first);
  now = 9_999;
  expect(keys.current().id).toBe(first);
  now = 10_000;
  const second = keys.current().id;
  expect(second).not.toBe(first);
  expect(idsOf(keys)).toEqual([first, second]);
  now = 10_499;
  expect(idsOf(keys)).toContain(first);
  now = 10_500;
  await eventually(() => idsOf(keys).length === 1);
  expect(idsOf(keys)).toEqual([second]);
});

test('what another process made is known as soon as the store says so', async () => {
  const store = memorySigningKeys();
  const ours = freshSealer();
  const listeners: Array<() => void> = [];
  const listening: SigningKeyStore = { ...store, onChange: (listener) => void listeners.push(listener) };
  const never = { everyMillis: 2 ** 30 };
  let now = 0;
  const here = await open({ ...never, store: listening, sealer: ours, now: () => now });
  now = 9_000;
  const there = await open({ ...never, store, sealer: ours, now: () => now });
  expect(idsOf(there)).toHaveLength(2);
  expect(idsOf(here)).toHaveLength(1);
  for (const listener of listeners) listener();
  await eventually(() => idsOf(here).length === 2);
  expect(idsOf(here)).toEqual(idsOf(there));
});

describe('a key that cannot be opened', () => {
  test('is neither used nor published, another one takes its place, and the operator is told', async () => {
    const store = memorySigningKeys();
    const lost = (await open({ store })).current().id;
    const notices: SigningKeyNotice[] = [];
    const keys = await open({ store, notice: (notice) => notices.push(notice) });
    expect(idsOf(keys)).toEqual([keys.current().id]);
    expect(keys.current().id).not.toBe(lost);
    expect(notices).toEqual([
      { kind: 'signing-keys-changed', detail: keys.current().id },
      { kind: 'signing-keys-unusable', detail: lost },
    ]);
  });

  test('is not fought over by two processes with different secrets', async () => {
    const store = memorySigningKeys();
    const [one, other] = [await open({ store }), await open({ store })];
    const before = [one.current().id, other.current().id];
    for (let look = 0; look < 5; look += 1) await open({ store, sealer: sealer([Buffer.alloc(32, 7)]) });
    expect(await store.all()).toHaveLength(3);
    expect([one.current().id, other.current().id]).toEqual(before);
  });

  test('is used where an older secret opens it', async () => {
    const store = memorySigningKeys();
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const { id } = (await open({ store, sealer: sealer([older]) })).current();
    expect((await open({ store, sealer: sealer([newer, older]) })).current().id).toBe(id);
  });

  test.each<[string, (key: StoredSigningKey) => Partial<StoredSigningKey>]>([
    ['with another name', () => ({ id: 'mine' })],
    ['with another algorithm', () => ({ algorithm: 'EdDSA' })],
    ['with an unknown algorithm', () => ({ algorithm: 'none' })],
    ['with a part changed', ({ sealed }) => ({ sealed: `${sealed.slice(0, -2)}AA` })],
  ])('is one %s: who can write the database has no key published', async (_, change) => {
    const [store, ours] = [memorySigningKeys(), freshSealer()];
    await open({ store, sealer: ours });
    const [kept] = await store.all();
    if (kept === undefined) throw new Error('there is no key');
    const forged = { ...kept, ...change(kept) };
    const altered = memorySigningKeys();
    await altered.change(() => ({ make: [forged], retire: [], remove: [] }));
    const keys = await open({ store: altered, sealer: ours });
    expect(idsOf(keys)).toEqual([keys.current().id]);
    expect(keys.current().id).not.toBe(forged.id);
    expect(String(keys.published())).not.toContain(kept.id);
  });

  test('has a public half in the database that is not believed', async () => {
    const [store, ours] = [memorySigningKeys(), freshSealer()];
    const { id } = (await open({ store, sealer: ours })).current();
    const [kept] = await store.all();
    const altered = memorySigningKeys();
    const publicJwk = JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'evil', y: 'evil' });
    await altered.change(() => ({ make: [{ ...(kept as StoredSigningKey), publicJwk }], retire: [], remove: [] }));
    const keys = await open({ store: altered, sealer: ours });
    expect(keys.current().id).toBe(id);
    expect(String(keys.published())).not.toContain('evil');
  });
});

test('while the store fails, the key that is known goes on signing, and the operator is told', async () => {
  const notices: string[] = [];
  const store = memorySigningKeys();
  let failing = false;
  const flaky: SigningKeyStore = { ...store, all: () => (failing ? Promise.reject(new Error('gone')) : store.all()) };
  const keys = await open({ store: flaky, notice: ({ kind }) => notices.push(kind) });
  const { id } = keys.current();
  failing = true;
  await eventually(() => notices.includes('signing-keys-unavailable'));
  expect(keys.current().id).toBe(id);
});
