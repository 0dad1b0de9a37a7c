import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy } from '../../src/policy/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'policies-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const faultsOf = (...files: string[]): string[] => {
  const loaded = loadPolicy(files);
  return 'faults' in loaded ? loaded.faults.map((fault) => formatFault(fault).replace(`${folder}/`, '')) : [];
};

describe('files', () => {
  test('the policy that is shipped loads', () => {
    expect(loadPolicy(['policies/jaaz.yaml'])).toHaveProperty('policy.name', 'jaaz');
  });

  test('several make one policy; what one declares the others may use', () => {
    const kinds = fileOf(
      'kinds.yaml',
      "{ version: 1, name: kinds, resources: { doc: { id: '[a-z]{1,9}' } }, routes: [{ id: a, match: GET /a }] }",
    );
    const routes = fileOf('routes.yaml', '{ version: 1, name: routes, routes: [{ id: b, match: "GET /b/{doc}" }] }');
    const loaded = loadPolicy([routes, kinds]);
    if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
    expect(loaded.policy.name).toBe('routes+kinds');
    expect(loaded.policy.match('GET', '/b/x')?.route.uses).toMatchObject([{ verb: 'own', kind: { name: 'doc' } }]);
  });

  test('with the same route in two of them are refused, at the second', () => {
    const one = fileOf('one.yaml', '{ version: 1, name: one, routes: [{ id: a, match: GET /a }] }');
    const two = fileOf('two.yaml', 'version: 1\nname: two\nroutes:\n  - id: b\n    match: GET /a\n');
    expect(faultsOf(one, two)).toEqual([
      'two.yaml:5:12: a request could match this route and a (found b, expected one route for each request)',
    ]);
  });

  test('that are missing, no YAML or of another form are all told of at once', () => {
    const broken = fileOf('broken.yaml', 'a: [');
    const other = fileOf('other.yaml', 'version: 2\nname: x\nroutes: [{ id: a, match: GET /a }]\n');
    const faults = faultsOf(join(folder, 'missing.yaml'), broken, other);
    expect(faults[0]).toBe('missing.yaml:1:1: the file cannot be read: ENOENT');
    expect(faults.some((text) => text.startsWith('broken.yaml:1:'))).toBe(true);
    expect(faults.at(-1)).toMatch(/^other\.yaml:1:10: version .*\(found 2, expected 1\)$/);
  });

  test('that are none make a policy that refuses everything', () => {
    const loaded = loadPolicy([]);
    expect('policy' in loaded && loaded.policy.match('GET', '/')).toBeUndefined();
  });
});

test('ten thousand routes load', () => {
  const routes = Array.from(
    { length: 10_000 },
    (_, index) => `  - { id: r${index}, match: 'GET /api/r${index}/{doc}' }`,
  );
  const text = `version: 1\nname: many\nresources: { doc: { id: '[a-z]{1,9}' } }\nroutes:\n${routes.join('\n')}\n`;
  const loaded = loadPolicy([fileOf('many.yaml', text)]);
  expect('policy' in loaded && loaded.policy.match('GET', '/api/r9999/x')?.route.id).toBe('r9999');
});
