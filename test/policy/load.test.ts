import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy, readSources } from '../../src/policy/load.ts';

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

  test('are read as they are written, those included too, or their faults are told', () => {
    const read = readSources(['policies/jaaz-workspace.yaml']);
    if ('faults' in read) throw new Error('faults');
    expect(read.sources.map(({ policy }) => policy.name)).toEqual(['jaaz-workspace', 'jaaz']);
    expect(readSources([join(folder, 'missing.yaml')])).toHaveProperty('faults.length', 1);
  });

  test('that are none make a policy that refuses everything', () => {
    const loaded = loadPolicy([]);
    expect('policy' in loaded && loaded.policy.match('GET', '/')).toBeUndefined();
  });
});

describe('a file that includes others', () => {
  const routeIn = (name: string, more = '') =>
    `version: 1\nname: ${name}\n${more}routes: [{ id: ${name}, match: GET /${name} }]\n`;
  const rolloutsOf = (...files: string[]) => {
    const loaded = loadPolicy(files);
    if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
    return Object.fromEntries(loaded.policy.routes.map(({ id, rollout }) => [id, rollout.mode]));
  };

  test('is one policy with them, under its own name; paths are relative to the file that names them', () => {
    mkdirSync(join(folder, 'parts/deeper'), { recursive: true });
    fileOf('parts/deeper/c.yaml', routeIn('c'));
    fileOf('parts/b.yaml', routeIn('b', 'include: [deeper/c.yaml]\n'));
    const main = fileOf('main.yaml', 'version: 1\nname: main\ninclude: [parts/b.yaml]\n');
    const loaded = loadPolicy([main]);
    expect(loaded).toMatchObject({ policy: { name: 'main' } });
    expect(loaded.files.map((file) => file.replace(`${folder}/`, ''))).toEqual([
      'main.yaml',
      'parts/b.yaml',
      'parts/deeper/c.yaml',
    ]);
    expect(Object.keys(rolloutsOf(main))).toEqual(['b', 'c']);
  });

  test('gives its mode to those that say nothing of modes, and to no others', () => {
    fileOf('silent.yaml', routeIn('silent'));
    fileOf('spoken.yaml', routeIn('spoken', 'mode: enforce\n'));
    const main = fileOf('modes.yaml', routeIn('main', 'include: [silent.yaml, spoken.yaml]\nmode: shadow\n'));
    expect(rolloutsOf(main)).toEqual({ main: 'shadow', silent: 'shadow', spoken: 'enforce' });
  });

  test('tells of the faults in them', () => {
    fileOf('wrong.yaml', 'version: 1\nname: wrong\nroutes: [{ id: a, match: GETS /a }, { idd: b }]\n');
    const faults = faultsOf(fileOf('has-wrong.yaml', routeIn('a', 'include: [wrong.yaml]\n')));
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every((fault) => fault.startsWith('wrong.yaml:3:'))).toBe(true);
  });

  test.each([
    ['itself', 'self.yaml', '[self.yaml]', 'this file includes itself (found self.yaml -> self.yaml)'],
    ['what is not there', 'lost.yaml', '[nowhere.yaml]', 'the file cannot be read: ENOENT (found nowhere.yaml)'],
    ['a folder', 'folder.yaml', '[.]', 'this is not a file (found .)'],
    ['a device that never ends', 'device.yaml', '[/dev/zero]', 'this is not a file (found /dev/zero)'],
  ])('is refused where it includes %s', (_name, file, list, words) => {
    expect(faultsOf(fileOf(file, routeIn('x', `include: ${list}\n`)))).toEqual([`${file}:3:11: ${words}`]);
  });

  test('is refused where it includes a link that leads to itself', () => {
    symlinkSync('round.yaml', join(folder, 'round.yaml'));
    expect(faultsOf(fileOf('rounds.yaml', routeIn('x', 'include: [round.yaml]\n')))).toEqual([
      'rounds.yaml:3:11: the file cannot be read: ELOOP (found round.yaml)',
    ]);
  });

  test('is refused when it is of more than a hundred files, and tells of a hundred faults', () => {
    const names = Array.from({ length: 120 }, (_, index) => `part${index}.yaml`);
    for (const [index, name] of names.entries()) fileOf(name, routeIn(`part${index}`));
    const faults = faultsOf(fileOf('crowd.yaml', routeIn('crowd', `include: [${names.join(', ')}]\n`)));
    expect(faults).toHaveLength(21);
    expect(faults[0]).toMatch(/: too many files \(found part99.yaml, expected at most 100\)$/);
    const lost = Array.from({ length: 40_000 }, (_, index) => `lost${index}`).join(', ');
    expect(faultsOf(fileOf('lost-crowd.yaml', routeIn('lost', `include: [${lost}]\n`)))).toHaveLength(100);
  });

  test('is refused in a circle, at the place that closes it', () => {
    fileOf('one.yaml', routeIn('one', 'include: [two.yaml]\n'));
    fileOf('two.yaml', routeIn('two', 'include: [ring.yaml]\n'));
    expect(faultsOf(fileOf('ring.yaml', routeIn('ring', 'include: [one.yaml]\n')))).toEqual([
      'two.yaml:3:11: this file includes itself (found ring.yaml -> one.yaml -> two.yaml -> ring.yaml)',
    ]);
  });

  test('is refused where a file is named twice, also by another name', () => {
    const part = fileOf('part.yaml', routeIn('part'));
    symlinkSync(part, join(folder, 'alias.yaml'));
    const main = fileOf('twice.yaml', routeIn('twice', 'include: [part.yaml, alias.yaml]\n'));
    expect(faultsOf(main)).toEqual(['twice.yaml:3:22: this file is a part of the policy already (found alias.yaml)']);
    expect(faultsOf(part, part)).toEqual(['part.yaml:1:1: this file is a part of the policy already']);
  });

  test('is refused when it goes more than eight levels down', () => {
    const chain = (depth: number): string =>
      fileOf(`level${depth}.yaml`, routeIn(`l${depth}`, depth === 0 ? '' : `include: [level${depth - 1}.yaml]\n`));
    for (let depth = 0; depth <= 8; depth++) chain(depth);
    expect(faultsOf(join(folder, 'level8.yaml'))).toEqual([]);
    expect(faultsOf(chain(9))).toEqual([
      'level1.yaml:3:11: the includes are too deep (found level0.yaml, expected at most 8 levels)',
    ]);
  });
});

