import { describe, expect, test } from 'vitest';
import type { Catalogue } from '../../src/model/route.ts';
import { catalogueReader } from '../../src/upstream/catalogue.ts';
import type { SmallAnswer } from '../../src/upstream/origin.ts';
import { sharedCopies } from '../../src/upstream/shared-copy.ts';
import { refusalOf } from '../support/bodies.ts';

const models: Catalogue = { name: 'models', target: '/api/list_models', keys: ['model'], maxAgeMillis: 100 };

const open = () => {
  const state = {
    time: 0,
    asked: 0,
    answer: { status: 200, headers: {}, body: Buffer.from('[{"model":"a"}]'), whole: true },
  };
  const read = async (): Promise<SmallAnswer> => {
    state.asked += 1;
    return state.answer;
  };
  return { state, reader: catalogueReader(sharedCopies({ read }, () => state.time)) };
};

test('is read once for everybody, and again when it is old', async () => {
  const { state, reader } = open();
  const copies = await Promise.all([reader(models), reader(models), reader(models)]);
  expect(copies[2]).toEqual([{ model: 'a' }]);
  expect(state.asked).toBe(1);
  state.time = 99;
  await reader(models);
  expect(state.asked).toBe(1);
  state.time = 100;
  await reader(models);
  expect(state.asked).toBe(2);
});

test('entries that are no objects are left out', async () => {
  const { state, reader } = open();
  state.answer = { ...state.answer, body: Buffer.from('[null, 5, "x", {"model":"a"}]') };
  expect(await reader(models)).toEqual([{ model: 'a' }]);
});

describe('a failure', () => {
  test.each([
    ['another status', { status: 500, body: Buffer.from('[]'), whole: true }],
    ['too much', { status: 200, body: Buffer.from('[]'), whole: false }],
    ['no JSON', { status: 200, body: Buffer.from('<html>api_key=sk-12345</html>'), whole: true }],
    ['no list', { status: 200, body: Buffer.from('{"data":[]}'), whole: true }],
    ['null', { status: 200, body: Buffer.from('null'), whole: true }],
  ])('by %s is refused, quotes nothing, and is not kept', async (_name, answer) => {
    const { state, reader } = open();
    const good = state.answer;
    state.answer = { ...answer, headers: {} };
    const refused = await reader(models).catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: 'catalogue-unavailable', status: 502 });
    expect(String(refused)).not.toContain('sk-');
    state.answer = good;
    expect(await reader(models)).toEqual([{ model: 'a' }]);
  });

  test('of the origin too', async () => {
    const reader = catalogueReader(sharedCopies({ read: () => Promise.reject(new Error('gone')) }));
    expect(await refusalOf(() => reader(models))).toBe('catalogue-unavailable 502');
  });
});
