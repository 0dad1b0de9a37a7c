/** `__proto__` and its like as keys: a gateway that inherits what the client sent sees ids that are not in the body. */
import { expect, test } from 'vitest';
import { parseStrictJson } from '../../src/body/json.ts';
import { writeJson, writeJsonInSlices } from '../../src/body/json-write.ts';
import type { JsonObject } from '../../src/model/json.ts';

const parse = (text: string): JsonObject => parseStrictJson(Buffer.from(text)) as JsonObject;

test('__proto__ is a key like any other', () => {
  const value = parse('{"__proto__":{"canvas_id":"yours"},"a":{"__proto__":null}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(value.canvas_id).toBeUndefined();
  expect(Object.keys(value)).toEqual(['__proto__', 'a']);
  expect(Object.getPrototypeOf(value.a)).toBe(Object.prototype);
  expect(({} as JsonObject).canvas_id).toBeUndefined();
});

test('it is __proto__ when spelt with escapes, too', () => {
  const value = parse('{"\\u005f_proto__":{"canvas_id":"yours"}}');
  expect(Object.keys(value)).toEqual(['__proto__']);
  expect(value.canvas_id).toBeUndefined();
});

test('constructor.prototype leads nowhere', () => {
  const value = parse('{"constructor":{"prototype":{"canvas_id":"yours"}}}');
  expect(value.constructor).toEqual({ prototype: { canvas_id: 'yours' } });
  expect(({} as JsonObject).canvas_id).toBeUndefined();
});

test('toJSON is not called', () => {
  const text = '{"toJSON":"x","a":{"toJSON":{}}}';
  expect(writeJson(parse(text)).toString()).toBe(text);
});

test('what was read is forwarded, __proto__ included', async () => {
  const text = `{"__proto__":{"x":[1,{"__proto__":"${'y'.repeat(10_000)}"}]},"z":1}`;
  expect(writeJson(parse(text)).toString()).toBe(text);
  expect(Buffer.concat(await writeJsonInSlices(parse(text))).toString()).toBe(text);
});
