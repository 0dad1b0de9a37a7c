/** The page, its assets and FastAPI's documentation pages; there is no fallback for the client's own routes (section 1). */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sendFile } from '../file-answer.ts';
import { type Answer, type Call, json, type Route } from '../http.ts';
import { openapi } from '../openapi.ts';
import { type Mount, notAllowed, notFound } from '../router.ts';

const NO_STORE = {
  'cache-control': 'no-store, no-cache, must-revalidate, max-age=0',
  pragma: 'no-cache',
  expires: '0',
};
const PAGE = fileURLToPath(new URL('../page/', import.meta.url));
const SOCKET_IO = join(dirname(createRequire(import.meta.url).resolve('socket.io/package.json')), 'client-dist');

const PAGE_FILES = ['app.js', 'studio.js', 'view.js', 'api.js', 'palette.css', 'style.css'];
const ASSETS: ReadonlyMap<string, string> = new Map([
  ...PAGE_FILES.map((name) => [name, join(PAGE, name)] as const),
  ['socket.io.min.js', join(SOCKET_IO, 'socket.io.min.js')],
]);

/** `GET /` alone; HEAD is 405, and so is everything else. */
export const indexRoute: Route = {
  method: 'GET',
  path: '/',
  handle: async () => {
    const body = await readFile(join(PAGE, 'index.html'));
    return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', ...NO_STORE }, body };
  },
};

/** A mounted static application: HEAD works here, and conditional requests give a 304 although marked no-store. */
export const assets: Mount = { prefix: '/assets', handle: serveAsset };

async function serveAsset(call: Call): Promise<Answer> {
  if (call.method !== 'GET' && call.method !== 'HEAD') return notAllowed(['GET', 'HEAD'])(call);
  const file = ASSETS.get(call.params.rest ?? '');
  if (file === undefined) return notFound();
  const answer = await sendFile(file, call.headers);
  const headers: Answer['headers'] = { ...answer.headers, ...NO_STORE };
  if (answer.status === 200 && call.headers['if-none-match'] === headers.etag)
    return { status: 304, headers, body: '' };
  return { ...answer, headers };
}

/** Returns the documentation pages: the full list of routes for whoever asks. */
export function documentationRoutes(routes: readonly Route[]): Route[] {
  const list = openapi(routes);
  const page = (title: string): Answer => {
    const body = `<!DOCTYPE html><html lang="en"><title>${title}</title><a href="/openapi.json">openapi.json</a></html>`;
    return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
  };
  return [
    { method: 'GET', path: '/openapi.json', handle: () => json(list) },
    { method: 'GET', path: '/docs', handle: () => page('FastAPI - Swagger UI') },
    { method: 'GET', path: '/docs/oauth2-redirect', handle: () => page('OAuth2 redirect') },
    { method: 'GET', path: '/redoc', handle: () => page('FastAPI - ReDoc') },
  ];
}
