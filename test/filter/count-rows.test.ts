import { describe, expect, test } from 'vitest';
import { copied } from '../../src/filter/copy.ts';
import { countRows } from '../../src/filter/count-rows.ts';
import type { OwnersOf } from '../../src/filter/list.ts';
import type { ResourceKind } from '../../src/model/resource.ts';
import type { BodySource } from '../../src/model/response.ts';
import { refusalOf } from '../support/bodies.ts';
import { jaazPolicy } from '../support/policies.ts';

const canvas = jaazPolicy().resources.get('canvas') as ResourceKind;
const atOnce: OwnersOf = (refs) => refs.map(({ id }) => (id.startsWith('hers') ? 'alice' : undefined));
const later: OwnersOf = async (refs) => atOnce(refs);

const source = (chunks: readonly string[], end: 'end' | 'break' = 'end'): BodySource => ({
  whole: () => undefined,
  pipe(sink) {
    for (const chunk of chunks) sink.write(Buffer.from(chunk));
    if (end === 'end') sink.end();
    else sink.fail(new Error('gone'));
  },
  resume: () => undefined,
  abort: () => undefined,
});

const count = (body: BodySource, ownersOf: OwnersOf, maxRowBytes = 100) => {
  const { passing, copy } = copied(body);
  const counted = countRows(copy, { resource: canvas, key: 'id', maxRowBytes, owner: 'alice', ownersOf });
  passing.pipe({ write: () => true, end: () => undefined, fail: () => undefined });
  return counted;
};

describe.each([
  ['owners are near', atOnce],
  ['owners must be asked for', later],
])('where %s', (_where, ownersOf) => {
  test.each([
    ['[]', 0, 0],
    ['[{"id":"hers"},{"id":"his"},{"id":"hers-too"}]', 2, 3],
    ['[{"id":null},{"id":7},{"x":1},{"id":"default"},{"id":"not an id"}]', 0, 5],
  ])('of %s', async (text, own, of) => {
    expect(await count(source([text]), ownersOf)).toEqual({ own, of });
    expect(await count(source([...text]), ownersOf)).toEqual({ own, of });
  });

  test('a large row of another’s is passed over, one’s own would be refused', async () => {
    const large = (id: string) => `[{"id":"${id}","x":"${'x'.repeat(200)}"}]`;
    expect(await count(source([large('his')]), ownersOf)).toEqual({ own: 0, of: 1 });
    expect(await refusalOf(() => count(source([large('hers')]), ownersOf))).toBe('answer-too-large 502');
  });

  test.each(['{}', '[1]', '[{"id":"hers"}', '[{"id":"hers"}]x', 'null'])(
    '%s is not the expected list',
    async (text) => {
      expect(await refusalOf(() => count(source([text]), ownersOf))).toBe('answer-unreadable 502');
    },
  );

  test('a list that breaks off is not counted', async () => {
    await expect(count(source(['[{"id":"hers"},'], 'break'), ownersOf)).rejects.toThrow('gone');
  });
});

test('a ledger that cannot be asked is what the list would have been refused for', async () => {
  const down: OwnersOf = () => Promise.reject(new Error('down'));
  await expect(count(source(['[{"id":"hers"}]']), down)).rejects.toThrow('down');
});

test('a long list does not wait for its owners, but ids do, in batches', async () => {
  const asked: number[] = [];
  const slow: OwnersOf = async (refs) => {
    asked.push(refs.length);
    await new Promise(setImmediate);
    return atOnce(refs);
  };
  // Far more bytes than a copy may hold back.
  const rows = Array.from(
    { length: 300 },
    (_, index) => `{"id":"${index % 3 === 0 ? 'hers' : 'his'}-${index}","x":"${'x'.repeat(60_000)}"}`,
  );
  const chunks = [`[${rows[0]}`, ...rows.slice(1).map((row) => `,${row}`), ']'];
  expect(await count(source(chunks), slow, 70_000)).toEqual({ own: 100, of: 300 });
  expect(asked.reduce((sum, refs) => sum + refs, 0)).toBe(300);
  expect(asked.length).toBeLessThan(10);
});
