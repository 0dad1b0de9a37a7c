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
    if (part === '*') segments.push({ kind: 'rest' });
    else if (parameter !== undefined) segments.push({ kind: 'parameter', name: parameter });
    else if (LITERAL.test(part) && part !== '.' && part !== '..') segments.push({ kind: 'literal', text: part });
    else return { expected: 'segments of letters, digits, . _ ~ -, {parameters}, and * as the last one' };
  }
  return { method, segments };
};

/** Returns true when some request could match both: a table in which order decides is no closed table. */
export const overlap = (a: Template, b: Template, kinds: ReadonlyMap<string, ResourceKind>): boolean => {
  if (a.method !== b.method) return false;
  for (let index = 0; ; index++) {
    const [left, right] = [a.segments[index], b.segments[index]];
    if (left?.kind === 'rest') return right !== undefined;
    if (right?.kind === 'rest') return left !== undefined;
    if (left === undefined || right === undefined) return left === right;
    if (!segmentsOverlap(left, right, kinds)) return false;
  }
};

const segmentsOverlap = (a: PathSegment, b: PathSegment, kinds: ReadonlyMap<string, ResourceKind>): boolean => {
  if (a.kind === 'literal' && b.kind === 'literal') return a.text === b.text;
  if (a.kind === 'literal' && b.kind === 'parameter') return couldBe(b.name, a.text, kinds);
  if (a.kind === 'parameter' && b.kind === 'literal') return couldBe(a.name, b.text, kinds);
  return true;
};

const couldBe = (parameter: string, text: string, kinds: ReadonlyMap<string, ResourceKind>): boolean => {
  const kind = kinds.get(parameter);
  return kind === undefined || (kind.pattern.test(text) && !kind.reserved.has(text));
};
