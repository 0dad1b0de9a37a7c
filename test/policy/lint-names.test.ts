import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lint } from '../../src/policy/lint.ts';
import { found, subjectOf } from '../support/warnings.ts';

const page = 'routes:\n  - { id: page, match: GET /, access: public }\n';

test('a limit that holds nowhere is told', () => {
  const limits = `limits:
  one: { points: 9, per: 1m, by: user }
  two: { points: 9, per: 1m, by: user }
  three: { concurrent: 9, timeout: 1m, by: user }
`;
  expect(found('limit-unused', `${limits}${page}`)).toEqual(['4: one', '5: two', '6: three']);
  const used = `resources: { session: { id: '[a-z]+' } }
everywhere: [one]
routes:
  - { id: r, match: POST /, limits: [two], body: { json: 1KiB, own: { session: s } }, run: { limit: three, session: s, ends: event } }
`;
  expect(found('limit-unused', `${limits}${used}`)).toEqual([]);
});

test('a catalogue that no route uses is told', () => {
  const catalogues = 'catalogues:\n  models: { get: /m, keys: [id], max-age: 1m }\n';
  expect(found('catalogue-unused', `${catalogues}${page}`)).toEqual(['4: models']);
  const route = '{ id: r, match: POST /, body: { json: 1KiB }, rewrite: [{ catalogue: { field: m, from: models } }] }';
  expect(found('catalogue-unused', `${catalogues}routes: [${route}]`)).toEqual([]);
});

describe('a role', () => {
  const routes = (...roles: readonly string[]): string =>
    `routes:\n${roles.map((role, index) => `  - { id: r${index}, match: GET /${index}, roles: [${role}] }`).join('\n')}`;

  test('that looks like one that is used more often is told', () => {
    expect(found('role-misspelt', routes('admin', 'admin', 'amdin'))).toEqual(['6: amdin, and elsewhere admin']);
    expect(found('role-misspelt', routes('admin', 'admin', 'Admin'))).toEqual(['6: Admin, and elsewhere admin']);
  });

  test('that stands alone, or looks like none, is not', () => {
    expect(found('role-misspelt', routes('admin', 'admln'))).toEqual([]);
    expect(found('role-misspelt', routes('admin', 'admin', 'auditor'))).toEqual([]);
  });

  test('is not looked for among thousands', () => {
    const many = Array.from({ length: 3_000 }, (_, n) => `${'r'.repeat(50)}${n}`);
    const once = Array.from({ length: 3_000 }, (_, n) => `${'s'.repeat(50)}${n}`);
    const before = process.cpuUsage();
    expect(found('role-misspelt', routes(...many, ...many, ...once))).toEqual([]);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(10_000);
  });

  test('is looked for in conditions and cohorts as well', () => {
    const when = '  - { id: w, match: GET /w, when: { all: [{ not: { role: amdin } }, { any: [{ role: admin }] }] } }';
    expect(found('role-misspelt', `${routes('admin')}\n${when}`)).toEqual(['5: amdin, and elsewhere admin']);
    const cohorts = 'cohorts: { some: { mode: shadow, roles: [amdin] } }\n';
    expect(found('role-misspelt', `${cohorts}${routes('admin', 'admin')}`)).toEqual(['3: amdin, and elsewhere admin']);
  });

  test('that no token can carry is told', () => {
    expect(found('role-impossible', routes('"ad\\tmin"', '"\\u2028"', 'a b'))).toEqual([
      '4: "ad\\tmin"',
      '5: "\u2028"',
    ]);
  });
});

describe('a cohort', () => {
  const cohorts = (...lines: readonly string[]): string => `cohorts:\n  ${lines.join('\n  ')}\n${page}`;

  test('of nobody is told', () => {
    expect(found('cohort-unreachable', cohorts('a: { mode: shadow }', 'b: { mode: off, percent: 5 }'))).toEqual([
      '4: a without users, roles and percent',
    ]);
  });

  test('behind one that has everybody is told', () => {
    const all = 'all: { mode: shadow, percent: 100 }';
    const some = 'some: { mode: enforce, roles: [tester] }';
    expect(found('cohort-unreachable', cohorts(all, some))).toEqual(['5: some, after all are in all']);
    expect(found('cohort-unreachable', cohorts(some, all))).toEqual([]);
  });

  test('with users of an issuer that is not configured is told', () => {
    const users = 'a: { mode: shadow, users: ["main|ann", "mian|ann"] }';
    expect(found('cohort-user-unknown', cohorts(users))).toEqual(['4: mian|ann']);
  });

  test('is told once, and not again for each file that is included', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cohorts-'));
    const file = join(folder, 'a.yaml');
    writeFileSync(file, `version: 1\nname: a\ninclude: [b.yaml]\n${cohorts('a: { mode: shadow }')}`);
    writeFileSync(join(folder, 'b.yaml'), 'version: 1\nname: b\nroutes: [{ id: b, match: GET /b, access: public }]\n');
    const warnings = lint(subjectOf(file));
    rmSync(folder, { recursive: true });
    expect(warnings.map(({ code, file: place }) => `${code} ${place}`)).toEqual([`cohort-unreachable ${file}`]);
  });
});
