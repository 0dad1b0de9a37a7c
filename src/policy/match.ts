/** The closed route table: a radix tree over the compiled routes. */
import createRouter from 'find-my-way';
import type { PathSegment, Route, RouteMatch } from '../model/route.ts';

const handler = (): void => undefined;

/** Beyond every target that is read: an id that is too long is judged by its route like any other. */
const MAX_PATH_LENGTH = 65_536;

/** Returns the function that finds the one route for a method and a canonical path. */
export const routeTable = (routes: readonly Route[]): ((method: string, path: string) => RouteMatch | undefined) => {
  const router = createRouter({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: MAX_PATH_LENGTH });
  for (const route of routes) router.on(route.method as 'GET', pattern(route.segments), handler, route);
  return (method, path) => {
    const found = router.find(method as 'GET', path);
    if (found === null || hasEmpty(found.params)) return undefined;
    return { route: found.store as Route, parameters: found.params };
  };
};

/** The library lets `/a/` match `/a/{b}`; rebuilt, that would be a path of another route. */
const hasEmpty = (parameters: Readonly<Record<string, string | undefined>>): boolean => {
  for (const name in parameters) if (parameters[name] === '') return true;
  return false;
};

const pattern = (segments: readonly PathSegment[]): string =>
  `/${segments
    .map((segment) => {
      if (segment.kind === 'literal') return segment.text;
      return segment.kind === 'rest' ? '*' : `:${segment.name}`;
    })
    .join('/')}`;
