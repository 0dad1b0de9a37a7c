import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { type PathScope, scopedPath, userFolder } from '../../src/rewrite/scope-path.ts';
import { refusalOf } from '../support/bodies.ts';
import { principalOf } from '../support/stages.ts';

const ROOT = '/srv/jaaz/workspace';
const alice = principalOf('alice');
const OWN = `${ROOT}/${userFolder('test|alice')}`;
const scoped = (given: JsonValue | undefined, as: PathScope['as'] = 'file') =>
  scopedPath(as === 'name' ? { as } : { as, root: ROOT }, given, alice);
const refusal = (given: JsonValue | undefined, as?: PathScope['as']) => refusalOf(() => scoped(given, as));

describe('a path', () => {
  test.each([
    'a',
    'Untitled.md',
    'Untitled 1.md',
    'notes/2026/plan (final), v1.2 + more!.txt',
    '_private',
    '[draft] a&b=c@d#1',
    "John's notes.md",
    'Ünïcödé/日本語の名前.md',
    'ﾃｽﾄ１.md',
    'नोट.txt',
    'a...b',
    '-'.padStart(2, 'a'),
  ])('%s becomes one in the caller’s folder', (path) => {
    expect(scoped(path)).toBe(`${OWN}/${path}`);
  });

  test('is the folder itself only where a folder is meant', async () => {
    expect(scoped('', 'folder')).toBe(OWN);
    expect(scoped('a/b', 'folder')).toBe(`${OWN}/a/b`);
    expect(await refusal('')).toBe('path-invalid 400');
  });

  test('is a single name where a name is meant, and stays what it is', async () => {
    expect(scoped('b c.md', 'name')).toBe('b c.md');
    expect(await refusal('a/b', 'name')).toBe('path-invalid 400');
    expect(await refusal('', 'name')).toBe('path-invalid 400');
    expect(await refusal('..', 'name')).toBe('path-invalid 400');
  });

  test('of nobody is refused', async () => {
    expect(await refusalOf(() => scopedPath({ as: 'file', root: ROOT }, 'a', undefined))).toBe('path-invalid 400');
  });
});

describe('what leads out, or might to another reader, is refused:', () => {
  test.each<[string, JsonValue | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', ['a']],
    ['the parent', '..'],
    ['the folder itself', '.'],
    ['a parent inside', 'a/../../b'],
    ['a parent that comes back', 'a/../a'],
    ['a dot inside', 'a/./b'],
    ['three dots', '...'],
    ['a hidden name', '.bashrc'],
    ['an absolute path', '/etc/passwd'],
    ['an absolute path in the own folder', `${OWN}/a`],
    ['two slashes', 'a//b'],
    ['a slash at the end', 'a/'],
    ['a backslash', 'a\\b'],
    ['parents with backslashes', '..\\..\\b'],
    ['a drive', 'C:/a'],
    ['a drive’s own folder', 'C:a'],
    ['a stream of a file', 'a.md:b'],
    ['a share', '\\\\host\\a'],
    ['a home', '~/a'],
    ['another’s home', '~root'],
    ['an escape', '%2e%2e/a'],
    ['an escaped slash', 'a%2fb'],
    ['an escape twice', '%252e%252e'],
    ['a variable', '$HOME'],
    ['a pattern', '*'],
    ['NUL', 'a\u0000b'],
    ['a line’s end', 'a\nb'],
    ['a tab', 'a\tb'],
    ['DEL', 'a\u007fb'],
    ['a C1 control', 'a\u0085b'],
    ['a line separator', 'a\u2028b'],
    ['a dot at the end', 'a./b'],
    ['a space at the end', 'a '],
    ['a space at the start', ' a'],
    ['a space alone', ' '],
    ['another space', 'a\u00a0b'],
    ['an option', '-rf'],
    ['a full-width slash', 'a／b'],
    ['full-width dots', '．．'],
    ['one-dot leaders', '․․'],
    ['a two-dot leader', '‥'],
    ['an ellipsis', '…'],
    ['a division slash', 'a∕b'],
    ['a fraction slash', 'a⁄b'],
    ['a sign that folds to a/c', 'a℀b'],
    ['a number that folds to a dot at the end', 'a⒈'],
    ['a fraction', '½'],
    ['a full-width backslash', 'a＼b'],
    ['a small colon', 'a﹕b'],
    ['a letter and a mark that are one letter', 'e\u0301'],
    ['an order of marks that is not normal', 'a\u0301\u0323'],
    ['no width', 'a\u200bb'],
    ['a joiner', 'a\u200db'],
    ['text that runs backwards', 'a\u202egpj.exe'],
    ['a filler that is not seen', '\u3164'],
    ['a joiner of marks', 'a\u034fb'],
    ['half a character', 'a\ud800'],
    ['a private character', 'a\ue000'],
    ['a mark first', '\u0301a'],
    ['a name of 256 bytes', 'a'.repeat(256)],
    ['a name of 86 characters and 258 bytes', '日'.repeat(86)],
    ['a path of 1025 characters', 'a/'.repeat(512).concat('b')],
  ])('%s', async (_, given) => {
    expect(await refusal(given)).toBe('path-invalid 400');
    expect(await refusal(given, 'folder')).toBe('path-invalid 400');
    expect(await refusal(given, 'name')).toBe('path-invalid 400');
  });

  test('and what is just short enough is taken', () => {
    expect(scoped('a'.repeat(255))).toBe(`${OWN}/${'a'.repeat(255)}`);
    expect(scoped('日'.repeat(85))).toBe(`${OWN}/${'日'.repeat(85)}`);
    expect(scoped('a/'.repeat(511).concat('bc'))).toContain('/bc');
  });
});

