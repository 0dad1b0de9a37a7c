import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { checkDocument, parseDocument } from '../../src/policy/document.ts';
import { formatFault } from '../../src/policy/fault.ts';

const schema = z.strictObject({
  listen: z.strictObject({ host: z.string().default('0.0.0.0'), port: z.int().min(0).max(65535) }),
  keys: z.union([z.strictObject({ url: z.string() }), z.strictObject({ file: z.string() })]).optional(),
  mode: z.enum(['off', 'shadow', 'enforce']).optional(),
  filter: z.union([z.string(), z.strictObject({ keep: z.string() })]).optional(),
  limits: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('rate'), points: z.number() }),
        z.strictObject({ kind: z.literal('concurrent'), max: z.number() }),
      ]),
    )
    .optional(),
  roles: z.array(z.string()).min(1).optional(),
  name: z
    .string()
    .refine((name) => name.length > 3, { error: 'a name has more than three letters' })
    .optional(),
});

function faultsOf(text: string): string[] {
  const parsed = parseDocument({ file: 'g.yaml', text });
  const result = 'faults' in parsed ? parsed : checkDocument(parsed.document, schema);
  return 'faults' in result ? result.faults.map(formatFault) : [];
}

describe('a fault', () => {
  test.each([
    [
      'an unknown key, with the word that was meant',
      'listen: { prot: 4, port: 1 }',
      ['1:11: unknown key "prot", did you mean "port"?'],
    ],
    [
      'an unknown key that resembles nothing, with the words there are',
      'listen: { port: 1, xyzzy: 1 }',
      ['1:20: unknown key "xyzzy" (expected one of "host", "port")'],
    ],
    [
      'a missing key, at the mapping that lacks it',
      'mode: off\nlisten:\n  host: a\n',
      ['3:3: missing key "port" in listen (expected a number)'],
    ],
    ['a missing key of the file', 'mode: off', ['1:1: missing key "listen" (expected a mapping)']],
    [
      'a value of the wrong type',
      'listen:\n  port: "80"',
      ['2:9: listen.port has the wrong type (found "80", expected a number)'],
    ],
    [
      'a value out of bounds',
      'listen: { port: 70000 }',
      ['1:17: listen.port is too large (found 70000, expected at most 65535)'],
    ],
    [
      'a misspelt choice',
      'listen: { port: 1 }\nmode: enforec',
      [
        '2:7: mode is not acceptable, did you mean "enforce"? (found "enforec", expected one of "off", "shadow", "enforce")',
      ],
    ],
    [
      'a list that is too short',
      'listen: { port: 1 }\nroles: []',
      ['2:8: roles is too small (found an empty list, expected at least 1 item(s))'],
    ],
    [
      'a key of the wrong form, at the key',
      'listen: { port: 1 }\nlimits: { Ab: { kind: rate, points: 1 } }',
      ['2:11: limits has a key of the wrong form (found "Ab", expected text of the form /^[a-z]+$/)'],
    ],
    [
      'what the schema itself says',
      'listen: { port: 1 }\nname: ab',
      ['2:7: a name has more than three letters (found "ab")'],
    ],
    ['an empty file', '', ['1:1: the file has the wrong type (found nothing, expected a mapping)']],
  ])('names %s', (_, text, expected) => {
    expect(faultsOf(text)).toEqual(expected.map((fault) => `g.yaml:${fault}`));
  });

  test.each([
    [
      'neither form',
      'filter: 3',
      ['1:9: filter has none of the forms that are possible here (found 3, expected text or { keep })'],
    ],
    [
      'a misspelt word of one form',
      'filter: { kep: a }',
      ['1:11: unknown key "kep", did you mean "keep"?', '1:9: missing key "keep" in filter (expected text)'],
    ],
    ['a misspelt word of one of several forms', 'keys: { ulr: a }', ['1:9: unknown key "ulr", did you mean "url"?']],
    [
      'two forms at once',
      'keys: { url: a, file: b }',
      [
        '1:7: keys has none of the forms that are possible here (found a mapping with url, file, expected { url } or { file })',
      ],
    ],
    [
      'a bad value in a form that is clear',
      'keys: { url: 3 }',
      ['1:14: keys.url has the wrong type (found 3, expected text)'],
    ],
    [
      'an unknown kind',
      'limits: { a: { kind: rat } }',
      [
        '1:22: limits.a.kind is not acceptable, did you mean "rate"? (found "rat", expected one of "rate", "concurrent")',
      ],
    ],
    ['no kind', 'limits: { a: {} }', ['1:14: missing key "kind" in limits.a (expected one of "rate", "concurrent")']],
  ])('of a union tells %s', (_, text, expected) => {
    const faults = faultsOf(`${text}\nlisten: { port: 1 }`);
    expect(faults.toSorted()).toEqual(expected.map((fault) => `g.yaml:${fault}`).toSorted());
  });

  test('never comes alone when there are more, and they come in the order of the file', () => {
    expect(faultsOf('mode: x\nlisten: { port: a, hots: b }\nroles: 3').map((fault) => fault.slice(0, 12))).toEqual([
      'g.yaml:1:1: '.slice(0, 12).replace('1:1', '1:7'),
      'g.yaml:2:17:',
      'g.yaml:2:20:',
      'g.yaml:3:8: ',
    ]);
  });
});
