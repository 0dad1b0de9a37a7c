/** A policy, compiled: what the stages run on. Parsed policies are another type, in policy/schema. */
import type { SocketRule } from './event.ts';
import type { RateLimit } from './limits.ts';
import type { Rollout } from './mode.ts';
import type { ResourceKind } from './resource.ts';
import type { Route, RouteMatch } from './route.ts';
import type { WebSocketRule } from './websocket.ts';

export interface Policy {
  readonly name: string;
  /** For what belongs to no route: a request that matches none, and the sockets. */
  readonly rollout: Rollout;
  /** True when every route and socket is in effect for everybody: then no request needs to be asked its mode. */
  readonly enforced: boolean;
  readonly resources: ReadonlyMap<string, ResourceKind>;
  readonly routes: readonly Route[];
  /** The Socket.IO endpoint; one at most. */
  readonly sockets: readonly SocketRule[];
  readonly webSockets: readonly WebSocketRule[];
  /** The limits by address that hold on every route; they count refusals of somebody unknown too. */
  readonly visitorLimits: readonly RateLimit[];
  /** The limits that count failed authentications, by address. */
  readonly failureLimits: readonly RateLimit[];
  /** Returns the one route for a method and a canonical path, or undefined. */
  match(method: string, path: string): RouteMatch | undefined;
}
