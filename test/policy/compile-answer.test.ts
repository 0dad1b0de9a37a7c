import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/model/json.ts';
import type { Route } from '../../src/model/route.ts';
import { faultsOf, policyFrom, principalOf } from '../support/stages.ts';

const withFilter = (filter: string, more = ''): string =>
  `version: 1\nname: p\nresources: { canvas: { id: '[a-z]{1,9}', url: /c/ } }\nroutes:\n  - id: r\n    match: GET /a${more}\n    filter: ${filter}\n`;
const routeOf = (text: string): Route => policyFrom(text).routes[0] as Route;
const faults = (filter: string): string[] => faultsOf(withFilter(filter)).map((fault) => fault.replace('p.yaml:', ''));
const shown = (filter: string, value: unknown, roles: string[] = []): unknown => {
  const { answer } = routeOf(withFilter(filter));
  if (answer.kind !== 'json') throw new Error(answer.kind);
  const principal = principalOf('alice', roles);
  let now = value as JsonValue;
  for (const operation of answer.operations) now = operation(now, 'test|alice', principal);
  return now;
};

describe('a filter', () => {
  test('of one list at the top streams row by row', () => {
    expect(routeOf(withFilter("{ keep: [{ resource: canvas, each: '[*]', id: id }], max: 1KiB }")).answer.kind).toBe(
      'rows',
    );
  });

  test.each([
    ['a mapping', "{ resource: canvas, each: '*', id: key }", { in: 'mapping', list: [], id: undefined }],
    [
      'a mapping within',
      '{ resource: canvas, each: items.*, id: key }',
      { in: 'mapping', list: ['items'], id: undefined },
    ],
    ['a mapping by a field', '{ resource: canvas, each: items.*, id: a.id }', { in: 'mapping', id: ['a', 'id'] }],
    ['a list with a field called key', "{ resource: canvas, each: 'items[*]', id: key }", { in: 'list', id: ['key'] }],
  ])('keeps of %s', (_name, rule, compiled) => {
    expect(routeOf(withFilter(`{ keep: [${rule}], max: 1KiB }`)).answer).toMatchObject({
      kind: 'json',
      keep: [compiled],
    });
  });

  test('drops first, then redacts', () => {
    expect(shown("{ redact: ['*.key'], drop: [b], max: 1KiB }", { a: { key: 1, n: 2 }, b: { key: 3 } })).toEqual({
      a: { key: '[redacted]', n: 2 },
    });
  });

  test('does so under a condition on roles only where it holds', () => {
    const filter = '{ redact: [{ at: key, when: { not: { role: admin } } }], max: 1KiB }';
    expect(shown(filter, { key: 1 })).toEqual({ key: '[redacted]' });
    expect(shown(filter, { key: 1 }, ['admin'])).toEqual({ key: 1 });
  });
});

describe('a fault is', () => {
  test.each([
    [
      'a condition that the client could choose',
      '{ drop: [{ at: a, when: { header: x, is: y } }], max: 1KiB }',
      '7:37: what the client says of itself cannot lift a protection (expected a condition of roles alone)',
    ],
    [
      'a condition on keep',
      "{ keep: [{ resource: canvas, each: '[*]', id: id, when: { role: x } }], max: 1KiB }",
      '7:63: unknown key "when"',
    ],
    ['a redaction without a bound', '{ redact: [a] }', '7:13: an answer that is read needs a bound'],
    [
      'elements that would be dropped',
      "{ drop: ['a[*]'], max: 1KiB }",
      '7:22: a list keeps its elements, of which a field is dropped',
    ],
  ])('%s', (_name, filter, words) => {
    expect(faults(filter)).toEqual([expect.stringContaining(words)]);
  });
});

describe('the gateway’s own answer', () => {
  const routed = (answer: string): Route =>
    routeOf(`version: 1\nname: p\nroutes: [{ id: r, match: GET /a, answer: ${answer} }]\n`);

  test.each([
    [
      '{ status: 200, json: { a: [1] } }',
      { status: 200, contentType: 'application/json', body: Buffer.from('{"a":[1]}') },
    ],
    ['{ status: 404, text: ä }', { status: 404, contentType: 'text/plain; charset=utf-8', body: Buffer.from('ä') }],
    ['{ status: 200, text: x, type: text/html }', { contentType: 'text/html; charset=utf-8' }],
  ])('%s', (answer, fixed) => {
    expect(routed(answer).fixed).toMatchObject(fixed);
  });
});

test('a shared copy has an age, and stands in for a failure only where that is said', () => {
  const shared = (cache: string) =>
    routeOf(`version: 1\nname: p\nroutes: [{ id: r, match: GET /a, cache: ${cache} }]\n`).cache;
  expect(shared('{ max-age: 30s }')).toEqual({ maxAgeMillis: 30_000, staleMillis: 0 });
  expect(shared('{ max-age: 30s, stale: 5m }')).toEqual({ maxAgeMillis: 30_000, staleMillis: 300_000 });
});
