/** HOW WE ARE SEEN, in numbers: the metrics of the admin listener. A label is never a client's text. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client';
import type { AuditRecord } from '../model/audit.ts';

/** What is read at each scrape. */
export interface Gauges {
  readonly sockets: () => number;
  readonly runs: () => number;
  readonly queuedEvents: () => number;
  /** What clients have not read yet, in bytes. */
  readonly waitingBytes: () => number;
  /** What is kept for clients that are away. */
  readonly missed: () => { readonly owners: number; readonly events: number; readonly bytes: number };
  readonly upstreamConnected: () => boolean;
  readonly auditDropped: () => number;
  /** What is revoked at the moment. */
  readonly revocations?: (() => number) | undefined;
  /** Undefined where the policy cannot change. */
  readonly policy?: (() => PolicyNumbers) | undefined;
}

/** Which policy is live, and how it came to be. */
export interface PolicyNumbers {
  readonly generation: number;
  readonly name: string;
  readonly mode: string;
  readonly sha256: string;
  /** Unix time in milliseconds; 0 where there was none. */
  readonly lastSuccessMillis: number;
  readonly lastFailureMillis: number;
  /** Since the start. */
  readonly failures: number;
}

export interface Metrics {
  /** Counts a decision. */
  record(record: AuditRecord): void;
  /** Counts what happened to events: delivered, dropped, heard in shadow, and why. */
  event(outcome: string, because: string, amount?: number): void;
  /** Counts an event that the policy does not list; the caller bounds how many kinds there are. */
  unlisted(kind: { readonly event: string; readonly type: string }): void;
  /**
   * Measures how long after the end of its authority a socket was out of its channel; early is 0. `unanswered`: nobody could
   * be asked whether it goes on.
   */
  authorityLag(because: 'expiry' | 'revocation' | 'unanswered', millis: number): void;
  /** Sets where the gauges are read from; called once, when everything is built. */
  observe(gauges: Gauges): void;
  /** The text of a scrape, and its content type. */
  scrape(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** The bound within which an authority that ended ends what lives by it, on every replica. */
const AUTHORITY_BOUND_SECONDS = 1;

const LAG_SECONDS = [0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, AUTHORITY_BOUND_SECONDS, 2.5, 5, 10];

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300, 900];

export const metrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { decisions, duration, events, unlisted, lag } = instruments(registry);
  const counted = tallies();
  const timers = new Map<string, { observe(seconds: number): void }>();

