/**
 * The policy held against the upstream's own route list. A new release of the upstream adds, moves and drops routes; the
 * policy that was right for the last one must not be taken for right.
 */
import type { Route } from '../model/route.ts';
import { positionOf } from './document.ts';
import type { Position } from './fault.ts';
import { rulesOf } from './lint-events.ts';
import { type ListedRoute, listedRoutes, type Subject } from './lint-warning.ts';
import { changesOf } from './openapi-changes.ts';
import { type Operation, readOperations, segmentOf } from './openapi-list.ts';
import { type OperationTree, operationTree } from './openapi-tree.ts';
import type { Source } from './scope.ts';

/** `unmapped`: only the upstream has it. `vanished`: only the policy has it. `changed`: both, but not alike. */
export interface Difference {
  readonly kind: 'unmapped' | 'vanished' | 'changed';
  /** `GET /api/canvas/{id}`, as whoever has it writes it. */
  readonly operation: string;
  readonly what: string;
  /** The policy's route, where there is one. */
  readonly route?: string;
  readonly place?: Position & { readonly file: string };
}

export type Comparison = { readonly differences: readonly Difference[] } | { readonly problem: string };

/** Returns how a policy and a parsed OpenAPI document differ, or why that cannot be told. */
export const compareRoutes = (document: unknown, subject: Pick<Subject, 'sources' | 'policy'>): Comparison => {
  const read = readOperations(document);
  if ('problem' in read) return read;
  const { operations } = read;
  const listed = listedRoutes(subject);
  const tree = operationTree(operations);
  const met = new Set<Operation>();
  const differences = listed.flatMap((one) => {
    const operation = tree.serving(one.route.method, targetOf(one));
    if (operation === undefined) return isExpected(one) ? missing(one, tree) : [];
    met.add(operation);
    return changesOf(one, operation).map((what) => difference('changed', one, what));
  });
  const unmapped = operations.filter((one) => !met.has(one)).flatMap((one) => unmappedOf(one, subject));
  return {
    differences: [...unmapped, ...differences, ...subject.sources.flatMap((source) => uncancelled(source, tree))],
  };
};

/** Returns a difference in one line for people. */
export const formatDifference = ({ kind, operation, what, route, place }: Difference): string => {
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}: `;
  return `${where}${kind}: ${operation}${route === undefined ? '' : ` (${route})`}: ${what}`;
};

/** What the upstream is asked for: the route's own path, or the one to which it is forwarded. */
const targetOf = ({ route, written }: ListedRoute): ReadonlyArray<string | undefined> => {
  const other = written['forward-to'];
  if (other !== undefined) return other === '/' ? [] : other.slice(1).split('/');
  return route.segments.map((segment) => (segment.kind === 'literal' ? segment.text : undefined));
};

/** The framework's own pages stand in no list. */
const FRAMEWORK_PAGES = new Set(['/docs', '/docs/oauth2-redirect', '/redoc', '/openapi.json']);

/** False for what no list of routes has: pages, folders of files, HEAD, and what the gateway answers itself. */
const isExpected = ({ route, written }: ListedRoute): boolean =>
  route.access !== 'public' &&
  route.access !== 'page' &&
  written.answer === undefined &&
  !['HEAD', 'OPTIONS'].includes(route.method) &&
  !route.segments.some(({ kind }) => kind === 'rest') &&
  !FRAMEWORK_PAGES.has(pathOf(route));

const pathOf = ({ segments }: Route): string =>
  `/${segments.map((one) => (one.kind === 'literal' ? one.text : one.kind === 'rest' ? '*' : `{${one.name}}`)).join('/')}`;

const missing = (listed: ListedRoute, tree: OperationTree): Difference[] => {
  const methods = tree.methods(targetOf(listed));
  if (methods.length === 0) return [difference('vanished', listed, 'the upstream has it no more: remove the route')];
  const what = `the upstream takes ${methods.join(', ')} there, and ${listed.route.method} no more`;
  return [difference('changed', listed, what)];
};

/** What the gateway asks for itself, to end a run: of that nobody is told by a refusal. */
const uncancelled = (source: Source, tree: OperationTree): Difference[] =>
  rulesOf(source).flatMap(({ rule: { cancel }, path }) => {
    const [method = '', target = ''] = cancel?.split(' ') ?? [];
    const segments = target.slice(1).split('/').map(segmentOf);
    if (cancel === undefined || tree.serving(method, segments) !== undefined) return [];
    const { document } = source;
    const place = { file: document.file, ...positionOf(document, [...path, 'cancel']) };
    return [
      { kind: 'vanished', operation: cancel, what: 'the upstream has it no more: no run can be ended by it', place },
    ];
  });

const difference = (kind: Difference['kind'], { route, source, path }: ListedRoute, what: string): Difference => {
  const place = { file: source.document.file, ...positionOf(source.document, [...path, 'match']) };
  return { kind, operation: `${route.method} ${pathOf(route)}`, what, route: route.id, place };
};

/** A path without parameters may also be reached under another route, by whoever owns an id of that very name. */
const unmappedOf = ({ method, path, segments }: Operation, { policy }: Pick<Subject, 'policy'>): Difference[] => {
  const operation = `${method} ${path}`;
  const refused = 'no route of the policy lists it, so it is refused: list it, if need be as denied';
  const match = segments.includes(undefined) ? undefined : policy.match(method, path);
  if (match === undefined) return [{ kind: 'unmapped', operation, what: refused }];
  const { route, parameters } = match;
  if (route.segments.at(-1)?.kind === 'rest') return [];
  const ids = route.uses.flatMap(({ kind, at }) => (at.in === 'path' ? [{ kind, id: parameters[at.name] ?? '' }] : []));
  if (ids.some(({ kind, id }) => kind.reserved.has(id) || !kind.pattern.test(id))) {
    return [{ kind: 'unmapped', operation, what: refused }];
  }
  const reserve = ids.map(({ kind, id }) => `, and reserve ${id} among the ids of a ${kind.name}`).join('');
  const what = `the policy does not list it, but it is reached as ${pathOf(route)}: list it${reserve}`;
  return [{ kind: 'unmapped', operation, what, route: route.id }];
};
