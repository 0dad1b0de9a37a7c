import { expect, test } from 'vitest';
import { formatWarning, listedRoutes, WARNINGS, warn } from '../../src/policy/lint-warning.ts';
import { subjectFrom, subjectOf } from '../support/warnings.ts';

test('a warning says where, what was found, why it matters and what to do', () => {
  const { sources } = subjectFrom('routes:\n  - { id: page, match: GET /, access: public }\n');
  const [source] = sources;
  if (source === undefined) throw new Error('no source');
  const warning = warn('limit-unused', { source, path: ['routes', 0, 'match'], at: 'key' }, 'x');
  expect(warning).toMatchObject({ code: 'limit-unused', line: 4, column: 17, found: 'x' });
  expect(formatWarning({ ...warning, file: 'p.yaml' })).toBe(
    'p.yaml:4:17: warning: this limit holds nowhere (found x)\n' +
      '    what it was meant for has no limit, or another one; name it in everywhere, in the limits of a route, or in a run',
  );
});

test('routes are found in both forms, those of every file, but not those that another file replaces', () => {
  const listed = listedRoutes(subjectOf('policies/jaaz-workspace.yaml'));
  expect(listed.map(({ route }) => route.id).sort()).toEqual([...new Set(listed.map(({ route }) => route.id))].sort());
  expect(listed.length).toBeGreaterThan(50);
  for (const { route, written } of listed) {
    expect({ id: route.id, access: route.access }).toEqual({ id: written.id, access: written.access });
  }
});

test.each(Object.entries(WARNINGS))('%s is said in words that fit into its sentence', (code, words) => {
  expect(code).toMatch(/^[a-z]+(?:-[a-z]+)+$/);
  for (const text of Object.values(words)) expect(text).toMatch(/^[a-zé][^\n]*[^.\n]$/);
});
