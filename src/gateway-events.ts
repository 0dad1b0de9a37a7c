/** The part of the composition that is live: the upstream's broadcast on one side, the clients' sockets on the other. */
import type { Learn } from './authz/learn.ts';
import type { PendingCalls } from './authz/pending.ts';
import { eventRecord, shadowRecord } from './gateway-event-records.ts';
import { type SocketPlaneOptions, socketPlane } from './gateway-sockets.ts';
import { runWatch } from './gateway-watch.ts';
import type { Policy } from './model/policy.ts';
import { type EventStages, eventLife, type Overhearing } from './pipeline/event.ts';
import type { Runs } from './ratelimit/runs.ts';
import { classify } from './realtime/classify.ts';
import { deliver } from './realtime/deliver.ts';
import { order } from './realtime/order.ts';
import { unlisted } from './realtime/unlisted.ts';
import { weigh } from './realtime/weigh.ts';
import { type Withheld, withheld } from './realtime/withheld.ts';
import { GREETING } from './server/socket-life.ts';
import type { Sockets } from './server/sockets.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { type BroadcastNotice, connectBroadcast } from './upstream/broadcast.ts';
import type { Broadcast, Orders } from './upstream/origin.ts';

export interface EventPlane {
  readonly sockets: Sockets;
  readonly broadcast: Broadcast;
  readonly path: string;
  /** Events that wait for an owner. */
  queued(): number;
  /** What clients have not read yet. */
  waitingBytes(): number;
  /** What is kept for clients that are away. */
  missed(): { readonly owners: number; readonly events: number; readonly bytes: number };
}

export interface EventPlaneOptions extends SocketPlaneOptions {
  readonly log: Log;
  readonly learn: Learn;
  readonly calls: PendingCalls;
  readonly runs: Runs;
  readonly orders: Orders;
}

/** Returns the live side, already connecting to the upstream. */
export const eventPlane = (options: EventPlaneOptions): EventPlane => {
  const { config, policy, rule, log, lookup, learn, runs, audit, counts } = options;
  const { clients, missed, waitingBytes } = socketPlane(options);
  const queue = order({ failed: (error) => log.error({ err: error }, 'an event could not be worked on') });
  const evidence = withheld({
    tell: (findings, events) => audit(shadowRecord(findings, `${events} events were heard`)),
  });
  const deliverTo = ofTheLatest((kinds: Policy['resources']) =>
    deliver({
      channels: clients.channels,
      kinds: kinds.values(),
      delivered: (_name, count) => counts.event('delivered', 'none', count),
    }),
  );
  const watching = runWatch({
    ...options,
    channels: clients.channels,
    stopped: (run) => audit(eventRecord(run, policy)),
  });
  const live = eventLife({
    watch: watching.watch,
    calls: options.calls,
    overhearing: overhearing({ clients, counts, evidence }),
    classify: classifier(options),
    order: queue,
    weigh,
    ownersOf: lookup.ownersOf,
    learn: (ref, parent, owner) => learn({ ref, parent, origin: 'event' }, owner),
    runEnded({ id }) {
      runs.ended(id).catch((error: unknown) => log.error({ err: error }, 'a run could not be ended'));
    },
    deliver: (owner, event, what) => deliverTo(policy.resources)(owner, event, what),
    count: (_what, { because }) => counts.event('dropped', because),
    audit: (refusal) => audit(eventRecord(refusal, policy)),
  });
  const broadcast = connectBroadcast({ url: config.upstream.url, path: rule.path, notice: noticeTo(options) });
  broadcast.onEvent(live);
  broadcast.onGap((sinceMillis, untilMillis) => {
    counts.event('gap', 'upstream');
    log.warn({ sinceMillis, untilMillis }, 'events of the upstream were missed');
    clients.channels.announce({ type: 'gap', sinceMillis, untilMillis });
  });
  const close = async (): Promise<void> => {
    evidence.flush();
    watching.close();
    await clients.close();
    missed.close();
  };
  return {
    sockets: { ...clients, close },
    broadcast,
    path: rule.path,
    queued: () => queue.held().events,
    waitingBytes,
    missed: missed.held,
  };
};

/** Classifies by the rules that are live; what they do not list is told of. */
const classifier = ({ rule, log, counts }: EventPlaneOptions): EventStages['classify'] => {
  const judge = ofTheLatest(classify);
  const unheard = unlisted({
    tell: (kind, events) => log.warn({ ...kind, events }, 'the upstream sends events that the policy does not list'),
    count: counts.unlisted,
  });
  return (event) => {
    const what = judge(rule.deliver)(event);
    // The greeting is the gateway's own to hear.
    const isUnlisted = what.kind === 'drop' && UNLISTED.has(what.because) && event.name !== GREETING;
    if (isUnlisted) unheard.note(event.name, what.type);
    return what;
  };
};

const UNLISTED: ReadonlySet<string> = new Set(['unlisted-event', 'unlisted-type']);

interface OverhearingParts {
  readonly clients: Sockets;
  readonly counts: Metrics;
  readonly evidence: Withheld;
}

/** What those hear that the policy is not in effect for, and what it would have kept from them. */
const overhearing = ({ clients: { channels }, counts, evidence }: OverhearingParts): Overhearing => ({
  hear(event) {
    // The upstream says this to the gateway alone, and the gateway has said it to each of its own.
    if (event.name === GREETING) return false;
    const heard = channels.broadcast(event);
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

/** Events that cannot be passed on come by the hundred too, so they are told of as those that are not listed are. */
const noticeTo = ({ log, counts }: EventPlaneOptions) => {
  const unread = unlisted({
    tell: ({ event }, events) => log.warn({ event, events }, 'payload-dropped'),
    count: () => counts.event('dropped', 'payload-invalid'),
  });
  return ({ kind, detail }: BroadcastNotice): void => {
    if (kind === 'payload-dropped') unread.note(detail, undefined);
    else if (kind === 'broadcast-connected') log.info({}, kind);
    else log.warn({ detail }, kind);
  };
};
