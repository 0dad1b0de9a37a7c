import { describe, expect, test } from 'vitest';
import { body } from '../../src/policy/schema-body.ts';

const accepts = (schema: unknown): boolean => body.safeParse({ json: '1KiB', schema }).success;

describe('the form of a body', () => {
  test.each([
    [{ type: 'object', properties: { a: { type: 'array', items: { type: 'string' } } }, required: ['a'] }],
    [{ type: 'object', additional: 'drop', nullable: false }],
    [{ type: 'integer', min: 1, max: 2, enum: [1] }],
    [{ type: 'any', nullable: true }],
  ])('is %j', (schema) => {
    expect(accepts(schema)).toBe(true);
  });

  test.each([
    [{}],
    [{ type: 'object', items: { type: 'any' } }],
    [{ type: 'object', additional: true }],
    [{ type: 'string', max: 1 }],
    [{ type: 'string', enum: [1] }],
    [{ type: 'integer', pattern: 'a' }],
    [{ type: 'array', items: [{ type: 'any' }] }],
    [{ $ref: '#' }],
  ])('is not %j', (schema) => {
    expect(accepts(schema)).toBe(false);
  });
});
