/** The path templates of routes: `METHOD /a/{canvas}/b`, and which two of them could match one request. */

import { MAX_ID_LENGTH } from '../authz/locate.ts';
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
  /**
   * Returns earlier ones, a few at most, in no order: a table in which order decides is no closed table. Returns
   * undefined once the templates are too entangled to be told apart in a bounded time.
   */
  add(template: T): readonly T[] | undefined;
}

interface Node<T> {
  readonly ends: T[];
  /** Those that match whatever follows here. */
  readonly rests: T[];
  readonly literals: Map<string, Node<T>>;
  /** By the kind that they are named after; all others match the same, and are one. */
  readonly parameters: Map<string, Node<T>>;
}

const emptyNode = <T>(): Node<T> => ({ ends: [], rests: [], literals: new Map(), parameters: new Map() });

/** Whoever is told of so many has enough to do. */
const MAX_MET = 5;
/** Ten thousand routes of a usual form take some ten steps each. */
const MAX_STEPS = 1_000_000;

interface Search {
  readonly kinds: ReadonlyMap<string, ResourceKind>;
  stepsLeft: number;
}

const OF_NO_KIND = '';

/** Returns an empty tree of templates: with it ten thousand routes are a moment's work. */
export const overlaps = <T extends Template>(kinds: ReadonlyMap<string, ResourceKind>): Overlaps<T> => {
  const methods = new Map<string, Node<T>>();
  const search: Search = { kinds, stepsLeft: MAX_STEPS };
  return {
    add(template) {
      const { method } = template;
      const segments = template.segments.map((segment) =>
        segment.kind === 'parameter' && !kinds.has(segment.name) ? { ...segment, name: OF_NO_KIND } : segment,
      );
      const root = methods.get(method) ?? emptyNode<T>();
      methods.set(method, root);
      const met: T[] = [];
      for (const other of meeting(root, segments, search)) {
        met.push(other);
        if (met.length === MAX_MET) break;
      }
      if (search.stepsLeft <= 0) return undefined;
      insert(root, segments, template);
      return met;
    },
  };
};

const insert = <T extends Template>(root: Node<T>, segments: readonly PathSegment[], template: T): void => {
  let node = root;
  for (const segment of segments) {
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

function* meeting<T>(node: Node<T>, segments: readonly PathSegment[], search: Search): Generator<T> {
  const [first, ...rest] = segments;
  if (first === undefined) return yield* node.ends;
  if (first.kind === 'rest') return yield* below(node, search);
  yield* node.rests;
  for (const child of childrenFor(node, first, search)) yield* meeting(child, rest, search);
}

/** Everything that has at least one segment more. */
function* below<T>(node: Node<T>, search: Search): Generator<T> {
  yield* node.rests;
  for (const children of [node.literals, node.parameters]) {
    for (const child of children.values()) {
      if (!mayGoOn(search)) return;
      yield* child.ends;
      yield* below(child, search);
    }
  }
}

const mayGoOn = (search: Search): boolean => {
  search.stepsLeft -= 1;
  return search.stepsLeft > 0;
};

function* childrenFor<T>(
  { literals, parameters }: Node<T>,
  segment: Exclude<PathSegment, { kind: 'rest' }>,
  search: Search,
): Generator<Node<T>> {
  if (segment.kind === 'literal') {
    const same = literals.get(segment.text);
    if (same !== undefined) yield same;
    for (const [name, child] of parameters) {
      if (!mayGoOn(search)) return;
      if (couldBe(name, segment.text, search.kinds)) yield child;
    }
    return;
  }
  for (const [text, child] of literals) {
    if (!mayGoOn(search)) return;
    if (couldBe(segment.name, text, search.kinds)) yield child;
  }
  for (const child of parameters.values()) {
    if (!mayGoOn(search)) return;
    yield child;
  }
}

const couldBe = (parameter: string, text: string, kinds: ReadonlyMap<string, ResourceKind>): boolean => {
  const kind = kinds.get(parameter);
  return kind === undefined || (text.length <= MAX_ID_LENGTH && kind.pattern.test(text) && !kind.reserved.has(text));
};
