/** The part of the composition that is live: the upstream's broadcast on one side, the clients' sockets on the other. */
import { randomUUID } from 'node:crypto';
import type { Authenticator } from './authn/authenticate.ts';
import type { Learn } from './authz/learn.ts';
import type { OwnershipLookup } from './authz/lookup.ts';
import type { Config } from './config/config.ts';
import type { AuditRecord, AuditSink } from './model/audit.ts';
import type { SocketRule } from './model/event.ts';
import type { Finding } from './model/finding.ts';
import type { Policy } from './model/policy.ts';
import { Rejection } from './model/rejection.ts';
import type { CanonicalRequest, RawRequest } from './model/request.ts';
import { type EventRefusal, eventLife, type Overhearing } from './pipeline/event.ts';
import type { Limit } from './ratelimit/limit.ts';
import type { Runs } from './ratelimit/runs.ts';
import { classify } from './realtime/classify.ts';
import { deliver } from './realtime/deliver.ts';
import { inbound } from './realtime/inbound.ts';
import { lifetime } from './realtime/lifetime.ts';
import { order } from './realtime/order.ts';
import { weigh } from './realtime/weigh.ts';
import { type Withheld, withheld } from './realtime/withheld.ts';
import { GREETING } from './server/socket-life.ts';
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
    inbound: inbound({ accept: { get: (name) => rule.accept.get(name) } }),
    lifetime: lifetime(),
    rollout: () => policy.rollout,
    limit: options.limit.visitor,
    origins: config.listen.origins,
    onDecision: audit,
  });
  const queue = order({ failed: (error) => log.error({ err: error }, 'an event could not be worked on') });
  const evidence = withheld({
    tell: (findings, events) => audit(shadowRecord(findings, `${events} events were heard`)),
  });
  const judge = ofTheLatest(classify);
  const deliverTo = ofTheLatest((kinds: Policy['resources']) =>
    deliver({
      channels: clients.channels,
      kinds: kinds.values(),
      delivered: (_name, count) => counts.event('delivered', 'none', count),
    }),
  );
  const live = eventLife({
    overhearing: overhearing({ clients, counts, evidence }),
    classify: (event) => judge(rule.deliver)(event),
    order: queue,
    weigh,
    ownersOf: lookup.ownersOf,
    learn: (ref, parent, owner) => learn({ ref, parent, origin: 'event' }, owner),
    runEnded({ id }) {
      runs.ended(id).catch((error: unknown) => log.error({ err: error }, 'a run could not be ended'));
    },
    deliver: (owner, event, eventRule) => deliverTo(policy.resources)(owner, event, eventRule),
    count: (_what, { because }) => counts.event('dropped', because),
    audit: (refusal) => audit(eventRecord(refusal, policy)),
  });
  const broadcast = connectBroadcast({ url: config.upstream.url, path: rule.path, notice: noticeTo(log) });
  broadcast.onEvent(live);
  broadcast.onGap((sinceMillis) => {
    counts.event('gap', 'upstream');
    log.warn({ sinceMillis }, 'events of the upstream were missed');
  });
  const close = (): Promise<void> => {
    evidence.flush();
    return clients.close();
  };
  return { sockets: { ...clients, close }, broadcast, path: rule.path, queued: () => queue.held().events };
};

interface OverhearingParts {
  readonly clients: Sockets;
  readonly counts: Metrics;
  readonly evidence: Withheld;
}

/** What those hear that the policy is not in effect for, and what it would have kept from them. */
const overhearing = ({ clients: { channels }, counts, evidence }: OverhearingParts): Overhearing => ({
  hear({ name, payload }) {
    // The upstream says this to the gateway alone, and the gateway has said it to each of its own.
    if (name === GREETING) return false;
    const heard = channels.broadcast(name, payload);
    if (heard > 0) counts.event('unfiltered', 'none', heard);
    return heard > 0 && channels.inShadow(undefined).all > 0;
  },
  judged({ event, type, owner, because }) {
    const { all, others } = channels.inShadow(owner);
    if (others > 0) counts.event('would-withhold', because ?? 'not-theirs', others);
    const kind = type === undefined ? event : `${event}/${type}`;
    const reason = because === undefined ? {} : { because };
    evidence.note({ would: 'withhold', event: kind.slice(0, 128), ...reason, sockets: others, of: all });
  },
});

/** What is made of a part of the policy is made once for each policy that goes live. */
const ofTheLatest = <Part, Made>(make: (part: Part) => Made): ((part: Part) => Made) => {
  let latest: { readonly part: Part; readonly made: Made } | undefined;
  return (part) => {
    if (latest?.part !== part) latest = { part, made: make(part) };
    return latest.made;
  };
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

/** The record of an event whose parts are not all of one owner: those for whom the policy is in effect do not hear it. */
const eventRecord = ({ because, event, type, owner, resources }: EventRefusal, { rollout }: Policy): AuditRecord => {
  const reason = because;
  const detail = `${event} of type ${type}`;
  const { mode } = rollout;
  const judged = { ...EVENT, ...moment(), owner, resources };
  if (mode === 'enforce') return { ...judged, outcome: 'refused', reason, detail };
  return { ...judged, mode, ...(mode === 'shadow' && { findings: [{ would: 'deny', reason, detail }] }) };
};

const shadowRecord = (findings: readonly Finding[], detail: string): AuditRecord => ({
  ...EVENT,
  ...moment(),
  detail,
  mode: 'shadow',
  findings,
});

const moment = () => ({ time: new Date().toISOString(), requestId: randomUUID() });

const EVENT: Omit<AuditRecord, 'time' | 'requestId'> = {
  kind: 'event',
  outcome: 'allowed',
  reason: undefined,
  detail: undefined,
  method: undefined,
  path: undefined,
  route: undefined,
  owner: undefined,
  address: '',
  resources: [],
  claims: [],
  status: undefined,
  upstreamStatus: undefined,
  stages: {},
  millis: 0,
};
