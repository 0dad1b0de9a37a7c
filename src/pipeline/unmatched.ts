/**
 * The mode of what no route matches: that of the file. But a server may take such a request for a route that is in effect,
 * and would answer it unjudged; and where the sockets are, their rules are in force in every mode.
 */
import { type Mode, modeFor } from '../model/mode.ts';
import type { Policy } from '../model/policy.ts';
import type { Principal } from '../model/principal.ts';
import type { Route } from '../model/route.ts';

export type UnmatchedPolicy = Pick<Policy, 'rollout' | 'sockets' | 'match'>;

interface Unmatched {
  readonly method: string;
  readonly path: string;
}

/** Returns the mode for a caller of what no route matches. */
export const unmatchedMode = (policy: UnmatchedPolicy, request: Unmatched, principal: Principal | undefined): Mode => {
  const mode = modeFor(policy.rollout, principal);
  if (isOfSocket(policy, request.path)) return 'enforce';
  const isInEffect = likelyRoutes(policy, request).some(({ rollout }) => modeFor(rollout, principal) === 'enforce');
  return isInEffect ? 'enforce' : mode;
};

/** Returns the routes for which a server may take what none of them matches. */
export const likelyRoutes = (policy: Pick<Policy, 'match'>, request: Unmatched): readonly Route[] =>
  likenesses(request).flatMap(({ method, path }) => policy.match(method, path)?.route ?? []);

/** By prefix, as the server does (contract, section 4): polling is a socket too, and has no origin that is checked. */
const isOfSocket = ({ sockets }: UnmatchedPolicy, path: string): boolean =>
  sockets.some((socket) => path.startsWith(socket.path.replace(/\/$/, '')));

/** HEAD is GET to many servers; to some a slash at the end is nothing, or capitals are; a path may end with nothing. */
const likenesses = ({ method, path }: Unmatched): readonly Unmatched[] => {
  const methods = method === 'HEAD' ? [method, 'GET'] : [method];
  const paths = path.endsWith('/') ? [path, path.slice(0, -1), `${path}-`] : [path];
  const spelt = paths.flatMap((one) => [one, one.toLowerCase()]);
  return methods.flatMap((one) => spelt.map((other) => ({ method: one, path: other })));
};
