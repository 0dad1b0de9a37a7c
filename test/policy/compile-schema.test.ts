import { describe, expect, test } from 'vitest';
import { faultsOf, policyFrom } from '../support/stages.ts';

/** The form of a message, as written; on the seventh line. */
const text = (schema: string): string => `version: 1
name: p
routes: [{ id: a, match: GET /a }]
sockets:
  - { id: s, path: /ws, protocol: websocket, token: [header], type: kind, max: 1KiB,
    send: { say:
      { schema: { type: object, additional: allow, properties: { x: ${schema} } } } } }
`;

const compiled = (schema: string) => {
  const [rule] = policyFrom(text(schema)).webSockets;
  const root = rule?.carries.kind === 'messages' ? rule.carries.send.get('say')?.schema : undefined;
  return root?.type === 'object' ? root.properties.get('x') : undefined;
};

describe('a form', () => {
  test('of a text', () => {
    expect(compiled("{ type: string, max-length: 9, pattern: 'a+', enum: [a], nullable: true }")).toEqual({
      nullable: true,
      type: 'string',
      oneOf: new Set(['a']),
      minLength: 0,
      maxLength: 9,
      pattern: /^(?:a+)$/,
    });
  });

  test('of a number', () => {
    expect(compiled('{ type: integer, min: 1, enum: [1, 2] }')).toEqual({
      nullable: false,
      type: 'integer',
      min: 1,
      max: Number.POSITIVE_INFINITY,
      oneOf: new Set([1, 2]),
    });
  });

  test('of a list, of an object, and of what they hold', () => {
    expect(
      compiled(
        '{ type: array, max-items: 3, items: { type: object, required: [n], properties: { n: { type: any } } } }',
      ),
    ).toEqual({
      nullable: false,
      type: 'array',
      maxItems: 3,
      items: {
        nullable: false,
        type: 'object',
        required: ['n'],
        additional: 'refuse',
        properties: new Map([['n', { nullable: false, type: 'any' }]]),
      },
    });
  });
});

describe('a fault:', () => {
  test.each([
    [
      'a property that is required and has no place',
      '{ type: object, required: [n] }',
      'required, but not listed (found n',
    ],
    ['bounds of a text', '{ type: string, min-length: 3, max-length: 2 }', 'within these bounds (found 3 to 2)'],
    ['bounds of a number', '{ type: number, min: 3, max: 2 }', 'within these bounds (found 3 to 2)'],
    ['a pattern for long texts', "{ type: string, pattern: 'a' }", 'only a short text is held against a pattern'],
    ['a pattern that is too clever', "{ type: string, max-length: 9, pattern: '(a+)+' }", 'too clever'],
    [
      'one deep inside',
      '{ type: array, items: { type: number, min: 3, max: 2 } }',
      'within these bounds (found 3 to 2)',
    ],
  ])('%s', (_name, schema, words) => {
    const faults = faultsOf(text(schema));
    expect(
      faults.some((fault) => fault.startsWith('p.yaml:7:') && fault.includes(words)),
      faults.join('\n'),
    ).toBe(true);
  });
});
