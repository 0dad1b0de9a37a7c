/** The part of the composition that opens the clients' side of live events: the sockets, and what they missed while away. */
import type { Authenticator } from './authn/authenticate.ts';
import type { OwnershipLookup } from './authz/lookup.ts';
import type { Config } from './config/config.ts';
import type { AuditSink } from './model/audit.ts';
import type { SocketRule } from './model/event.ts';
import { isFailedAttempt } from './model/failed-attempt.ts';
import { allowedOrigins } from './model/origin.ts';
import type { Policy } from './model/policy.ts';
import { Rejection } from './model/rejection.ts';
import type { CanonicalRequest, RawRequest } from './model/request.ts';
import type { Limit } from './ratelimit/limit.ts';
import { inbound } from './realtime/inbound.ts';
import type { Lifetime } from './realtime/lifetime.ts';
import { missedEvents } from './realtime/missed.ts';
import type { KeptFrame } from './server/socket-channels.ts';
import type { Identify } from './server/socket-handshake.ts';
import { sockets } from './server/sockets.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface IdentifierOptions {
  readonly authenticator: Pick<Authenticator, 'identify'>;
  readonly limit: Pick<Limit, 'failed'>;
}

export interface SocketPlaneOptions extends IdentifierOptions {
  readonly limit: Limit;
  readonly config: Config;
  readonly policy: Policy;
  readonly rule: SocketRule;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  readonly lookup: OwnershipLookup;
  readonly lifetime: Lifetime;
  readonly audit: AuditSink;
  readonly counts: Metrics;
}

/** Returns the sockets, attached to no server yet, and the memory of what was sent to their owners. */
export const socketPlane = (options: SocketPlaneOptions) => {
  const { config, policy, rule, lookup, counts } = options;
  const missed = missedEvents<KeptFrame>({ rule: () => rule.missed, terms: () => rule.deliver });
  let waitingBytes = 0;
  const clients = sockets({
    rule,
    identify: identifier(options),
    canonical: options.canonical,
    inbound: inbound({
      accept: { get: (name) => rule.accept.get(name) },
      packetsPerSecond: config.sockets.packetsPerSecond,
      burst: config.sockets.burst,
    }),
    maxSocketsPerOwner: config.sockets.perUser,
    maxSocketsPerAddress: config.sockets.perAddress,
    maxWaitingBytes: config.sockets.waitingBytes,
    connectMillis: config.sockets.connectMillis,
    lifetime: options.lifetime,
    rollout: () => policy.rollout,
    limit: options.limit.visitor,
    origins: allowedOrigins(config.listen),
    onDecision: options.audit,
    backlog: {
      add(bytes) {
        waitingBytes += bytes;
      },
    },
    history: {
      missed,
      ownersOf: lookup.ownersOf,
      returned({ recovered, missed: replayed, refused }) {
        counts.event('returned', recovered ? 'recovered' : 'lost');
        if (replayed > 0) counts.event('replayed', 'none', replayed);
        if (refused > 0) counts.event('replay-refused', 'not-theirs', refused);
      },
    },
  });
  return { clients, missed, waitingBytes: () => waitingBytes };
};

/** A handshake that fails counts as a failed authentication, like a request that does. */
export const identifier =
  ({ authenticator, limit }: IdentifierOptions): Identify =>
  async (request, token) => {
    try {
      return await authenticator.identify(request, token, { handshake: true, required: true });
    } catch (error) {
      if (error instanceof Rejection && isFailedAttempt(error)) await limit.failed(request.address);
      throw error;
    }
  };
