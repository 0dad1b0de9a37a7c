import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { faultsOf } from '../support/stages.ts';

const faults = (text: string): string[] =>
  faultsOf(`version: 1\nname: p\n${text}\nroutes: [{ id: a, match: GET /a }]\n`);

describe('a limit of failed authentications', () => {
  const limit = 'limits: { f: { points: 1, per: 1s, by: address, counts: failed-authentication } }';

  test('holds on every route, or would hold nowhere', () => {
    expect(faults(limit)).toEqual([
      'p.yaml:3:57: failed authentications are counted on every route (found f on none, expected everywhere: [f])',
    ]);
    expect(faults(`${limit}\neverywhere: [f]`)).toEqual([]);
  });
});

describe('parents', () => {
  const kinds = (text: string) => `resources: { ${text} }`;

  test.each([
    ['a kind that is its own', 'a: { id: a, parent: a }', 34, 'a -> a'],
    ['two that are each other’s', 'a: { id: a, parent: b }, b: { id: b, parent: a }', 34, 'a -> b -> a'],
    [
      'a circle that is entered from outside, once',
      'x: { id: x, parent: b }, a: { id: a, parent: c }, b: { id: b, parent: a }, c: { id: c, parent: b }',
      84,
      'b -> a -> c -> b',
    ],
  ])('that never end are a fault: %s', (_name, text, column, found) => {
    expect(faults(kinds(text))).toEqual([
      `p.yaml:3:${column}: the parents of this kind never end (found ${found}, expected a kind without a parent at the end)`,
    ]);
  });

  test('that end are none, however many kinds have the same', () => {
    expect(
      faults(kinds('a: { id: a }, b: { id: b, parent: a }, c: { id: c, parent: b }, d: { id: d, parent: a }')),
    ).toEqual([]);
  });

  test('that never end across files are told of in the file of the kind', () => {
    const folder = mkdtempSync(join(tmpdir(), 'policies-'));
    const file = (name: string, parent: string): string => {
      const path = join(folder, `${name}.yaml`);
      const resource = `resources: { ${name}: { id: a, parent: ${parent} } }`;
      writeFileSync(path, `version: 1\nname: ${name}\n${resource}\nroutes: [{ id: ${name}, match: GET /${name} }]\n`);
      return path;
    };
    const loaded = loadPolicy([file('one', 'two'), file('two', 'one')]);
    rmSync(folder, { recursive: true });
    expect('faults' in loaded && loaded.faults.map((fault) => formatFault(fault).replace(`${folder}/`, ''))).toEqual([
      'one.yaml:3:36: the parents of this kind never end (found one -> two -> one, expected a kind without a parent at the end)',
    ]);
  });
});

describe('more than a hundred', () => {
  const list = (count: number, entry: (index: number) => string): string =>
    `{ ${Array.from({ length: count }, (_, index) => entry(index)).join(', ')} }`;

  test.each([
    ['resources', (index: number) => `k${index}: { id: a }`],
    ['limits', (index: number) => `l${index}: { concurrent: 1, by: user, timeout: 1s }`],
    ['catalogues', (index: number) => `c${index}: { get: /c, keys: [id], max-age: 1s }`],
  ])('%s are too many, and nothing else is looked at', (word, entry) => {
    expect(faults(`${word}: ${list(100, entry)}`)).toEqual([]);
    expect(faults(`${word}: ${list(101, entry)}\neverywhere: [nope]`)).toEqual([
      expect.stringMatching(/^p\.yaml:3:\d+: too many are declared \(found 101, expected at most 100\)$/),
    ]);
  });
});

test('what is declared may be unused', () => {
  expect(
    faults(`resources: { doc: { id: a } }
limits: { r: { points: 1, per: 1s, by: user }, c: { concurrent: 1, by: user, timeout: 1s } }
catalogues: { models: { get: /models, keys: [id], max-age: 1s } }`),
  ).toEqual([]);
});

test('a probe is a path of the server’s own', () => {
  const probe = (get: string) => `resources: { a: { id: a, probe: { get: '${get}', absent: { json: null } } } }`;
  expect(faults(probe('a/{a}'))).toEqual([
    'p.yaml:3:40: resources.a.probe.get has the wrong form (found "a/{a}", expected a path that begins with /)',
  ]);
  expect(faults(probe('http://h/{a}'))).toHaveLength(1);
  expect(faults(probe('/a/{a}'))).toEqual([]);
});
