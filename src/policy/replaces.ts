/** One file takes over denied routes of another: the only way in which a file changes what another one says. */
import { nearestWord } from './fault.ts';
import type { ParsedRoute } from './schema.ts';
import { addFault, isFull, type Path, type Scope, type Source } from './scope.ts';

/** Returns the routes that do not hold, because another file replaces them. */
export const replacedRoutes = (scope: Scope, sources: readonly Source[]): ReadonlySet<ParsedRoute> => {
  const replaced = new Set<ParsedRoute>();
  for (const source of sources) {
    if (source.policy.replaces.length === 0) continue;
    const own = routesById([source]);
    const others = routesById(sources.filter((other) => other !== source));
    for (const [index, id] of source.policy.replaces.entries()) {
      const spot = { scope, source, path: ['replaces', index] };
      const route = others.get(id);
      if (route === undefined) {
        if (isFull(scope)) return replaced;
        const expected = nearestWord(id, others.keys()) ?? 'the id of a denied route';
        addFault(spot, { message: 'no other file has this route', found: id, expected });
        continue;
      }
      if (route.access !== 'denied') {
        addFault(spot, { message: 'only a denied route is replaced', found: id, expected: 'a route that is denied' });
      }
      if (!own.has(id)) addFault(spot, { message: 'this file has no such route', found: id });
      replaced.add(route);
    }
  }
  return replaced;
};

/** A route as it is written, and where. */
export interface WrittenRoute {
  readonly written: ParsedRoute;
  readonly source: Source;
  readonly path: Path;
}

/** Returns the routes that hold: those of all files that no other file replaces. */
export const routesThatHold = (sources: readonly Source[]): readonly WrittenRoute[] =>
  sources.flatMap((source) => {
    const replaced = new Set(sources.flatMap((other) => (other === source ? [] : other.policy.replaces)));
    return source.policy.routes.flatMap((written, index) =>
      replaced.has(written.id) ? [] : [{ written, source, path: ['routes', index] }],
    );
  });

const routesById = (sources: readonly Source[]): ReadonlyMap<string, ParsedRoute> =>
  new Map(sources.flatMap(({ policy }) => policy.routes.map((route) => [route.id, route] as const)));
