/** One live event, lived by the very stages that the gateway runs, with an ear for each owner instead of sockets. */
import { learn as learner } from '../../authz/learn.ts';
import { ownershipLookup } from '../../authz/lookup.ts';
import type { OwnershipLedger } from '../../authz/ownership.ts';
import type { UpstreamEvent } from '../../model/event.ts';
import type { JsonObject } from '../../model/json.ts';
import type { Policy } from '../../model/policy.ts';
import type { Owner } from '../../model/principal.ts';
import type { ResourceRef } from '../../model/resource.ts';
import { type EventDrop, eventLife } from '../../pipeline/event.ts';
import { type StoppedRun, watch } from '../../pipeline/event-watch.ts';
import { bare } from '../../realtime/bare.ts';
import { classify } from '../../realtime/classify.ts';
import { condemned } from '../../realtime/condemned.ts';
import { deliver } from '../../realtime/deliver.ts';
import { opens } from '../../realtime/opens.ts';
import { type Order, order } from '../../realtime/order.ts';
import { weigh } from '../../realtime/weigh.ts';
import { nearOwnershipCache } from '../../store/memory/near-ownership-cache.ts';

/** What became of an event. */
export interface Heard {
  /** Who heard it, and what. */
  readonly delivered: ReadonlyArray<{ readonly owner: Owner; readonly payload: JsonObject }>;
  readonly dropped: EventDrop | undefined;
  readonly learned: readonly ResourceRef[];
  /** The sessions whose run it ended. */
  readonly ended: readonly ResourceRef[];
  /** The calls that wait for the owner's answer from now on, and those that wait no longer. */
  readonly pending: readonly string[];
  readonly settled: readonly string[];
  /** Why its run was stopped; undefined where it was not. */
  readonly stopped: StoppedRun['because'] | undefined;
  /** What the server was asked for, to end the run. */
  readonly cancelled: readonly string[];
}

interface HearingOptions {
  readonly policy: Policy;
  readonly ledger: OwnershipLedger;
}

/** Returns the function that lives one event to its end; throws a TypeError for a policy without a socket. */
export const hearing = ({ policy, ledger }: HearingOptions): ((event: UpstreamEvent) => Promise<Heard>) => {
  const [rule] = policy.sockets;
  if (rule === undefined) throw new TypeError('The policy has no socket.');
  const lookup = ownershipLookup({ ledger, near: nearOwnershipCache(NEAR), common: undefined });
  const learn = learner(ledger);
  const queue = waitingOrder();
  let heard = silence();
  const live = eventLife({
    classify: classify(rule.deliver),
    order: queue.order,
    weigh,
    ownersOf: lookup.ownersOf,
    async learn(ref, parent, owner) {
      const outcome = await learn({ ref, parent, origin: 'event' }, owner);
      if (outcome === 'learned') heard.learned.push(ref);
      return outcome;
    },
    runEnded: (session) => void heard.ended.push(session),
    calls: {
      seen(_place: ResourceRef, owner: Owner | undefined, call: string) {
        if (owner !== undefined) heard.pending.push(call);
      },
      settled: (_place, call) => void heard.settled.push(call),
    },
    watch: watch({
      opens: opens(),
      condemned: condemned(),
      bare,
      recordsOf: lookup.records,
      bury: async () => undefined,
      async cancel(target) {
        heard.cancelled.push(`POST ${target}`);
      },
      modeOf: () => 'enforce',
      stopped(run) {
        heard.stopped = run.because;
      },
      tell: () => undefined,
    }),
    deliver: deliver({
      channels: {
        send(owner, { payload }) {
          heard.delivered.push({ owner, payload });
          return 1;
        },
      },
      kinds: policy.resources.values(),
    }),
    count(_what, { because }) {
      heard.dropped = because;
    },
  });
  return async (event) => {
    heard = silence();
    live(event);
    await queue.idle();
    return heard;
  };
};

const NEAR = { maxEntries: 10_000, maxAgeMillis: 60_000 };

const silence = () => ({
  delivered: [] as { owner: Owner; payload: JsonObject }[],
  dropped: undefined as EventDrop | undefined,
  learned: [] as ResourceRef[],
  ended: [] as ResourceRef[],
  pending: [] as string[],
  settled: [] as string[],
  stopped: undefined as StoppedRun['because'] | undefined,
  cancelled: [] as string[],
});

/** The order of events, and a way to wait until nothing is under way. */
const waitingOrder = (): { readonly order: Order; readonly idle: () => Promise<void> } => {
  let underWay: void | Promise<void>;
  let fault: { readonly error: unknown } | undefined;
  const queue = order({
    failed(error) {
      fault = { error };
    },
  });
  return {
    order: {
      ...queue,
      run: (key, weight, work) =>
        queue.run(key, weight, (mayWait) => {
          underWay = work(mayWait);
          return underWay;
        }),
    },
    async idle() {
      const last = underWay;
      underWay = undefined;
      await last;
      if (fault !== undefined) throw fault.error;
    },
  };
};
