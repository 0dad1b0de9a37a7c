/** Parsed policies -> the policy that the stages run on, or every fault there is. */
import { ENFORCED, isPartial } from '../model/mode.ts';
import type { Policy } from '../model/policy.ts';
import type { Route } from '../model/route.ts';
import { checkDeclarations, checkNumbers } from './check-declarations.ts';
import { compileRoute } from './compile-route.ts';
import { compileSockets } from './compile-sockets.ts';
import type { Fault } from './fault.ts';
import { routeTable } from './match.ts';
import { replacedRoutes } from './replaces.ts';
import { rolloutOf, strictest } from './rollout.ts';
import { addFault, declare, type Path, type Scope, type Source } from './scope.ts';
import { overlaps, parseTemplate } from './template.ts';

interface Row {
  readonly route: Route;
  /** False where nobody can tell what it matches. */
  readonly isRoute: boolean;
  readonly source: Source;
  readonly path: Path;
}

/** Returns one policy out of all sources; what one file declares the others may use. */
export const compile = (
  sources: readonly Source[],
): { readonly policy: Policy } | { readonly faults: readonly Fault[] } => {
  const crowd = checkNumbers(sources);
  if (crowd.length > 0) return { faults: crowd };
  const scope = declare(sources);
  checkDeclarations(scope, sources);
  const replaced = replacedRoutes(scope, sources);
  const rows: Row[] = [];
  for (const source of sources) {
    // Once for a file: each cohort remembers who is in it.
    const rollout = rolloutOf(source.policy);
    for (const [index, written] of source.policy.routes.entries()) {
      if (replaced.has(written)) continue;
      const path = ['routes', index];
      const route = compileRoute({ scope, source, written, path }, rollout);
      rows.push({ route, isRoute: !('expected' in parseTemplate(written.match)), source, path });
    }
  }
  const { sockets, webSockets } = compileSockets(
    scope,
    sources,
    rows.filter(isMatched).map(({ route }) => route),
  );
  checkRoutes(scope, rows);
  checkThere(scope, sources, rows);
  if (scope.faults.length > 0) return { faults: scope.faults };
  const routes = rows.map(({ route }) => route);
  const match = routeTable(routes);
  const byAddress = scope.everywhere.filter(({ by }) => by === 'address');
  const visitorLimits = byAddress.filter(({ onFailedAuthentication }) => !onFailedAuthentication);
  const failureLimits = byAddress.filter(({ onFailedAuthentication }) => onFailedAuthentication);
  const named = sources.filter(({ included }) => !included);
  const name = named.map(({ policy }) => policy.name).join('+');
  const [first, ...others] = sources.map(({ policy }) => rolloutOf(policy));
  // Without files there is no route, and nothing that could match.
  const rollout = first === undefined ? ENFORCED : strictest([first, ...others]);
  const enforced = ![rollout, ...routes.map((route) => route.rollout)].some(isPartial);
  return {
    policy: {
      rollout,
      enforced,
      name,
      resources: scope.kinds,
      routes,
      sockets,
      webSockets,
      visitorLimits,
      failureLimits,
      match,
    },
  };
};

const isMatched = ({ isRoute }: Row): boolean => isRoute;

/** A policy without a route refuses everything: a mistake, except where there is no file at all. */
const checkThere = (scope: Scope, [source]: readonly Source[], rows: readonly Row[]): void => {
  if (source === undefined || rows.length > 0) return;
  addFault(
    { scope, source, path: ['routes'] },
    { message: 'the policy has no route', expected: 'routes: [{ id, match }]' },
  );
};

const checkRoutes = (scope: Scope, rows: readonly Row[]): void => {
  const ids = new Set<string>();
  const earlier = overlaps<Route>(scope.kinds);
  for (const { route, isRoute, source, path } of rows) {
    if (ids.has(route.id))
      addFault({ scope, source, path: [...path, 'id'] }, { message: 'this id is used twice', found: route.id });
    ids.add(route.id);
    if (!isRoute) continue;
    const met = earlier.add(route);
    if (met === undefined) {
      const message = 'the routes are too entangled to be told apart: so many could match what so many others match';
      addFault({ scope, source, path: [...path, 'match'] }, { message, found: route.id });
      return;
    }
    for (const other of met) {
      addFault(
        { scope, source, path: [...path, 'match'] },
        {
          message: `a request could match this route and ${other.id}`,
          found: route.id,
          expected: 'one route for each request',
        },
      );
    }
  }
};
