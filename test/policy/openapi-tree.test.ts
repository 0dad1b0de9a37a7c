import { describe, expect, test } from 'vitest';
import { readOperations } from '../../src/policy/openapi-list.ts';
import { operationTree } from '../../src/policy/openapi-tree.ts';

const treeOf = (...paths: readonly string[]) => {
  const read = readOperations({
    openapi: '3.1.0',
    paths: Object.fromEntries(paths.map((path) => [path, { get: {}, put: {} }])),
  });
  if ('problem' in read) throw new Error(read.problem);
  return operationTree(read.operations);
};

describe('the operation that would serve a path', () => {
  const tree = treeOf('/', '/a/list', '/a/{id}', '/a/{id}/b', '/{x}/list/c');

  test.each([
    [[], '/'],
    [['a', 'list'], '/a/list'],
    [['a', 'other'], '/a/{id}'],
    [['a', undefined], '/a/{id}'],
    [['a', 'list', 'b'], '/a/{id}/b'],
    [['a', 'list', 'c'], '/{x}/list/c'],
    [[undefined, 'list'], undefined],
    [['b'], undefined],
    [['a'], undefined],
  ])('of %j is %s', (segments, expected) => {
    expect(tree.serving('GET', segments)?.path).toBe(expected);
    expect(tree.serving('POST', segments)).toBeUndefined();
  });

  test('methods are those at the very shape', () => {
    expect(tree.methods(['a', undefined])).toEqual(['GET', 'PUT']);
    expect(tree.methods(['a', 'other'])).toEqual([]);
    expect(tree.methods([])).toEqual(['GET', 'PUT']);
  });
});
