/** Starlette's way of finding a route, with its surprises: the eaten newline, the slash redirect, the first 405. */
import { type Answer, type Call, type Handler, json, type Route } from './http.ts';

interface Compiled {
  readonly methods: readonly string[];
  readonly pattern: RegExp;
  readonly handle: Handler;
}

interface Found {
  readonly handle: Handler;
  readonly params: Readonly<Record<string, string>>;
}

/** Mounted applications match a prefix and look at the method themselves. */
export interface Mount {
  readonly prefix: string;
  readonly handle: Handler;
}

/** Returns a function that finds the handler of a call; it never fails, since a miss is a handler too. */
export function router(routes: readonly Route[], mounts: readonly Mount[], extra: readonly Route[]) {
  const compiled: readonly Compiled[] = [
    ...routes.map((route) => compile(route, [route.method])),
    // Plain Starlette routes (the documentation pages) answer HEAD as well, FastAPI's own do not.
    ...extra.map((route) => compile(route, [route.method, 'HEAD'])),
    ...mounts.map((mount) => ({
      methods: [],
      pattern: new RegExp(`^${mount.prefix}/(?<rest>[^]*)$`),
      handle: mount.handle,
    })),
  ];

  return function find(method: string, path: string): Found {
    let refused: Compiled | undefined;
    for (const route of compiled) {
      const match = route.pattern.exec(path);
      if (match === null) continue;
      if (route.methods.length === 0 || route.methods.includes(method)) {
        return { handle: route.handle, params: { ...match.groups } };
      }
      refused ??= route;
    }
    if (refused !== undefined) return { handle: notAllowed(refused.methods), params: {} };
    const other = path.endsWith('/') ? path.replace(/\/+$/, '') : `${path}/`;
    if (path !== '/' && compiled.some((route) => route.pattern.test(other))) {
      return { handle: (call) => redirect(call, other), params: {} };
    }
    return { handle: notFound, params: {} };
  };
}

/** Answers a path that nothing matches. */
export function notFound(): Answer {
  return json({ detail: 'Not Found' }, 404);
}

/** Returns a handler that refuses the method and names the ones that the first matching route takes. */
export function notAllowed(methods: readonly string[]): Handler {
  return () => json({ detail: 'Method Not Allowed' }, 405, { allow: methods.join(', ') });
}

/**
 * Python's `$` also matches before one trailing newline, so `/api/config%0a` is `/api/config`; a parameter at the end
 * is greedy and takes the newline into the id (contract section 8).
 */
function compile(route: Route, methods: readonly string[]): Compiled {
  const pattern = route.path.replace(/[.]/g, '\\.').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return { methods, pattern: new RegExp(`^${pattern}\\n?$`), handle: route.handle };
}

/** The location is absolute, built from Host and X-Forwarded-Proto, which loopback peers are believed (section 1). */
function redirect(call: Call, path: string): Answer {
  const forwarded = call.headers['x-forwarded-proto'];
  const scheme = typeof forwarded === 'string' && forwarded.trim() !== '' ? forwarded.trim() : 'http';
  const query = call.rawQuery === '' ? '' : `?${call.rawQuery}`;
  const location = `${scheme}://${call.headers.host ?? '127.0.0.1'}${path}${query}`;
  return { status: 307, headers: { location: quoteLocation(location) }, body: '' };
}

function quoteLocation(location: string): string {
  return location
    .toWellFormed()
    .replace(/[^A-Za-z0-9_.~:/%#?=@[\]!$&'()*+,;-]/gu, (character) => encodeURIComponent(character));
}