describe('a user’s folder', () => {
  test.each([
    ['main|alice', /^main-alice-[0-9a-f]{32}$/],
    ['main|Alice Müller <a@b.example>', /^main-alice-m-ller-a-b-example-[0-9a-f]{32}$/],
    ['main|../../etc', /^main-etc-[0-9a-f]{32}$/],
    ['日|本', /^[0-9a-f]{32}$/],
    [`main|${'x'.repeat(250)}`, /^main-x{27}-[0-9a-f]{32}$/],
  ])('of %s is a plain name', (owner, form) => {
    expect(userFolder(owner)).toMatch(form);
  });

  test('is always the same', () => {
    expect(userFolder('main|alice')).toBe('main-alice-755326d1afc35ff75c4779e27f39b6e9');
  });

  test('is another one for whoever differs only in case, in form or in where the name begins', () => {
    const owners = [
      'main|alice',
      'main|Alice',
      'MAIN|alice',
      'main|alic\u0435',
      'mai|nalice',
      'main|\u00e9',
      'main|e\u0301',
    ];
    const folders = new Set(owners.map((owner) => userFolder(owner).toLowerCase().normalize('NFKC')));
    expect(folders.size).toBe(owners.length);
  });

  test('is a name that no file system changes, whoever the owner is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (owner) => {
        expect(userFolder(owner)).toMatch(/^(?:[a-z0-9]+-)*[0-9a-f]{32}$/);
      }),
    );
  });
});

/** As Python's os.path.join and normpath read it, and as Windows would, were it there. */
const pythonJoin = (root: string, path: string): string => (path.startsWith('/') ? path : `${root}/${path}`);
const pythonNormal = (path: string): string => {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name === '..') names.pop();
    else names.push(name);
  }
  return `/${names.join('/')}`;
};

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        'a',
        'é',
        'e\u0301',
        '~',
        '%2e',
        '%2f',
        '．',
        '／',
        '⒈',
        '\0',
        'C:',
        ' ',
        '\u200d',
        OWN,
      ),
      { maxLength: 8 },
    )
    .map((parts) => parts.join('')),
);

test('whatever is given, what is forwarded is below the caller’s folder to every reader', () => {
  let taken = 0;
  fc.assert(
    fc.property(hostile, fc.constantFrom<PathScope['as']>('file', 'folder', 'name'), (given, as) => {
      let path: string;
      try {
        path = scoped(given, as);
      } catch (error) {
        expect(error).toBeInstanceOf(Rejection);
        return;
      }
      taken += 1;
      // A name is joined with the folder of a file of the caller's own.
      const joined = pythonJoin('/elsewhere', as === 'name' ? pythonJoin(OWN, path) : path);
      const readings = [joined, joined.normalize('NFD'), joined.normalize('NFKC'), joined.replaceAll('\\', '/')];
      for (const reading of readings) {
        const resolved = [posix.resolve('/elsewhere', reading), pythonNormal(reading)];
        for (const place of [...resolved, pythonNormal(decodeURIComponent(reading))]) {
          expect(place === OWN ? as === 'folder' && given === '' : place.startsWith(`${OWN}/`)).toBe(true);
        }
      }
      expect(posix.resolve(joined)).toBe(joined);
    }),
    { numRuns: 5_000 },
  );
  expect(taken).toBeGreaterThan(100);
});
