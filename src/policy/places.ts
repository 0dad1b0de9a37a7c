/** Where in the files of a policy each route is written, and how: for whoever has to be shown it. */
import { positionOf } from './document.ts';
import type { Position } from './fault.ts';
import { routesThatHold } from './replaces.ts';
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
  for (const { written, source, path } of routesThatHold(sources)) {
    const { document } = source;
    places.set(written.id, { file: document.file, ...positionOf(document, path), written });
  }
  return places;
};
