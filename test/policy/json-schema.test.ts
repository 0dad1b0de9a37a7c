import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { policyJsonSchema } from '../../src/policy/json-schema.ts';

type Node = Readonly<Record<string, unknown>>;

const schema = JSON.parse(policyJsonSchema()) as Node;

/** The schemas below one, by the words of JSON Schema that hold some. */
const below = (node: Node): Array<readonly [string, Node]> => {
  const named = ['properties', '$defs'].flatMap((word) => Object.entries((node[word] ?? {}) as Record<string, Node>));
  const single = ['additionalProperties', 'items', 'propertyNames'].flatMap((word) =>
    typeof node[word] === 'object' && node[word] !== null ? [[word, node[word] as Node] as const] : [],
  );
  const several = ['anyOf', 'oneOf'].flatMap((word) =>
    ((node[word] ?? []) as Node[]).map((one, index) => [`${word}[${index}]`, one] as const),
  );
  return [...named, ...single, ...several];
};

const undescribed = (node: Node, path: string): string[] => [
  ...Object.entries((node.properties ?? {}) as Record<string, Node>).flatMap(([key, value]) =>
    typeof value.description === 'string' && value.description.length > 5 ? [] : [`${path}.${key}`],
  ),
  ...below(node).flatMap(([key, value]) => undescribed(value, `${path}.${key}`)),
];

test('policies/policy.schema.json is what `npm run schema` writes', () => {
  expect(readFileSync('policies/policy.schema.json', 'utf8'), 'it is stale: run `npm run schema`').toBe(
    policyJsonSchema(),
  );
});

describe('the schema', () => {
  test('is of the draft that editors know', () => {
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      required: ['version', 'name'],
      additionalProperties: false,
    });
  });

  test('describes every key', () => {
    expect(undescribed(schema, '')).toEqual([]);
  });

  test('knows the words at every depth', () => {
    const keys = new Set<string>();
    const collect = (node: Node): void => {
      for (const key of Object.keys((node.properties ?? {}) as object)) keys.add(key);
      for (const [, value] of below(node)) collect(value);
    };
    collect(schema);
    expect([...keys]).toEqual(
      expect.arrayContaining([
        'include',
        'when',
        'rename',
        'redact',
        'max-age',
        'ends-run',
        'nullable',
        'missed',
        'opens',
        'confirms',
      ]),
    );
  });
});

test('each policy that is shipped names the schema', () => {
  for (const file of ['jaaz', 'jaaz-workspace', 'minimal']) {
    const [first] = readFileSync(`policies/${file}.yaml`, 'utf8').split('\n');
    expect(first).toBe('# yaml-language-server: $schema=policy.schema.json');
  }
});
