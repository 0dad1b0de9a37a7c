/** Where in the files of a policy each route is written, and how: for whoever has to be shown it. */
import { positionOf } from './document.ts';
import type { Position } from './fault.ts';
import type { ParsedRoute } from './schema.ts';
import type { Source } from './scope.ts';

/** A route as it is written, and where. */
export interface RoutePlace extends Position {
  readonly file: string;
  readonly written: ParsedRoute;
}

/** Returns the routes that hold, by id; not those that another file replaces. */
export const routePlaces = (sources: readonly Source[]): ReadonlyMap<string, RoutePlace> => {
  const places = new Map<string, RoutePlace>();
  for (const { document, policy } of sources) {
    const others = sources.filter((source) => source.document !== document);
    const replaced = new Set(others.flatMap((source) => source.policy.replaces));
    for (const [index, written] of policy.routes.entries()) {
      if (replaced.has(written.id)) continue;
      places.set(written.id, { file: document.file, ...positionOf(document, ['routes', index]), written });
    }
  }
  return places;
};
