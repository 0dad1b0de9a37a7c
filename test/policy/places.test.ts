import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { readSources } from '../../src/policy/load.ts';
import { routePlaces } from '../../src/policy/places.ts';

const folder = mkdtempSync(join(tmpdir(), 'places-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const placesOf = (...files: string[]) => {
  const read = readSources(files);
  if ('faults' in read) throw new Error(read.faults.map(formatFault).join('\n'));
  return routePlaces(read.sources);
};

describe('the place of a route', () => {
  const base = write(
    'base.yaml',
    'version: 1\nname: base\nroutes:\n  - { id: a, match: GET /a, access: denied }\n  - { id: b, match: GET /b }\n',
  );

  test('is where it is written', () => {
    expect(placesOf(base).get('b')).toMatchObject({ file: base, line: 5, column: 5, written: { match: 'GET /b' } });
  });

  test('may be in a file that is included', () => {
    const outer = write('outer.yaml', 'version: 1\nname: outer\ninclude: [base.yaml]\n');
    expect(placesOf(outer).get('b')).toMatchObject({ file: base, line: 5 });
  });

  test('is in the file that replaces it', () => {
    const other = write(
      'other.yaml',
      'version: 1\nname: other\nreplaces: [a]\nroutes:\n  - { id: a, match: GET /a }\n',
    );
    expect(placesOf(base, other).get('a')).toMatchObject({ file: other, line: 5, written: { access: 'user' } });
    expect(placesOf(other, base).get('a')).toMatchObject({ file: other, line: 5 });
  });
});
