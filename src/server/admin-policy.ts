/**
 * The policy's part of the admin API. A page in the operator's browser can reach the admin listener, so the Host must be
 * a name of this machine (DNS rebinding), a foreign Origin is refused, and whatever changes something needs the token.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { Rejection } from '../model/rejection.ts';

export interface AdminPolicy {
  /** The address or name of the admin listener, as it is configured. */
  readonly host: string;
  readonly token: string;
  readonly status: () => object;
  readonly reload: () => AdminOutcome;
  readonly rollBack: () => AdminOutcome;
}

/** What was done or why not, and the policy that is live now. */
export interface AdminOutcome {
  readonly done: boolean;
  readonly answer: object;
}

/** Returns the routes below `/policy`; they throw a Rejection for what may not be asked. */
export const policyRoutes = (policy: AdminPolicy): Hono => {
  const checkPlace = placeChecker(policy.host);
  const checkToken = tokenChecker(policy.token);
  const routes = new Hono();
  routes.use('*', (context, next) => {
    checkPlace(context.req.header('host'), context.req.header('origin'));
    if (context.req.method !== 'GET') checkToken(context.req.header('authorization'));
    context.header('cache-control', 'no-store');
    return next();
  });
  routes.get('/', (context) => context.json(policy.status()));
  for (const [path, act] of [
    ['/reload', policy.reload],
    ['/rollback', policy.rollBack],
  ] as const) {
    routes.post(path, (context) => {
      const { done, answer } = act();
      return context.json(answer, done ? 200 : 409);
    });
  }
  return routes;
};

/** Returns a check of Host and Origin. A browser always says which page's request it is, unless it is the page's own. */
const placeChecker = (adminHost: string) => {
  const names = new Set(['localhost', '127.0.0.1', '[::1]', adminHost.toLowerCase(), `[${adminHost.toLowerCase()}]`]);
  return (host = '', origin: string | undefined): void => {
    const place = host.toLowerCase();
    if (!names.has(place.replace(/:[0-9]{1,5}$/, '')))
      throw new Rejection('host-unknown', 'not a name of this machine');
    if (origin !== undefined && origin !== `http://${place}` && origin !== `https://${place}`)
      throw new Rejection('origin-refused', 'a page of another origin');
  };
};

/** Returns a check that takes the same time however much of a token is right. */
const tokenChecker = (token: string) => {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const expected = digest(`Bearer ${token}`);
  return (authorization: string | undefined): void => {
    const headers = ['www-authenticate', 'Bearer realm="admin"'];
    if (authorization === undefined) throw new Rejection('token-missing', 'no admin token', { headers });
    if (!timingSafeEqual(digest(authorization), expected))
      throw new Rejection('token-signature', 'not the admin token', { headers });
  };
};
