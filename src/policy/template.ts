/** The path templates of routes: `METHOD /a/{canvas}/b`, and which two of them could match one request. */

import type { ResourceKind } from '../model/resource.ts';
import type { PathSegment } from '../model/route.ts';

export interface Template {
  readonly method: string;
  readonly segments: readonly PathSegment[];
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const LITERAL = /^[A-Za-z0-9._~-]+$/;
const PARAMETER = /^\{([a-z][a-z0-9_]{0,31})\}$/;

/** Returns the template, or what is wrong with the text. */
export const parseTemplate = (text: string): Template | { readonly expected: string } => {
  const [method = '', path = '', ...more] = text.split(' ');
  if (!METHODS.includes(method)) return { expected: `one of ${METHODS.join(', ')}, then a path` };
  if (more.length > 0 || !path.startsWith('/')) return { expected: 'METHOD /path' };
  if (path === '/') return { method, segments: [] };
  const segments: PathSegment[] = [];
  for (const [index, part] of path.slice(1).split('/').entries()) {
    const parameter = PARAMETER.exec(part)?.[1];
    if (segments[index - 1]?.kind === 'rest') return { expected: 'nothing after *' };
    if (
      parameter !== undefined &&
      segments.some((earlier) => earlier.kind === 'parameter' && earlier.name === parameter)
    ) {
      return { expected: `{${parameter}} only once` };
    }
    if (part === '*') segments.push({ kind: 'rest' });
    else if (parameter !== undefined) segments.push({ kind: 'parameter', name: parameter });
    else if (LITERAL.test(part) && part !== '.' && part !== '..') segments.push({ kind: 'literal', text: part });
    else return { expected: 'segments of letters, digits, . _ ~ -, {parameters}, and * as the last one' };
  }
  return { method, segments };
};

/** Holds templates, and says of each new one which earlier ones some request could match as well. */
export interface Overlaps<T extends Template> {
  /** Returns the earlier ones, in no order: a table in which order decides is no closed table. */
  add(template: T): readonly T[];
}

interface Node<T> {
  readonly ends: T[];
  /** Those that match whatever follows here. */
  readonly rests: T[];
  readonly literals: Map<string, Node<T>>;
  readonly parameters: Map<string, Node<T>>;
}

const emptyNode = <T>(): Node<T> => ({ ends: [], rests: [], literals: new Map(), parameters: new Map() });

/** Returns an empty tree of templates: with it ten thousand routes are a moment's work. */
export const overlaps = <T extends Template>(kinds: ReadonlyMap<string, ResourceKind>): Overlaps<T> => {
  const methods = new Map<string, Node<T>>();
  return {
    add(template) {
      const { method, segments } = template;
      const root = methods.get(method) ?? emptyNode<T>();
      methods.set(method, root);
      const met = meeting(root, segments, kinds);
      insert(root, template);
      return met;
    },
  };
};

const insert = <T extends Template>(root: Node<T>, template: T): void => {
  let node = root;
  for (const segment of template.segments) {
    if (segment.kind === 'rest') {
      node.rests.push(template);
      return;
    }
    const [children, key] =
      segment.kind === 'literal' ? [node.literals, segment.text] : [node.parameters, segment.name];
    const child = children.get(key) ?? emptyNode<T>();
    children.set(key, child);
    node = child;
  }
  node.ends.push(template);
};

const meeting = <T>(
  node: Node<T>,
  segments: readonly PathSegment[],
  kinds: ReadonlyMap<string, ResourceKind>,
): readonly T[] => {
  const [first, ...rest] = segments;
  if (first === undefined) return [...node.ends];
  if (first.kind === 'rest') return below(node);
  const further = childrenFor(node, first, kinds).flatMap((child) => meeting(child, rest, kinds));
  return [...node.rests, ...further];
};

/** Everything that has at least one segment more. */
const below = <T>(node: Node<T>): readonly T[] => [
  ...node.rests,
  ...[...node.literals.values(), ...node.parameters.values()].flatMap((child) => [...child.ends, ...below(child)]),
];

const childrenFor = <T>(
  { literals, parameters }: Node<T>,
  segment: Exclude<PathSegment, { kind: 'rest' }>,
  kinds: ReadonlyMap<string, ResourceKind>,
): Node<T>[] => {
  if (segment.kind === 'literal') {
    const { text } = segment;
    const same = literals.get(text);
    const possible = [...parameters].filter(([name]) => couldBe(name, text, kinds)).map(([, child]) => child);
    return same === undefined ? possible : [same, ...possible];
  }
  const { name } = segment;
  const possible = [...literals].filter(([text]) => couldBe(name, text, kinds)).map(([, child]) => child);
  return [...possible, ...parameters.values()];
};

const couldBe = (parameter: string, text: string, kinds: ReadonlyMap<string, ResourceKind>): boolean => {
  const kind = kinds.get(parameter);
  return kind === undefined || (kind.pattern.test(text) && !kind.reserved.has(text));
};
