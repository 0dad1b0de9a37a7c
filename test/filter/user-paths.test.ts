import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Shown, userPaths } from '../../src/filter/user-paths.ts';
import type { JsonValue } from '../../src/model/json.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { refusalOf } from '../support/bodies.ts';

const ROOT = '/srv/workspace';
const operation = (fields: Readonly<Record<string, Shown>>) =>
  userPaths({ fields: new Map(Object.entries(fields)), root: ROOT, folderOf: (owner) => `of-${owner}` });
const show = (fields: Readonly<Record<string, Shown>>, value: unknown) =>
  operation(fields)(value as JsonValue, 'alice', undefined);
const OWN = `${ROOT}/of-alice`;
const parsed = (fields: string) => JSON.parse(fields) as Record<string, Shown>;

describe('a path', () => {
  test.each([
    [`${OWN}/a.md`, 'a.md'],
    [`${OWN}/a/b c.md`, 'a/b c.md'],
    [OWN, ''],
    // What the upstream tells relative to its own workspace.
    ['of-alice/Untitled.md', 'Untitled.md'],
    ['of-alice', ''],
    [`${OWN}/...`, '...'],
  ])('%s is shown as %s', (path, shown) => {
    expect(show({ path: 'path' }, { path })).toEqual({ path: shown });
  });

  test.each<[unknown]>([
    ['/etc/passwd'],
    [ROOT],
    [`${ROOT}/of-bob/a.md`],
    [`${ROOT}/of-alice2/a.md`],
    [`${OWN}/../of-bob/a.md`],
    [`${OWN}/a/./b`],
    [`${OWN}//a`],
    [`${OWN}/`],
    [`/${OWN}/a.md`],
    ['of-bob/a.md'],
    ['../of-alice/a.md'],
    ['a.md'],
    [''],
    [null],
    [5],
    [[`${OWN}/a.md`]],
  ])('%j makes the answer unreadable', async (path) => {
    expect(await refusalOf(() => show({ path: 'path' }, { path }))).toBe('answer-unreadable 502');
    expect(await refusalOf(() => show({ path: 'path' }, [{ path: OWN }, { path }]))).toBe('answer-unreadable 502');
  });
});

describe('a text', () => {
  test.each([
    [`[Errno 2] No such file or directory: '${OWN}/a b.md'`, "[Errno 2] No such file or directory: 'a b.md'"],
    [`File ${OWN}/a/b.md does not exist`, 'File a/b.md does not exist'],
    [`'${OWN}/a' -> '${OWN}/b'`, "'a' -> 'b'"],
    [`[Errno 21] Is a directory: '${OWN}'`, "[Errno 21] Is a directory: '.'"],
    ['and/or', 'and/or'],
  ])('%s is shown as %s', (error, shown) => {
    expect(show({ error: 'text' }, { error })).toEqual({ error: shown });
  });

  test.each<[unknown]>([
    [`'${ROOT}/of-bob/a.md'`],
    [`a${ROOT}`],
    ["No such file: '/etc/passwd'"],
    ['No such file: /etc/passwd'],
    ['"/etc/passwd"'],
    ['/etc/passwd'],
    [`'${OWN}/a' -> '/etc/b'`],
    [null],
    [{ path: OWN }],
  ])('%j makes the answer unreadable', async (error) => {
    expect(await refusalOf(() => show({ error: 'text' }, { error }))).toBe('answer-unreadable 502');
  });
});

describe('the fields that are shown', () => {
  test('are the listed ones, of an object or of each row', () => {
    const fields = { name: 'plain', rel_path: 'path' } as const;
    const row = { name: '/x', rel_path: `${OWN}/x`, secret: `${ROOT}/of-bob` };
    expect(show(fields, row)).toEqual({ name: '/x', rel_path: 'x' });
    expect(show(fields, [row, { other: 1 }])).toEqual([{ name: '/x', rel_path: 'x' }, {}]);
    expect(show(fields, [])).toEqual([]);
  });

  test('are own ones: prototypes have none', () => {
    expect(show(parsed('{"constructor":"plain","toString":"text"}'), {})).toEqual({});
    const value = show(parsed('{"__proto__":"plain"}'), JSON.parse('{"__proto__":{"a":1}}'));
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test.each([[null], ['text'], [5], [[[{}]]], [[null]], [['/etc/passwd']]])('are none of %j', async (value) => {
    expect(await refusalOf(() => show({ path: 'path' }, value))).toBe('answer-unreadable 502');
  });
});

test('where nobody is known nothing is shown', async () => {
  expect(await refusalOf(() => operation({ a: 'plain' })({ a: 1 }, undefined, undefined))).toBe(
    'answer-unreadable 502',
  );
});

test('whatever the upstream answers, no path of the host is shown', () => {
  const part = fc.constantFrom(ROOT, OWN, `${OWN}/`, '/', '..', 'of-alice/', 'of-bob', 'a', "'", ' ', '"', '\n');
  const answer = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));
  let shownPaths = 0;
  fc.assert(
    fc.property(answer, fc.constantFrom<Shown>('path', 'text'), (given, as) => {
      let shown: string;
      try {
        shown = (show({ at: as }, { at: given }) as { at: string }).at;
      } catch (error) {
        expect(error).toBeInstanceOf(Rejection);
        return;
      }
      expect(shown).not.toMatch(/^\//);
      if (as === 'text') {
        expect(shown).not.toContain(ROOT);
        return;
      }
      shownPaths += 1;
      // Given back, it names the same place, which is the caller's.
      const place = posix.resolve(ROOT, given);
      expect(posix.join(OWN, shown)).toBe(place);
      expect(`${place}/`.startsWith(`${OWN}/`)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
  expect(shownPaths).toBeGreaterThan(20);
});
