import { describe, expect, test } from 'vitest';
import { parseAnswer } from '../../src/filter/json.ts';
import { keepOwn, type OwnersOf } from '../../src/filter/list.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const canvas = jaazPolicy().resources.get('canvas') as ResourceKind;
const rule = (list: string, id: string) => ({
  resource: canvas,
  in: 'list' as const,
  list: list === '' ? [] : parseFieldPath(list),
  id: parseFieldPath(id),
});

const kept = async (value: JsonValue, list: string, id: string, ownersOf?: OwnersOf): Promise<JsonValue> => {
  const known: OwnersOf = (refs) => refs.map((ref) => (ref.id.startsWith('my') ? 'alice' : undefined));
  await keepOwn(value, rule(list, id), { owner: 'alice', ownersOf: ownersOf ?? known });
  return value;
};

describe('mappings', () => {
  const of = (list: string, id: string | undefined) => ({
    resource: canvas,
    in: 'mapping' as const,
    list: list === '' ? [] : parseFieldPath(list),
    id: id === undefined ? undefined : parseFieldPath(id),
  });
  const keptOf = async (value: JsonValue, list: string, id?: string): Promise<JsonValue> => {
    const ownersOf: OwnersOf = (refs) => refs.map((ref) => (ref.id.startsWith('my') ? 'alice' : undefined));
    await keepOwn(value, of(list, id), { owner: 'alice', ownersOf });
    return value;
  };

  test('show the entries whose key is the caller’s own', async () => {
    expect(await keptOf({ items: { my1: 1, his: 2, my2: null, default: 3 } }, 'items')).toEqual({
      items: { my1: 1, my2: null },
    });
    expect(await keptOf({ my1: 1, his: 2 }, '')).toEqual({ my1: 1 });
  });

  test('show entries by a field of theirs', async () => {
    expect(await keptOf({ a: { id: 'my1' }, my2: { id: 'his' }, c: 5 }, '', 'id')).toEqual({ a: { id: 'my1' } });
  });

  test('are cut wherever they are, with one question', async () => {
    const asked: string[][] = [];
    const value = [{ files: { my1: 1, his: 2 } }, { files: {} }, { files: { my2: 1 } }];
    const ownersOf: OwnersOf = (refs) => {
      asked.push(refs.map(({ id }) => id));
      return refs.map(({ id }) => (id.startsWith('my') ? 'alice' : 'bob'));
    };
    await keepOwn(value, of('[*].files', undefined), { owner: 'alice', ownersOf });
    expect(value).toEqual([{ files: { my1: 1 } }, { files: {} }, { files: { my2: 1 } }]);
    expect(asked).toEqual([['my1', 'his', 'my2']]);
  });

  test('with a key of a megabyte hide it at once, whatever the grammar', async () => {
    const slow = { ...canvas, pattern: /^(?:a*a*a*b)$/ };
    const value = { ['a'.repeat(1_000_000)]: 1 };
    await keepOwn(value, { ...of('', undefined), resource: slow }, { owner: 'alice', ownersOf: () => [] });
    expect(value).toEqual({});
  });

  test('have no inherited keys, and keys that no id can be are nobody’s', async () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":2,"my1":3}') as JsonValue;
    expect(Object.entries((await keptOf(value, '')) as object)).toEqual([['my1', 3]]);
  });

  test.each([
    ['a list', { items: [{ id: 'my1' }] }],
    ['null', { items: null }],
    ['missing', {}],
    ['a number that is kept verbatim', parseAnswer(Buffer.from('{"items":1.0}'))],
  ])('that are %s are refused', async (_name, value) => {
    expect(await refusalOf(() => keptOf(value as JsonValue, 'items'))).toBe('answer-unreadable 502');
  });
});

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

describe('lists within others', () => {
  const boards = (value: JsonValue) => kept(value, 'folders[*].boards', 'id');

  test.each([
    ['a mapping of folders', { folders: { a: { boards: [{ id: 'x' }] } } }],
    ['a list of lists', { folders: [[{ boards: [{ id: 'x' }] }]] }],
    ['no folders', { directories: [{ boards: [{ id: 'x' }] }] }],
    ['folders that are null', { folders: null }],
    ['a list at the top', [{ boards: [{ id: 'x' }] }]],
    ['boards by their ids', { folders: [{ boards: { x: { id: 'x' } } }] }],
  ])('are not looked for where %s would hide them: it is refused', async (_name, value) => {
    expect(await refusalOf(() => boards(value as JsonValue))).toBe('answer-unreadable 502');
  });

  test('may be missing in some of them', async () => {
    const value = { folders: [null, 'x', { name: 'none' }, { boards: [{ id: 'x' }, { id: 'my1' }] }] };
    expect(await boards(value)).toEqual({ folders: [null, 'x', { name: 'none' }, { boards: [{ id: 'my1' }] }] });
    expect(await boards({ folders: [] })).toEqual({ folders: [] });
  });

  test('are not looked for among the entries of a list where a mapping was said', async () => {
    expect(await refusalOf(() => kept({ folders: [{ boards: [{ id: 'x' }] }] }, 'folders.*.boards', 'id'))).toBe(
      'answer-unreadable 502',
    );
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
