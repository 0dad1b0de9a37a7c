import { describe, expect, test } from 'vitest';
import { conform } from '../../src/body/conform.ts';
import { readStrictJson } from '../../src/body/json.ts';
import type { BodySchema } from '../../src/model/body-schema.ts';
import type { JsonObject } from '../../src/model/json.ts';

const object = (
  properties: Record<string, BodySchema>,
  additional: 'allow' | 'drop' | 'refuse' = 'refuse',
): BodySchema => ({
  type: 'object',
  nullable: false,
  properties: new Map(Object.entries(properties)),
  required: [],
  additional,
});
const number = (more: object = {}): BodySchema => ({
  ...{ type: 'number', nullable: false, oneOf: undefined, min: -10, max: 10 },
  ...more,
});
const misfit = async (schema: BodySchema, text: string): Promise<string | undefined> => {
  const body = (await readStrictJson(Buffer.from(text), {})) as JsonObject;
  try {
    conform(body, schema);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ reason: 'body-unfit', status: 400 });
    return (error as Error).message;
  }
};

describe('numbers', () => {
  test.each([
    ['1', undefined],
    ['1.0', undefined],
    ['1e1', undefined],
    ['11', '$.n: expected at most 10'],
    ['-10.5', '$.n: expected at least -10'],
    ['"1"', '$.n: expected a number'],
    ['null', '$.n: expected a number'],
    ['{"rawJSON":"1"}', '$.n: expected a number'],
  ])('%s', async (text, words) => {
    expect(await misfit(object({ n: number() }), `{"n":${text}}`)).toBe(words);
  });

  test.each([
    ['1', undefined],
    ['-3', undefined],
    ['1.0', '$.n: expected a whole number'],
    ['1e0', '$.n: expected a whole number'],
  ])('that are whole: %s', async (text, words) => {
    expect(await misfit(object({ n: number({ type: 'integer' }) }), `{"n":${text}}`)).toBe(words);
  });

  test('of a list are compared as numbers', async () => {
    const schema = object({ n: number({ oneOf: new Set([1, 2]) }) });
    expect(await misfit(schema, '{"n":1.0}')).toBeUndefined();
    expect(await misfit(schema, '{"n":3}')).toBe('$.n: expected one of the listed numbers');
  });
});

describe('properties', () => {
  test('that are not listed are refused, whatever they are called, and quoted shortly', async () => {
    expect(await misfit(object({}), '{"__proto__":1}')).toBe('$.__proto__: there is no place for it');
    expect(await misfit(object({}), '{"constructor":1}')).toBe('$.constructor: there is no place for it');
    const long = `a ${'x'.repeat(500)}`;
    expect((await misfit(object({}), JSON.stringify({ [long]: 1 })))?.length).toBeLessThan(120);
  });

  test('that are dropped are gone, at every depth', async () => {
    const body = { a: { b: 1, c: 2 }, d: 3 } as JsonObject;
    conform(body, object({ a: object({ b: number() }, 'drop') }, 'drop'));
    expect(body).toEqual({ a: { b: 1 } });
  });
});

test('costs what the body’s size costs: each value is looked at once', async () => {
  let looks = 0;
  const counting = new Proxy(number(), {
    get(target, key) {
      if (key === 'type') looks += 1;
      return Reflect.get(target, key);
    },
  });
  const items: BodySchema = { type: 'array', nullable: false, items: counting, maxItems: 1e6 };
  expect(
    await misfit(object({ list: items }), JSON.stringify({ list: Array.from({ length: 1000 }, () => 1) })),
  ).toBeUndefined();
  expect(looks).toBeLessThan(3_001);
});
