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

describe('an answer to a call', () => {
  const answering = (body: string, more = '', pending = 'pending: id'): string => `version: 1
name: p
resources: { canvas: { id: '[a-z]{1,9}' }, session: { id: '[a-z]{1,9}' } }
routes:
  - id: r
    match: POST /a${more}
    body: { json: 1KiB, ${body} }
sockets:
  - path: /s/
    protocol: socket.io
    token: [auth]
    deliver: { update: { owner: { session: id }, type: type, types: { asks: { ${pending} } } } }
`;

  test.each([
    ['its session in the body', 'own: { session: s }, confirms: call.id', ''],
    ['its session in the path', 'confirms: call.id', '/{session}'],
    ['its session, and a canvas besides', 'own: { session: s, canvas: c }, confirms: call.id', ''],
  ])('names the call, and %s', (_what, body, more) => {
    const [route] = policyFrom(answering(body, more)).routes;
    expect(route?.confirms).toEqual({ call: ['call', 'id'], text: 'call.id', of: 'session' });
  });

  test('is none where none is said', () => {
    expect(policyFrom(answering('own: { session: s }')).routes[0]?.confirms).toBeUndefined();
  });

  test('has a place for the call in its form', () => {
    const form = (field: string) =>
      `schema: { type: object, properties: { s: { type: any }, ${field}: { type: any } } }`;
    const body = (field: string) => answering(`own: { session: s }, confirms: call, ${form(field)}`);
    expect(faults(body('call'))).toEqual([]);
    expect(faults(body('other'))).toEqual([
      expect.stringContaining('the route checks an id for which this form has no place (found call, expected'),
    ]);
  });

  test.each([
    [
      'nothing that is owned',
      answering('confirms: call'),
      'the route must own the one thing in which the call waits (found 0, expected own: { session: place }, once)',
    ],
    [
      'what hears of no calls',
      answering('own: { canvas: c }, confirms: call'),
      'the route must own the one thing in which the call waits (found 0, expected own: { session: place }, once)',
    ],
    [
      'two of them',
      answering('own: { session: s }, confirms: call', '/{session}'),
      'the route must own the one thing in which the call waits (found 2',
    ],
    [
      'no event that says that a call waits',
      answering('own: { session: s }, confirms: call', '', ''),
      'the route must own the one thing in which the call waits (found 0, expected pending: place, at a type of an event)',
    ],
    [
      'what it would make',
      answering('own: { session: s }, create: { canvas: c }, confirms: call'),
      'who answers a call makes and deletes nothing (found create canvas)',
    ],
    [
      'what it would claim',
      answering('claim: { session: s }, confirms: call'),
      'who answers a call makes and deletes nothing (found claim session)',
    ],
    [
      'several calls',
      answering("own: { session: s }, confirms: 'calls[*]'"),
      'one call is answered, not several (found calls[*])',
    ],
    [
      'a place that is none',
      answering('own: { session: s }, confirms: a..b'),
      'not a place in a JSON value (found a..b',
    ],
    [
      'an answer of the gateway’s own',
      answering('own: { session: s }, confirms: call', '\n    answer: { status: 200, json: 1 }'),
      'where the gateway answers itself, no call is answered (expected no answer)',
    ],
  ])('is a fault with %s', (_what, text, words) => {
    const found = faults(text);
    expect(found.some((one) => one.startsWith('7:') || one.startsWith('8:'))).toBe(true);
    expect(found.join('\n')).toContain(words);
  });

  test('needs a JSON body', () => {
    const text = answering('own: { session: s }, confirms: call').replace('json: 1KiB', 'multipart: 1KiB, file: f');
    expect(faults(text)).toContainEqual(
      expect.stringContaining('the call is named in a JSON body (expected json: SIZE)'),
    );
  });

  test('is what was judged: no operation changes the call', () => {
    const with_ = (step: string) => answering('own: { session: s }, confirms: call.id', `\n    rewrite: [${step}]`);
    for (const step of ['set: { call: { value: x } }', 'drop: [call]', 'rename: { from: a, to: call }']) {
      expect(faults(with_(`{ ${step} }`))).toEqual([
        expect.stringContaining('this field holds an id that was checked, and what was checked is what is forwarded'),
      ]);
    }
    expect(faults(with_('{ drop: [other] }'))).toEqual([]);
  });
});
