import { describe, expect, test } from 'vitest';
import { keepOwn, type OwnersOf } from '../../src/filter/list.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const canvas = jaazPolicy().resources.get('canvas') as ResourceKind;
const rule = (list: string, id: string) => ({
  resource: canvas,
  list: list === '' ? [] : parseFieldPath(list),
  id: parseFieldPath(id),
});

const kept = async (value: JsonValue, list: string, id: string, ownersOf?: OwnersOf): Promise<JsonValue> => {
  const known: OwnersOf = (refs) => refs.map((ref) => (ref.id.startsWith('my') ? 'alice' : undefined));
  await keepOwn(value, rule(list, id), { owner: 'alice', ownersOf: ownersOf ?? known });
  return value;
};

test('asks once for a whole list, and not at all for one without ids', async () => {
  const asked: number[] = [];
  const ownersOf: OwnersOf = async (refs) => {
    asked.push(refs.length);
    return refs.map(() => 'alice');
  };
  expect(await kept([{ id: 'a' }, { id: 5 }, { id: 'b' }], '', 'id', ownersOf)).toEqual([{ id: 'a' }, { id: 'b' }]);
  await kept([{}, { id: null }], '', 'id', ownersOf);
  expect(asked).toEqual([2]);
});

test('what cannot be asked shows nothing', async () => {
  await expect(kept([{ id: 'my' }], '', 'id', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
});

test('an owner who is unknown is not the caller', async () => {
  expect(await kept([{ id: 'a' }], '', 'id', () => [undefined])).toEqual([]);
});

describe('ids', () => {
  test('are found below the row', async () => {
    expect(await kept([{ a: { id: 'my1' } }, { a: { id: 'x' } }, { a: 5 }], '', 'a.id')).toEqual([
      { a: { id: 'my1' } },
    ]);
  });

  test('several in one row belong to nobody: only one of them would be judged', async () => {
    expect(await kept([{ ids: ['my1', 'his'] }, { ids: ['my1'] }], '', 'ids[*]')).toEqual([{ ids: ['my1'] }]);
  });
});

describe('lists', () => {
  test('of each part are cut on their own', async () => {
    const value = [{ rows: [{ id: 'my1' }, { id: 'x' }] }, { rows: [{ id: 'x' }] }];
    expect(await kept(value, '[*].rows', 'id')).toEqual([{ rows: [{ id: 'my1' }] }, { rows: [] }]);
  });

  test.each([
    ['missing', {}],
    ['an object', { rows: { id: 'my1' } }],
    ['null', { rows: null }],
    ['a text', { rows: 'my1' }],
  ])('that are %s are refused', async (_name, value) => {
    expect(await refusalOf(() => kept(value as JsonValue, 'rows', 'id'))).toBe('answer-unreadable 502');
  });
});
