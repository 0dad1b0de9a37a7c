import { expect, test } from 'vitest';
import { together } from '../../src/authn/together.ts';

test('work of one key is done once for all who wait for it, and anew afterwards', async () => {
  const done: string[] = [];
  const ask = together(async (key, about: number) => {
    done.push(`${key} ${about}`);
    await Promise.resolve();
    return done.length;
  });
  expect(await Promise.all([ask('a', 1), ask('a', 2), ask('b', 3)])).toEqual([2, 2, 2]);
  expect(await ask('a', 4)).toBe(3);
  expect(done).toEqual(['a 1', 'b 3', 'a 4']);
});

test('all who wait hear of a failure, and who comes then does not', async () => {
  let isBroken = true;
  const ask = together(async () => {
    if (isBroken) throw new Error('broken');
  });
  const both = [ask('a', undefined), ask('a', undefined)];
  expect(await Promise.allSettled(both)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  isBroken = false;
  await expect(ask('a', undefined)).resolves.toBeUndefined();
});
