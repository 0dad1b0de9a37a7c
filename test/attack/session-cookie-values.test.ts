/** Cookies that somebody guesses, bends or plants: only the very value that a login was told opens its session. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { memorySessions } from '../../src/store/memory/sessions.ts';
import { isOpen, open } from '../support/open-sessions.ts';
import { provenLogin, START, unknownValue } from '../support/sessions.ts';

test('malformed values open nothing, and do not reach the store', async () => {
  let reads = 0;
  const store = memorySessions(() => START);
  const counted = {
    ...store,
    read(digest: string) {
      reads += 1;
      return store.read(digest);
    },
  };
  const { sessions } = open({ store: counted });
  const { value } = await sessions.begin(provenLogin());
  const malformed = [
    ...['', ' ', value.slice(0, -1), `${value}A`, `${value}=`, ` ${value}`, `${value} `, `"${value}"`, `${value};`],
    ...[`${value}\n`, `${value}\0`, `\n${value}`, value.replace(/^./, '%'), value.replace(/^./, '+'), value.repeat(2)],
    ...["' OR '1'='1", '*', '%', '{"digest":1}', 'A'.repeat(1_000_000), 'é'.repeat(43), '\u0000'.repeat(43)],
  ];
  for (const one of malformed) expect(sessions.principalOf(one)).toBeUndefined();
  expect(reads).toBe(0);
  for (const one of malformed) expect(await sessions.end(one)).toBeUndefined();
  expect(reads).toBe(0);
  expect(await isOpen(sessions, value)).toBe(true);
});

test('a value that differs in one character, in case or by what its last bits may not be opens nothing', async () => {
  const { sessions } = open();
  const { value, principal } = await sessions.begin(provenLogin());
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (let at = 0; at < value.length; at += 1) {
    for (const character of at === value.length - 1 ? alphabet : 'Aa0-') {
      const other = value.slice(0, at) + character + value.slice(at + 1);
      if (other !== value) expect(await isOpen(sessions, other)).toBe(false);
    }
  }
  expect(sessions.principalOf(value)).toBe(principal);
});

test('a digest that begins like another’s is another', async () => {
  const { sessions, store } = open();
  const { session, value } = await sessions.begin(provenLogin());
  // A value whose digest shares its first character with that of the session: the longest that is found in no time.
  const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');
  const wanted = digestOf(value).slice(0, 2);
  let seed = 0;
  while (!digestOf(unknownValue(seed)).startsWith(wanted)) seed += 1;
  expect(await isOpen(sessions, unknownValue(seed))).toBe(false);
  expect(await store.read(digestOf(value))).toMatchObject({ id: session.id });
  for (const part of [digestOf(value).slice(0, 10), `${digestOf(value)}x`])
    expect(await store.read(part)).toBeUndefined();
});

test('a value that somebody planted is never that of a session: each login makes its own', async () => {
  const { sessions } = open();
  const planted = unknownValue(7);
  expect(await isOpen(sessions, planted)).toBe(false);
  const { value } = await sessions.begin(provenLogin());
  expect(value).not.toBe(planted);
  expect(await isOpen(sessions, planted)).toBe(false);
});

test('ten thousand guesses open nothing, and none of them is remembered', async () => {
  let reads = 0;
  const store = memorySessions(() => START);
  const counted = {
    ...store,
    read(digest: string) {
      reads += 1;
      return store.read(digest);
    },
  };
  const { sessions } = open({ store: counted, nearEntries: 10 });
  const { value, principal } = await sessions.begin(provenLogin());
  const guesses = Array.from({ length: 10_000 }, (_, seed) => sessions.principalOf(unknownValue(seed)));
  expect(new Set(await Promise.all(guesses))).toEqual(new Set([undefined]));
  expect(reads).toBe(10_000);
  // What is known was not driven out by what is not.
  expect(sessions.principalOf(value)).toBe(principal);
});
