/** Whatever a list holds, however it is cut and wherever it is damaged: the caller's rows as they came, and no other byte. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepRows, type RowsOptions } from '../../src/filter/rows.ts';
import { drain, feed, late, options, type Shown } from '../support/row-lists.ts';

/** A row as text, in one of the forms in which a server may write it; what is another's says so. */
const rowText = fc
  .record({
    id: fc.constantFrom('mine-1', 'mine-2', 'other-1', 'new-1', 'mine-reserved', 'NOT AN ID', 7, null),
    value: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 80 })),
    idFirst: fc.boolean(),
    escaped: fc.boolean(),
    space: fc.constantFrom('', ' ', '\n\t'),
  })
  .map(({ id, value, idFirst, escaped, space }) => {
    const secret = id === 'mine-1' || id === 'mine-2' ? 'open' : 'SECRET';
    const key = escaped ? '"\\u0069d"' : '"id"';
    const named = `${key}${space}:${JSON.stringify(id)}`;
    const rest = `"x":${space}[{"id":"mine-1"},${JSON.stringify(value)}],"y":"${secret}"`;
    return { text: `{${idFirst ? `${named},${rest}` : `${rest},${space}${named}`}}`, own: secret === 'open', space };
  });

const cutAt = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
};

const OWN = ['mine-1', 'mine-2', 'mine-reserved'];

/** Damage to an id of the caller's makes it nobody's. */
const exactly: RowsOptions['ownersOf'] = (refs) => refs.map(({ id }) => (OWN.includes(id) ? 'me' : 'other'));

const shownOf = async (chunks: readonly Buffer[], given: RowsOptions): Promise<Shown> => {
  try {
    return await drain(await keepRows(feed(chunks).body, given));
  } catch {
    return { text: '', outcome: 'failed' };
  }
};

const lists = fc.array(rowText, { maxLength: 8 });
const places = fc.array(fc.nat(), { maxLength: 8 });
const either = fc.constantFrom(options(), options({ ownersOf: late }));

describe('any list', () => {
  test('cut anywhere shows the caller’s rows, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(lists, places, either, async (rows, cuts, given) => {
        const bytes = Buffer.from(`[${rows.map(({ text, space }) => `${space}${text}${space}`).join(',')}]`);
        const own = rows.filter((each) => each.own).map(({ text }) => text);
        expect(await shownOf(cutAt(bytes, cuts), given)).toEqual({ text: `[${own.join(',')}]`, outcome: 'ended' });
      }),
      { numRuns: 500 },
    );
  });

  test('with a byte that is wrong, missing or too many shows nothing that is another’s', async () => {
    const damage = fc.record({
      at: fc.nat(),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 2 }),
        fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', ' ', '},{', '\\"').map((text) => Buffer.from(text)),
      ),
      gone: fc.constantFrom(0, 1),
    });
    await fc.assert(
      fc.asyncProperty(lists, places, damage, async (rows, cuts, { at, bytes, gone }) => {
        const whole = Buffer.from(`[${rows.map(({ text }) => text).join(',')}]`);
        const place = at % whole.length;
        const damaged = Buffer.concat([whole.subarray(0, place), bytes, whole.subarray(place + gone)]);
        const { text, outcome } = await shownOf(cutAt(damaged, cuts), options({ ownersOf: exactly }));
        expect(text).not.toContain('SECRET');
        if (outcome === 'failed') expect(text).toBe('');
        else for (const { id } of JSON.parse(text) as Array<{ id: string }>) expect(OWN).toContain(id);
      }),
      { numRuns: 2_000 },
    );
  });
});
