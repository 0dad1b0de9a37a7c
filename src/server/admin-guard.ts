/**
 * Who may use the admin API. A page in the operator's browser can reach the admin listener, so the Host must be a name of
 * this machine (DNS rebinding), a foreign Origin is refused, and what changes something or names people needs the token.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { Rejection } from '../model/rejection.ts';

export interface AdminAccess {
  /** The address or name of the admin listener, as it is configured. */
  readonly host: string;
  readonly token: string;
}

/** Returns what stands before the routes of a part; it throws a Rejection. `open` methods are served without the token. */
export const adminGuard = ({ host, token }: AdminAccess, open: readonly string[]): MiddlewareHandler => {
  const checkPlace = placeChecker(host);
  const checkToken = tokenChecker(token);
  return (context, next) => {
    checkPlace(context.req.header('host'), context.req.header('origin'));
    if (!open.includes(context.req.method)) checkToken(context.req.header('authorization'));
    context.header('cache-control', 'no-store');
    return next();
  };
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
