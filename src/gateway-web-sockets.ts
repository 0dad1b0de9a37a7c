/** The part of the composition that is raw WebSockets: one connection to the upstream for each client's, and judges between. */
import { claims } from './authz/claim.ts';
import type { Learn } from './authz/learn.ts';
import type { OwnershipLookup } from './authz/lookup.ts';
import type { OwnershipLedger } from './authz/ownership.ts';
import { conform } from './body/conform.ts';
import { parseStrictJson, readStrictJson } from './body/json.ts';
import { writeJson, writeJsonInSlices } from './body/json-write.ts';
import type { Config } from './config/config.ts';
import { type IdentifierOptions, identifier } from './gateway-sockets.ts';
import type { AuditSink } from './model/audit.ts';
import { allowedOrigins } from './model/origin.ts';
import type { Policy } from './model/policy.ts';
import type { CanonicalRequest, RawRequest } from './model/request.ts';
import { messageLife } from './pipeline/message.ts';
import type { Limit } from './ratelimit/limit.ts';
import { inbound } from './realtime/inbound.ts';
import type { Lifetime } from './realtime/lifetime.ts';
import { messages } from './realtime/messages.ts';
import { type Assertion, assertionHeaders, outboundHeaders } from './rewrite/headers.ts';
import { type WebSockets, webSockets } from './server/web-sockets.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Origin } from './upstream/origin.ts';
import { probe } from './upstream/probe.ts';
import { tunnelTo } from './upstream/tunnel.ts';
import { webSocketDial } from './upstream/web-socket.ts';

export interface WebSocketPlaneOptions extends IdentifierOptions {
  readonly limit: Limit;
  readonly config: Config;
  /** Undefined: the upstream is given no signed word of who is calling. */
  readonly assertion?: Assertion | undefined;
  readonly policy: Policy;
  readonly log: Log;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  readonly ledger: OwnershipLedger;
  readonly lookup: OwnershipLookup;
  readonly learn: Learn;
  readonly origin: Origin;
  readonly lifetime: Lifetime;
  readonly audit: AuditSink;
  readonly counts: Metrics;
}

/** Above this a message is read and written in slices that do not hold others up. */
const LARGE_BYTES = 64 * 1024;

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

/** Returns the raw WebSockets, attached to no server yet. */
export const webSocketPlane = (options: WebSocketPlaneOptions): WebSockets => {
  const { config, policy, log, ledger, lookup, learn, counts } = options;
  const { url } = config.upstream;
  const { packetsPerSecond, burst, perUser, perAddress } = config.sockets;
  const paced = inbound({ accept: new Map(), packetsPerSecond, burst });
  const life = messageLife({
    read: (bytes) => (bytes.length > LARGE_BYTES ? readStrictJson(bytes) : parseStrictJson(bytes)),
    write: async (value, bytes) =>
      bytes > LARGE_BYTES ? Buffer.concat(await writeJsonInSlices(value)) : writeJson(value),
    conform,
    judge: messages,
    ownersOf: lookup.ownersOf,
    claims: claims({ ledger, lookup, presence: probe(options.origin) }),
    learn: (ref, parent, owner) => learn({ ref, parent, origin: 'event' }, owner),
    count: (outcome, because) => counts.event(outcome, because),
    report: (error, what) => log.error({ err: error }, what),
  });
  return webSockets({
    rules: () => policy.webSockets,
    canonical: options.canonical,
    origins: allowedOrigins(config.listen),
    identify: identifier(options),
    limit: options.limit.visitor,
    lifetime: options.lifetime,
    maxSocketsPerOwner: perUser,
    maxSocketsPerAddress: perAddress,
    ownersOf: lookup.ownersOf,
    // Nothing of the client's but who it is.
    headers: (request, principal, target) => [
      ...outboundHeaders({ ...request, headers: NO_HEADERS }, principal, true),
      ...assertionHeaders(options.assertion, request, { principal, target }),
    ],
    dial: webSocketDial({ url }),
    bore: tunnelTo({ url }),
    life,
    pace() {
      const judge = paced();
      return (nowMillis) => judge.packet(undefined, nowMillis) === 'fine';
    },
    onDecision: options.audit,
  });
};