  return {
    record({ kind, route = 'none', outcome, reason = 'none', millis }) {
      counted.add({ kind, route, outcome, reason });
      if (kind !== 'request') return;
      let timer = timers.get(route);
      if (timer === undefined) {
        timer = duration.labels({ route });
        timers.set(route, timer);
      }
      timer.observe(millis / 1000);
    },
    event: (outcome, because, amount = 1) => events.inc({ outcome, because }, amount),
    unlisted: ({ event, type }) => unlisted.inc({ event, type }),
    authorityLag: (because, millis) => lag.observe({ because }, millis / 1000),
    observe: (gauges) => registerGauges(registry, gauges),
    async scrape() {
      counted.take((labels, amount) => decisions.inc(labels, amount));
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
};

type DecisionLabels = Readonly<Record<'kind' | 'route' | 'outcome' | 'reason', string>>;

/** Counts decisions until somebody wants to know: the library puts a key together of all labels at each count. */
const tallies = () => {
  /** By route; there are few of each. */
  const all = new Map<string, Array<{ readonly labels: DecisionLabels; amount: number }>>();

  return {
    add({ kind, route, outcome, reason }: DecisionLabels): void {
      let ofRoute = all.get(route);
      if (ofRoute === undefined) {
        ofRoute = [];
        all.set(route, ofRoute);
      }
      for (const tally of ofRoute) {
        const { labels } = tally;
        if (labels.outcome !== outcome || labels.reason !== reason || labels.kind !== kind) continue;
        tally.amount += 1;
        return;
      }
      ofRoute.push({ labels: { kind, route, outcome, reason }, amount: 1 });
    },

    /** Hands over what was counted since the last time. */
    take(to: (labels: DecisionLabels, amount: number) => void): void {
      for (const ofRoute of all.values()) {
        for (const tally of ofRoute) {
          to(tally.labels, tally.amount);
          tally.amount = 0;
        }
      }
    },
  };
};

const instruments = (registry: Registry) => ({
  decisions: new Counter({
    name: 'gateway_decisions_total',
    help: 'Decisions by route, outcome and reason.',
    labelNames: ['kind', 'route', 'outcome', 'reason'],
    registers: [registry],
  }),
  duration: new Histogram({
    name: 'gateway_request_duration_seconds',
    help: 'Seconds from the request’s head to the end of its answer.',
    labelNames: ['route'],
    buckets: SECONDS,
    registers: [registry],
  }),
  events: new Counter({
    name: 'gateway_events_total',
    help: 'Upstream events delivered, dropped, unfiltered and would-withhold by socket, with the reason.',
    labelNames: ['outcome', 'because'],
    registers: [registry],
  }),
  unlisted: new Counter({
    name: 'gateway_events_unlisted_total',
    help: 'Upstream events that the policy does not list, by event and type.',
    labelNames: ['event', 'type'],
    registers: [registry],
  }),
  lag: new Histogram({
    name: 'gateway_socket_authority_lag_seconds',
    help: 'Seconds from the end of an authority until its socket was out of its channel; early is 0. Of those that are unanswered, because nobody could be asked whether they go on, the bound does not hold.',
    labelNames: ['because'],
    buckets: LAG_SECONDS,
    registers: [registry],
  }),
});

const registerGauges = (registry: Registry, gauges: Gauges): void => {
  const gauge = (name: string, help: string, read: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('gateway_sockets', 'Open client sockets.', gauges.sockets);
  gauge('gateway_runs', 'Runs whose end is awaited.', gauges.runs);
  gauge('gateway_events_queued', 'Events that wait for an owner.', gauges.queuedEvents);
  gauge('gateway_sockets_waiting_bytes', 'What clients have not read yet.', gauges.waitingBytes);
  gauge('gateway_missed_owners', 'Owners of whom events are kept.', () => gauges.missed().owners);
  gauge('gateway_missed_events', 'Events that are kept for clients that are away.', () => gauges.missed().events);
  gauge('gateway_missed_bytes', 'The bytes of these.', () => gauges.missed().bytes);
  gauge('gateway_upstream_connected', '1 while the broadcast is heard.', () => (gauges.upstreamConnected() ? 1 : 0));
  gauge(
    'gateway_socket_authority_bound_seconds',
    'The bound that gateway_socket_authority_lag_seconds keeps.',
    () => AUTHORITY_BOUND_SECONDS,
  );
  gauge('gateway_revocations', 'Revocations that are in effect.', gauges.revocations ?? (() => 0));
  gauge('gateway_audit_dropped', 'Audit records that could not be written.', gauges.auditDropped);
  if (gauges.policy !== undefined) registerPolicy(registry, gauges.policy);
};

const registerPolicy = (registry: Registry, read: () => PolicyNumbers): void => {
  const registers = [registry];
  const number = (name: string, help: string, value: (numbers: PolicyNumbers) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value(read()));
      },
    });
  number('gateway_policy_generation', 'The generation of the policy that is live.', ({ generation }) => generation);
  number(
    'gateway_policy_last_reload_success_timestamp_seconds',
    'When a policy was last loaded.',
    ({ lastSuccessMillis }) => lastSuccessMillis / 1000,
  );
  number(
    'gateway_policy_last_reload_failure_timestamp_seconds',
    'When a changed policy was last refused; 0: never.',
    ({ lastFailureMillis }) => lastFailureMillis / 1000,
  );
  new Gauge({
    name: 'gateway_policy_info',
    help: 'Always 1; its labels say which policy is live.',
    labelNames: ['name', 'mode', 'sha256'],
    registers,
    collect() {
      const { name, mode, sha256 } = read();
      this.reset();
      this.set({ name, mode, sha256 }, 1);
    },
  });
  new Counter({
    name: 'gateway_policy_reload_failures_total',
    help: 'Changed policies that were refused.',
    registers,
    collect() {
      this.reset();
      this.inc(read().failures);
    },
  });
};
