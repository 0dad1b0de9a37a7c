/** A policy that is large or made to be slow is loaded or refused; neither takes long, and neither fills the memory. */
import { describe, expect, test } from 'vitest';
import { nearestWord } from '../../src/policy/fault.ts';
import { parsePolicy } from '../../src/policy/load.ts';

const HEAD = 'version: 1\nname: p\n';
const ONE = 'routes: [{ id: a, match: GET /a }]\n';
const many = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');
const inRoute = (text: string): string => `${HEAD}routes: [{ id: a, match: POST /a, ${text} }]\n`;
const kinds = (names: readonly string[]): string =>
  `resources: { ${names.map((name) => `${name}: { id: '[a-z]{1,9}' }`).join(', ')} }\n`;

/** Many times what it needs on a quiet machine; what these policies are made for takes minutes, or never ends. */
const MAX_CPU_MILLIS = 8_000;

const judge = (text: string): string => {
  const before = process.cpuUsage();
  const loaded = parsePolicy({ file: 'p.yaml', text });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(MAX_CPU_MILLIS);
  if ('policy' in loaded) return 'loads';
  expect(loaded.faults.length).toBeLessThanOrEqual(100);
  return loaded.faults[0]?.message ?? '';
};

test('names are compared with ten thousand others in a moment', () => {
  const known = Array.from({ length: 10_000 }, (_, n) => `${'abcdefghij'.repeat(5)}${n}`);
  const before = process.cpuUsage();
  for (let n = 0; n < 100; n++) nearestWord(`${'klmnopqrst'.repeat(5)}${n}`, known);
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(MAX_CPU_MILLIS);
});

describe('it loads', () => {
  test.each([
    [
      'with ten thousand routes',
      `${HEAD}${kinds(['doc'])}routes:\n${many(10_000, (n) => `  - { id: r${n}, match: 'GET /api/r${n}/{doc}' }\n`)}`,
    ],
    [
      'with thousands that differ in their last word alone',
      `${HEAD}routes:\n${many(9_000, (n) => `  - { id: r${n}, match: 'GET /${many(12, (k) => `{p${n}x${k}}/`)}x${n}' }\n`)}`,
    ],
    [
      'with thousands beside a kind that they could be',
      `${HEAD}resources: { k: { id: 'a*b*c*d' } }\nroutes:\n${many(9_000, (n) => `  - { id: r${n}, match: 'GET /${'a'.repeat(100)}${n}/{k}' }\n`)}  - { id: z, match: 'GET /{k}/x' }\n`,
    ],
    [
      'with one limit named twenty thousand times',
      `${HEAD}limits: { l: { points: 1, per: 1s, by: user } }\neverywhere: [${'l, '.repeat(20_000)}]\nroutes:\n${many(7_000, (n) => `  - { id: r${n}, match: GET /a${n} }\n`)}`,
    ],
    [
      'with thousands of cohorts',
      `${HEAD}cohorts:\n${many(3_000, (n) => `  c${n}: { mode: shadow, percent: 1 }\n`)}routes:\n${many(9_000, (n) => `  - { id: r${n}, match: GET /a${n} }\n`)}`,
    ],
    [
      'with a hundred thousand parameters beside a hundred kinds',
      `${HEAD}${kinds(Array.from({ length: 100 }, (_, k) => `k${k}`))}routes:\n${many(1_000, (n) => `  - { id: r${n}, match: 'GET ${many(100, (k) => `/{p${k}q}`)}/x${n}' }\n`)}`,
    ],
    ['with a condition fifty levels deep', inRoute(`when: ${'{ not: '.repeat(50)}{ role: x }${' }'.repeat(50)}`)],
    ['with a condition of twenty thousand parts', inRoute(`when: { any: [${'{ role: x }, '.repeat(20_000)}] }`)],
  ])('%s', (_name, text) => {
    expect(judge(text)).toBe('loads');
  });
});

