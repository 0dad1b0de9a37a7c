/**
 * The admin listener: health, metrics, the policy, API keys and revocations, on an address of its own. Nothing here is
 * ever reachable on the public one.
 */
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Rejection } from '../model/rejection.ts';
import { type AdminKeys, keyRoutes } from './admin-keys.ts';
import { type AdminPolicy, policyRoutes } from './admin-policy.ts';
import { type AdminRevocations, revocationRoutes } from './admin-revocations.ts';
import { type HealthChecks, health } from './health.ts';
import { problem } from './respond.ts';

export interface AdminOptions {
  readonly checks: HealthChecks;
  readonly scrape: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** Undefined where the policy cannot change. */
  readonly policy?: AdminPolicy | undefined;
  /** Undefined where there are no API keys. */
  readonly keys?: AdminKeys | undefined;
  /** Undefined where nothing can be revoked. */
  readonly revocations?: AdminRevocations | undefined;
}

/** Returns the server, not yet listening. */
export const admin = ({ checks, scrape, policy, keys, revocations }: AdminOptions): Server => {
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
  if (policy !== undefined) routes.route('/policy', policyRoutes(policy));
  if (keys !== undefined) routes.route('/keys', keyRoutes(keys));
  if (revocations !== undefined) routes.route('/revocations', revocationRoutes(revocations));
  routes.onError((error, context) =>
    error instanceof Rejection ? refusal(error) : context.json({ error: 'internal' }, 500),
  );
  return createServer(getRequestListener(routes.fetch, { overrideGlobalObjects: false }));
};

const refusal = (rejection: Rejection): Response => {
  const { head, body } = problem(rejection, undefined);
  const headers = new Headers();
  for (let index = 0; index < head.length; index += 2) headers.append(head[index] ?? '', head[index + 1] ?? '');
  return new Response(new Uint8Array(body), { status: rejection.status, headers });
};
