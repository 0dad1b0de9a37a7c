/** One file takes over denied routes of another: the only way in which a file changes what another one says. */
import { nearestWord } from './fault.ts';
import type { ParsedRoute } from './schema.ts';
import { addFault, type Scope, type Source } from './scope.ts';

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

const routesById = (sources: readonly Source[]): ReadonlyMap<string, ParsedRoute> =>
  new Map(sources.flatMap(({ policy }) => policy.routes.map((route) => [route.id, route] as const)));