test('what is no file is refused, and not read', () => {
  expect(faultsOf('/dev/zero')).toEqual(['/dev/zero:1:1: this is not a file']);
  expect(faultsOf(folder)).toEqual([`${folder}:1:1: this is not a file`]);
});

test('a policy without a route is refused', () => {
  expect(faultsOf(fileOf('empty.yaml', 'version: 1\nname: empty\n'))).toEqual([
    'empty.yaml:1:1: the policy has no route (expected routes: [{ id, match }])',
  ]);
});

test('what stands at an anchor is told of once', () => {
  const text = `version: 1\nname: p\nroutes:\n${['a', 'b']
    .map(
      (id, index) =>
        `  - id: ${id}\n    match: POST /${id}\n    rewrite: ${index === 0 ? '&x [{ dropp: [y] }]' : '*x'}\n`,
    )
    .join('')}`;
  expect(faultsOf(fileOf('anchor.yaml', text))).toHaveLength(1);
});

test('a route that is none is not said to match anything', () => {
  const text =
    'version: 1\nname: p\nroutes: [{ id: a, match: GET / }, { id: b, match: get /b }, { id: c, match: get /c }]\n';
  expect(faultsOf(fileOf('none.yaml', text)).map((fault) => fault.replace(/ [(].*/, ''))).toEqual([
    'none.yaml:3:51: not a route',
    'none.yaml:3:77: not a route',
  ]);
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
