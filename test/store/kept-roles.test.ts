import { expect, test } from 'vitest';
import { keptJson, keptRoles } from '../../src/store/kept-roles.ts';

test('roles are a list of texts, and nothing else is', () => {
  expect(keptRoles([])).toEqual([]);
  expect(keptRoles(['admin', ''])).toEqual(['admin', '']);
  for (const other of [undefined, null, 'admin', 1, {}, [1], [['admin']], ['admin', null]])
    expect(keptRoles(other)).toBeUndefined();
});

test('a text that is no JSON says nothing', () => {
  expect(keptJson('["a"]')).toEqual(['a']);
  for (const text of ['', '{', 'undefined', '[1,]']) expect(keptJson(text)).toBeUndefined();
});
