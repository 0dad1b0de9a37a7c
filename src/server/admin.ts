/** The admin listener: health and metrics, on an address of its own. Nothing here is ever reachable on the public one. */
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type HealthChecks, health } from './health.ts';

export interface AdminOptions {
  readonly checks: HealthChecks;
  readonly scrape: () => Promise<{ readonly text: string; readonly contentType: string }>;
}

/** Returns the server, not yet listening. */
export const admin = ({ checks, scrape }: AdminOptions): Server => {
  const routes = new Hono();
  routes.get('/livez', (context) => context.json({ live: true }));
  routes.get('/readyz', async (context) => {
    const state = await health(checks);
    return context.json(state, state.ready ? 200 : 503);
  });
  routes.get('/metrics', async (context) => {
    const { text, contentType } = await scrape();
    return context.body(text, 200, { 'content-type': contentType });
  });
  routes.onError((_error, context) => context.json({ error: 'internal' }, 500));
  return createServer(getRequestListener(routes.fetch, { overrideGlobalObjects: false }));
};
