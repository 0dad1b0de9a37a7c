import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy, readSources } from '../../src/policy/load.ts';
import { routesThatHold } from '../../src/policy/replaces.ts';

const directory = mkdtempSync(join(tmpdir(), 'gateway-replaces-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, lines: readonly string[]): string => {
  const path = join(directory, `${name}.yaml`);
  writeFileSync(path, ['version: 1', `name: ${name}`, ...lines, ''].join('\n'));
  return path;
};
const base = file('base', [
  'routes:',
  '  - { id: files.read, match: GET /files, access: denied }',
  '  - { id: files.write, match: POST /files, access: denied }',
  '  - { id: page, match: GET / }',
]);

const load = (...files: readonly string[]) => {
  const loaded = loadPolicy(files);
  if (!('faults' in loaded)) return loaded.policy.routes.map(({ id, access }) => `${id} ${access}`);
  return loaded.faults.map((fault) => formatFault(fault).replace(`${directory}/`, ''));
};
const more = (...lines: readonly string[]): string => file('more', lines);
const READ = '  - { id: files.read, match: GET /files }';

describe('a denied route of another file', () => {
  test('is taken over where it is named, and no other is', () => {
    const taking = more('replaces: [files.read]', 'routes:', READ);
    const routes = ['files.write denied', 'page user', 'files.read user'];
    expect(load(base, taking)).toEqual(routes);
    expect(load(taking, base).sort()).toEqual(routes.sort());
  });

  test('is taken over where the file includes the other', () => {
    expect(load(more('include: [base.yaml]', 'replaces: [files.read]', 'routes:', READ))).toContain('files.read user');
  });

  test('is not taken over by its id alone', () => {
    expect(load(base, more('routes:', READ)).join('\n')).toMatch(/this id is used twice.*\n.*could match this route/);
  });
});

describe('a fault is', () => {
  test('a route that is not denied', () => {
    expect(load(base, more('replaces: [page]', 'routes:', '  - { id: page, match: GET /, access: public }'))).toEqual([
      'more.yaml:3:12: only a denied route is replaced (found page, expected a route that is denied)',
    ]);
  });

  test('a route that no other file has, with the nearest that one has', () => {
    expect(load(base, more('replaces: [files.raed]', 'routes:', '  - { id: files.raed, match: GET /other }'))).toEqual([
      'more.yaml:3:12: no other file has this route (found files.raed, expected files.read)',
    ]);
    const own = ['replaces: [own]', 'routes:', '  - { id: own, match: GET /own, access: denied }'];
    expect(load(base, more(...own))).toEqual([
      'more.yaml:3:12: no other file has this route (found own, expected the id of a denied route)',
    ]);
  });

  test('a route that is taken away and not given', () => {
    expect(load(base, more('replaces: [files.read]', 'routes:', '  - { id: other, match: GET /other }'))).toEqual([
      'more.yaml:3:12: this file has no such route (found files.read)',
    ]);
  });

  test('two files that take over one route', () => {
    const again = file('again', ['replaces: [files.read]', 'routes:', READ]);
    const words = 'only a denied route is replaced (found files.read, expected a route that is denied)';
    expect(load(base, again, more('replaces: [files.read]', 'routes:', READ))).toEqual([
      `again.yaml:3:12: ${words}`,
      `more.yaml:3:12: ${words}`,
    ]);
  });
});

test('of a route that is taken over, the other file’s is the one that holds', () => {
  const taking = more('replaces: [files.read]', 'routes:', READ);
  const read = readSources([base, taking]);
  const held = 'faults' in read ? [] : routesThatHold(read.sources);
  expect(held.map(({ written, source, path }) => [written.id, source.policy.name, path.join('.')])).toEqual([
    ['files.write', 'base', 'routes.1'],
    ['page', 'base', 'routes.2'],
    ['files.read', 'more', 'routes.0'],
  ]);
});