describe('it is refused', () => {
  test.each([
    [
      'with one route ten thousand times',
      `${HEAD}routes:\n${many(10_000, (n) => `  - { id: r${n}, match: GET /a }\n`)}`,
      'a request could match this route and r0',
    ],
    [
      'with ten thousand that one request could match',
      `${HEAD}routes:\n${many(10_000, (n) => `  - { id: r${n}, match: 'GET /{p${n}}' }\n`)}`,
      'a request could match this route and r0',
    ],
    [
      'with routes that are too entangled',
      `${HEAD}${kinds(Array.from({ length: 60 }, (_, k) => `k${k}`))}routes:\n${many(
        9_000,
        (n) => `  - { id: r${n}, match: 'GET /{k${n % 60}}/y/{k${(n + 1 + (Math.floor(n / 60) % 50)) % 60}}/x${n}' }\n`,
      )}`,
      'the routes are too entangled to be told apart: so many could match what so many others match',
    ],
    [
      'with parameters that could all be misspelt',
      `${HEAD}${kinds(Array.from({ length: 100 }, (_, k) => `k${k}`))}routes:\n${many(1_000, (n) => `  - { id: r${n}, match: 'GET ${many(60, (k) => `/{long${n}x${k}}`)}/x${n}' }\n`)}`,
      'too many parameters have names of their own, and none can be told from a misspelt resource',
    ],
    [
      'with thousands of unknown names',
      `${HEAD}routes:\n${many(9_000, (n) => `  - { id: r${n}, match: GET /a${n}, limits: [nope${n}] }\n`)}`,
      'this name is not declared',
    ],
    [
      'with thousands of limits',
      `${HEAD}limits:\n${many(9_000, (n) => `  l${n}: { points: 1, per: 1s, by: user }\n`)}${ONE}`,
      'too many are declared',
    ],
    [
      'with thousands of wrong routes',
      `${HEAD}routes:\n${many(9_000, (n) => `  - { idd: r${n}, mtch: GET /a }\n`)}`,
      'missing key "id" in routes[0]',
    ],
    [
      'with thousands of wrong operations',
      inRoute(`rewrite: [${'{ sett: { a: b } }, '.repeat(9_000)}]`),
      'unknown key "sett", did you mean "set"?',
    ],
    [
      'with a path of two hundred thousand segments',
      `${HEAD}routes: [{ id: a, match: 'GET ${'/{a}'.repeat(200_000)}' }]\n`,
      'routes[0].match is too large',
    ],
    [
      'with ids of exponential grammar',
      `${HEAD}resources: { k: { id: '${'a?'.repeat(90)}b' } }\n${ONE}`,
      'the grammar of ids is too clever: a text could be read by it in too many ways',
    ],
    [
      'with a grammar that could not be looked for in texts',
      `${HEAD}resources: { k: { id: '[a-z]*[a-z]*[0-9]' } }\nroutes: [{ id: a, match: POST /a, body: { json: 1MiB, references: k } }]\n`,
      'to be looked for in texts, the grammar of k is too clever: a text could be read by it in too many ways',
    ],
    ['with two megabytes of comments', `${HEAD}${'# x\n'.repeat(520_000)}${ONE}`, 'there is too much in it'],
    ['with more than two megabytes', `${HEAD}${ONE}# ${'x'.repeat(2 * 1024 * 1024)}`, 'the file is too large'],
    [
      'with twenty thousand anchors',
      `${HEAD}x: &a [1]\n${many(20_000, (n) => `y${n}: &b${n} [*a]\n`)}`,
      'there are too many aliases',
    ],
    [
      'with aliases of aliases',
      `a0: &a0 [1]\n${many(30, (n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]\n`)}`,
      'there are too many values',
    ],
    [
      'nested a hundred thousand times',
      `${HEAD}x: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n`,
      'the nesting is too deep',
    ],
  ])('%s', (_name, text, words) => {
    expect(judge(text)).toBe(words);
  });
});
