/** The upstream's operations by their paths, so that ten thousand routes are found among ten thousand in a moment. */
import type { Operation } from './openapi-list.ts';

/** A literal, or undefined for what may vary. */
type Segments = ReadonlyArray<string | undefined>;

interface Node {
  /** By method. */
  readonly operations: Map<string, Operation>;
  readonly literals: Map<string, Node>;
  parameter: Node | undefined;
}

export interface OperationTree {
  /** Returns the operation that would serve a path: one with its very words, or else one that takes them for parameters. */
  serving(method: string, segments: Segments): Operation | undefined;
  /** Returns the methods that there are at a path of this shape. */
  methods(segments: Segments): readonly string[];
}

/** Returns the tree of these operations; of two of one shape the last counts. */
export const operationTree = (operations: readonly Operation[]): OperationTree => {
  const root = emptyNode();
  for (const operation of operations) {
    let node = root;
    for (const text of operation.segments) node = childOf(node, text);
    node.operations.set(operation.method, operation);
  }
  return {
    serving: (method, segments) => follow(root, segments, method),
    methods(segments) {
      let node: Node | undefined = root;
      for (const text of segments) node = text === undefined ? node?.parameter : node?.literals.get(text);
      return [...(node?.operations.keys() ?? [])];
    },
  };
};

const emptyNode = (): Node => ({ operations: new Map(), literals: new Map(), parameter: undefined });

const childOf = (node: Node, text: string | undefined): Node => {
  if (text === undefined) {
    node.parameter ??= emptyNode();
    return node.parameter;
  }
  const child = node.literals.get(text) ?? emptyNode();
  node.literals.set(text, child);
  return child;
};

const follow = (node: Node, segments: Segments, method: string): Operation | undefined => {
  if (segments.length === 0) return node.operations.get(method);
  const [text, ...rest] = segments;
  const literal = text === undefined ? undefined : node.literals.get(text);
  return (literal && follow(literal, rest, method)) ?? (node.parameter && follow(node.parameter, rest, method));
};
