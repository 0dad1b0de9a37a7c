/**
 * What a route does with the paths of a user's own files: `scope-path` on the way in, `user-paths` on the way out. The one
 * is not had without the other, nor without effect: unconfined, such a route is the whole file system of the server.
 */
import { operations } from '../filter/operations.ts';
import { isPartial, type Rollout } from '../model/mode.ts';
import type { AnswerOperation, QueryOperation } from '../model/route.ts';
import { folderOf, scopeQuery } from '../rewrite/operations.ts';
import type { PathScope } from '../rewrite/scope-path.ts';
import type { ParsedRoute } from './schema.ts';
import type { WrittenScopePath } from './schema-paths.ts';
import { addFault, type RouteContext } from './scope.ts';

/** Returns the operations on query parameters, by their names. */
export const compileQueryScopes = ({ written }: RouteContext): ReadonlyMap<string, QueryOperation> =>
  new Map(stepsOf(written).flatMap((step) => ('query' in step ? [[step.query, scopeQuery(scopeOf(step))]] : [])));

/** Returns the operation on the answer, or none. */
export const compileUserPaths = ({ written }: RouteContext): AnswerOperation[] => {
  const shown = written.filter?.['user-paths'];
  const [root] = rootsOf(written);
  if (shown === undefined || root === undefined) return [];
  return [operations.userPaths({ fields: new Map(Object.entries(shown)), root, folderOf })];
};

/** Adds a fault for each way in which a path could get past, or the answer could not be told from another's. */
export const checkPaths = (context: RouteContext, rollout: Rollout): void => {
  const { written } = context;
  const { access, filter, query } = written;
  const steps = stepsOf(written);
  const roots = rootsOf(written);
  if (filter?.['user-paths'] !== undefined && roots.size === 0) {
    const message = 'no path of this route is in a folder of the user’s';
    addFault(context, { message, expected: 'rewrite: [{ scope-path: { …, root: /… } }]' }, ['filter', 'user-paths']);
  }
  if (steps.length === 0) return;
  if (roots.size > 1) {
    const message = 'the answer could name paths below one root only';
    addFault(context, { message, found: [...roots].join(', '), expected: 'one root' }, ['rewrite']);
  }
  if (filter?.['user-paths'] === undefined) {
    const message = 'the answer would name paths of the server’s host';
    addFault(context, { message, expected: 'filter: { user-paths: { FIELD: path }, max: SIZE }' }, ['rewrite']);
  }
  if (access === 'public' || access === 'page') {
    addFault(context, { message: `a ${access} route knows no user whose folder it could be`, found: access }, [
      'access',
    ]);
  }
  if (isPartial(rollout)) {
    const message = 'a path is confined only where the route is in effect for everybody';
    addFault(context, { message, found: rollout.mode, expected: 'mode: enforce' }, ['rewrite']);
  }
  for (const step of steps) {
    if (!('query' in step) || query.includes(step.query)) continue;
    const message = 'this parameter is dropped';
    addFault(context, { message, found: step.query, expected: `query: [${step.query}]` }, ['rewrite']);
  }
};

/** False for a step that works on a query parameter alone. */
export const worksOnBody = (step: ParsedRoute['rewrite'][number]): boolean =>
  !('scope-path' in step && 'query' in step['scope-path']);

const stepsOf = ({ rewrite }: ParsedRoute): WrittenScopePath[] =>
  rewrite.flatMap((step) => ('scope-path' in step ? [step['scope-path']] : []));

const rootsOf = (written: ParsedRoute): ReadonlySet<string> =>
  new Set(stepsOf(written).flatMap((step) => ('root' in step ? [step.root] : [])));

/** Returns what a step says of its path. */
export const scopeOf = (step: WrittenScopePath): PathScope =>
  'root' in step ? { as: step.as, root: step.root } : { as: 'name' };
