import { describe, expect, test } from 'vitest';
import { refusalOf } from '../support/bodies.ts';
import { arrive, faultsOf, policyFrom } from '../support/stages.ts';

const withBody = (body: string): string =>
  `version: 1\nname: p\nresources: { canvas: { id: '[a-z]{1,9}' } }\nroutes:\n  - id: r\n    match: POST /a\n    body: ${body}\n`;
const withSchema = (schema: string): string => withBody(`{ json: 1KiB, schema: ${schema} }`);
const faults = (text: string): string[] => faultsOf(text).map((fault) => fault.replace('p.yaml:', ''));

describe('a body’s form', () => {
  const schema = `{ type: object, required: [id], additional: drop, properties: {
    id: { type: string, pattern: '[a-z]+', max-length: 9 },
    n: { type: integer, min: 1, max: 9, nullable: true },
    list: { type: array, max-items: 2, items: { type: string, enum: [a, b] } },
    free: { type: object, additional: allow } } }`.replaceAll('\n', '');

  test('lets pass what conforms, without what it drops', async () => {
    const body = { id: 'abc', n: null, list: ['a'], free: { x: [1] }, other: 1 };
    const { request } = await arrive(policyFrom(withSchema(schema)), { method: 'POST', target: '/a', body });
    expect(request.body).toMatchObject({ kind: 'json', value: { id: 'abc', n: null, list: ['a'], free: { x: [1] } } });
    expect(request.body).not.toHaveProperty('value.other');
  });

  test.each([
    ['$.id: it is missing', {}],
    ['$.id: expected a text of the listed form', { id: 'A' }],
    ['$.id: expected a text', { id: null }],
    ['$.n: expected a whole number', { id: 'a', n: 1.5 }],
    ['$.list[1]: expected one of the listed texts', { id: 'a', list: ['a', 'c'] }],
    ['$.free: expected an object', { id: 'a', free: [] }],
  ])('refuses the rest and says where: %s', async (detail, body) => {
    const policy = policyFrom(withSchema(schema));
    const asked = () => arrive(policy, { method: 'POST', target: '/a', body });
    expect(await refusalOf(asked)).toBe('body-unfit 400');
    await expect(asked()).rejects.toThrow(detail);
  });

  test('refuses what it does not list, unless it says otherwise', async () => {
    const policy = policyFrom(withSchema('{ type: object, properties: { a: { type: any } } }'));
    expect(await refusalOf(() => arrive(policy, { method: 'POST', target: '/a', body: { a: 1, b: 2 } }))).toBe(
      'body-unfit 400',
    );
  });
});

describe('a fault is', () => {
  test.each([
    ['a body that is no object', withSchema('{ type: string }'), '7:33: a body is an object (found string'],
    ['a body that may be null', withSchema('{ type: object, nullable: true }'), '7:33: a body is an object'],
    [
      'a form for no JSON',
      withBody('{ multipart: 1KiB, file: f, schema: { type: object } }'),
      '7:47: only JSON has such a form',
    ],
    [
      'no place for an id that is checked',
      withBody('{ json: 1KiB, own: { canvas: a.b }, schema: { type: object } }'),
      '7:55: the route checks an id for which this form has no place (found a, expected',
    ],
    [
      'a required property that is not listed',
      withSchema('{ type: object, required: [a] }'),
      '7:60: this property is required, but not listed',
    ],
    [
      'a pattern for long texts',
      withSchema("{ type: object, properties: { a: { type: string, pattern: 'a' } } }"),
      '7:91: only a short text is held against a pattern (found a, expected max-length: 256, or less)',
    ],
    ...["'(a+)+'", "'(?=a)'", "'(a)\\1'", "'a*b*c*'", "'a+b+c+'"].map((pattern): [string, string, string] => [
      `the pattern ${pattern}`,
      withSchema(`{ type: object, properties: { a: { type: string, max-length: 9, pattern: ${pattern} } } }`),
      '7:106: this pattern is too clever',
    ]),
    [
      'a pattern that is none',
      withSchema("{ type: object, properties: { a: { type: string, max-length: 9, pattern: '[' } } }"),
      '7:106: not a regular expression',
    ],
    [
      'bounds that cross',
      withSchema('{ type: object, properties: { a: { type: integer, min: 2, max: 1 } } }'),
      '7:66: nothing can be within these bounds (found 2 to 1)',
    ],
    ['a type that is none', withSchema('{ type: object, properties: { a: { type: text } } }'), '7:'],
    [
      'a word of another type',
      withSchema('{ type: object, properties: { a: { type: string, min: 1 } } }'),
      '7:82: unknown key "min"',
    ],
  ])('%s', (_name, text, words) => {
    expect(faults(text)).toEqual([expect.stringContaining(words)]);
  });
});
