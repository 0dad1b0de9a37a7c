/** Who opens a page without a session is sent to log in, and comes back to the page. Programs are never redirected. */
import { LOGIN_PATHS } from '../../model/login.ts';
import { Rejection } from '../../model/rejection.ts';
import type { CanonicalRequest } from '../../model/request.ts';
import type { Route } from '../../model/route.ts';
import { isNavigation } from '../same-site.ts';

/** The page is a part of an address again, and of a cookie: what is longer comes back without its query. */
const MAX_RETURN_LENGTH = 2_000;

/** True where a browser opens a page and can be sent elsewhere, on a route of this access. */
export const canLogIn = (request: CanonicalRequest, { access }: Pick<Route, 'access'>): boolean => {
  const { method, headers } = request;
  if (method !== 'GET' && !(method === 'HEAD' && access === 'page')) return false;
  if (headers.has('sec-fetch-mode') || headers.has('sec-fetch-dest')) return isNavigation(request);
  return headers.get('accept')?.includes('text/html') === true;
};

/** Returns the refusal that sends a browser to log in and then back to the request's page. */
export const loginNeeded = (request: CanonicalRequest, route: Pick<Route, 'query' | 'tokenInQuery'>): Rejection => {
  const page = encodeURIComponent(request.path + queryOf(request, route));
  const path = encodeURIComponent(request.path);
  const asked = [page, path].find(({ length }) => length <= MAX_RETURN_LENGTH);
  const location = asked === undefined ? LOGIN_PATHS.login : `${LOGIN_PATHS.login}?return=${asked}`;
  return new Rejection('login-needed', 'a page was opened without a session', { headers: ['location', location] });
};

/** A token goes nowhere from here, meant as one or not. A parameter of this name is the upstream's where it is listed. */
const queryOf = ({ query }: CanonicalRequest, route: Pick<Route, 'query' | 'tokenInQuery'>): string => {
  const isToken = (name: string): boolean =>
    name === 'token' && (route.tokenInQuery === true || !route.query.has(name));
  const pairs = [...query]
    .filter(([name]) => !isToken(name))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
};
