/** The part of the composition that is live: the upstream's broadcast on one side, the clients' sockets on the other. */
import { randomUUID } from 'node:crypto';
import type { Authenticator } from './authn/authenticate.ts';
import type { Learn } from './authz/learn.ts';
import type { OwnershipLookup } from './authz/lookup.ts';
import type { Config } from './config/config.ts';
import type { AuditSink } from './model/audit.ts';
import type { SocketRule } from './model/event.ts';
import type { Policy } from './model/policy.ts';
import { Rejection } from './model/rejection.ts';
import type { CanonicalRequest, RawRequest } from './model/request.ts';
import { type EventRefusal, eventLife } from './pipeline/event.ts';
import type { Limit } from './ratelimit/limit.ts';
import type { Runs } from './ratelimit/runs.ts';
import { classify } from './realtime/classify.ts';
import { deliver } from './realtime/deliver.ts';
import { inbound } from './realtime/inbound.ts';
import { lifetime } from './realtime/lifetime.ts';
import { order } from './realtime/order.ts';
import { weigh } from './realtime/weigh.ts';
import { type Sockets, sockets } from './server/sockets.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { type BroadcastNotice, connectBroadcast } from './upstream/broadcast.ts';
import type { Broadcast } from './upstream/origin.ts';

export interface EventPlane {
  readonly sockets: Sockets;
  readonly broadcast: Broadcast;
  readonly path: string;
  /** Events that wait for an owner. */
  queued(): number;
}

export interface EventPlaneOptions {
  readonly config: Config;
  readonly policy: Policy;
  readonly rule: SocketRule;
  readonly log: Log;
  readonly authenticator: Authenticator;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
  readonly lookup: OwnershipLookup;
  readonly learn: Learn;
  readonly runs: Runs;
  readonly limit: Limit;
  readonly audit: AuditSink;
  readonly counts: Metrics;
}

/** Returns the live side, already connecting to the upstream. */
export const eventPlane = (options: EventPlaneOptions): EventPlane => {
  const { config, policy, rule, log, lookup, learn, runs, audit, counts } = options;
  const clients = sockets({
    rule,
    verify: verifier(options),
    canonical: options.canonical,
    inbound: inbound({ accept: rule.accept }),
    lifetime: lifetime(),
    limit: options.limit.visitor,
    origins: config.listen.origins,
    onDecision: audit,
  });
  const queue = order({ failed: (error) => log.error({ err: error }, 'an event could not be worked on') });
  const live = eventLife({
    classify: classify(rule.deliver),
    order: queue,
    weigh,
    ownersOf: lookup.ownersOf,
    learn: (ref, parent, owner) => learn({ ref, parent, origin: 'event' }, owner),
    runEnded({ id }) {
      runs.ended(id).catch((error: unknown) => log.error({ err: error }, 'a run could not be ended'));
    },
    deliver: deliver({
      channels: clients.channels,
      kinds: policy.resources.values(),
      delivered: (_name, count) => counts.event('delivered', 'none', count),
    }),
    count: (_what, { because }) => counts.event('dropped', because),
    audit: (refusal) => audit(eventRecord(refusal)),
  });
  const broadcast = connectBroadcast({ url: config.upstream.url, path: rule.path, notice: noticeTo(log) });
  broadcast.onEvent(live);
  broadcast.onGap((sinceMillis) => {
    counts.event('gap', 'upstream');
    log.warn({ sinceMillis }, 'events of the upstream were missed');
  });
  return { sockets: clients, broadcast, path: rule.path, queued: () => queue.held().events };
};

/** A handshake that fails counts as a failed authentication, like a request that does. */
const verifier =
  ({ authenticator, limit }: EventPlaneOptions) =>
  async (token: string, address: string) => {
    try {
      return await authenticator.verify(token);
    } catch (error) {
      if (error instanceof Rejection && error.status === 401) await limit.failed(address);
      throw error;
    }
  };

const noticeTo =
  (log: Log) =>
  ({ kind, detail }: BroadcastNotice): void =>
    kind === 'broadcast-connected' ? log.info({}, kind) : log.warn({ detail }, kind);

/** The record of an event that was withheld because what it names is not all of one owner. */
const eventRecord = ({ because, event, type, owner, resources }: EventRefusal): Parameters<AuditSink>[0] => ({
  time: new Date().toISOString(),
  kind: 'event',
  requestId: randomUUID(),
  outcome: 'refused',
  reason: because === 'learn-conflict' ? 'learn-conflict' : 'event-disagrees',
  detail: `${event} of type ${type}`,
  method: undefined,
  path: undefined,
  route: undefined,
  owner,
  address: '',
  resources,
  claims: [],
  status: undefined,
  upstreamStatus: undefined,
  stages: {},
  millis: 0,
});
