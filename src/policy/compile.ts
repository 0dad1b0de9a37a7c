/** Parsed policies -> the policy that the stages run on, or every fault there is. */
import type { Policy } from '../model/policy.ts';
import type { Route } from '../model/route.ts';
import { checkDeclarations } from './check-declarations.ts';
import { compileRoute } from './compile-route.ts';
import { compileSocket } from './compile-socket.ts';
import type { Fault } from './fault.ts';
import { routeTable } from './match.ts';
import { addFault, declare, type Path, type Scope, type Source } from './scope.ts';
import { overlaps } from './template.ts';

interface Row {
  readonly route: Route;
  readonly source: Source;
  readonly path: Path;
}

/** Returns one policy out of all sources; what one file declares the others may use. */
export const compile = (
  sources: readonly Source[],
): { readonly policy: Policy } | { readonly faults: readonly Fault[] } => {
  const scope = declare(sources);
  checkDeclarations(scope, sources);
  const rows: Row[] = [];
  for (const source of sources) {
    for (const [index, written] of source.policy.routes.entries()) {
      const path = ['routes', index];
      rows.push({ route: compileRoute({ scope, source, written, path }), source, path });
    }
  }
  const sockets = sources.flatMap((source) =>
    source.policy.sockets.map((written, index) => compileSocket(written, { scope, source, path: ['sockets', index] })),
  );
  checkRoutes(scope, rows);
  if (sockets.length > 1) {
    const source = sources.find(({ policy }) => policy.sockets.length > 0);
    if (source !== undefined)
      addFault(
        { scope, source, path: ['sockets'] },
        { message: 'one socket is supported', found: String(sockets.length) },
      );
  }
  if (scope.faults.length > 0) return { faults: scope.faults };
  const routes = rows.map(({ route }) => route);
  const match = routeTable(routes);
  const byAddress = scope.everywhere.filter(({ by }) => by === 'address');
  const visitorLimits = byAddress.filter(({ onFailedAuthentication }) => !onFailedAuthentication);
  const failureLimits = byAddress.filter(({ onFailedAuthentication }) => onFailedAuthentication);
  const name = sources.map(({ policy }) => policy.name).join('+');
  return { policy: { name, resources: scope.kinds, routes, sockets, visitorLimits, failureLimits, match } };
};

const checkRoutes = (scope: Scope, rows: readonly Row[]): void => {
  const ids = new Set<string>();
  const earlier = overlaps<Route>(scope.kinds);
  for (const { route, source, path } of rows) {
    if (ids.has(route.id))
      addFault({ scope, source, path: [...path, 'id'] }, { message: 'this id is used twice', found: route.id });
    ids.add(route.id);
    for (const other of earlier.add(route)) {
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
