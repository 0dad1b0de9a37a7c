/**
 * The life of a live event: classify, order, locate its owner, check that what it names agrees, learn, end the run,
 * deliver. Whatever is not known for certain ends in a drop that is counted; there is no "to everybody".
 */
import type { UpstreamEvent } from '../model/event.ts';
import type { Owner } from '../model/principal.ts';
import { type ResourceRef, resourceKey } from '../model/resource.ts';
import type { Classified } from '../realtime/classify.ts';
import type { Order, Overflow } from '../realtime/order.ts';

type Owners = ReadonlyArray<Owner | undefined>;
type Deliverable = Extract<Classified, { kind: 'deliver' }>;

export type EventDrop =
  | Extract<Classified, { kind: 'drop' }>['because']
  | Overflow
  | 'unknown-owner'
  | 'event-disagrees'
  | 'learn-conflict'
  | 'ledger-unavailable'
  | 'undeliverable';

/** What the audit is told of a drop that somebody may have caused on purpose. */
export interface EventRefusal {
  readonly because: 'event-disagrees' | 'learn-conflict';
  readonly event: string;
  readonly type: string;
  readonly owner: Owner;
  readonly resources: readonly ResourceRef[];
}

export interface EventStages {
  readonly classify: (event: UpstreamEvent) => Classified;
  readonly order: Order;
  readonly weigh: (payload: UpstreamEvent['payload']) => number;
  readonly ownersOf: (refs: readonly ResourceRef[]) => Owners | Promise<Owners>;
  /** Records an id that the server made, below its parent. */
  readonly learn: (ref: ResourceRef, parent: ResourceRef, owner: Owner) => Promise<'learned' | 'known' | 'conflict'>;
  readonly runEnded: (session: ResourceRef) => void;
  readonly deliver: (owner: Owner, event: UpstreamEvent, rule: Deliverable['rule']) => number;
  readonly count: (what: 'events-dropped', labels: { readonly because: EventDrop; readonly event: string }) => void;
  readonly audit?: (refusal: EventRefusal) => void;
  readonly now?: () => number;
  /** For how long after it was heard an event waits for a ledger that cannot be read. */
  readonly patienceMillis?: number;
  readonly retryMillis?: number;
}

/** Returns the listener for the broadcast. It never throws, and a rejection never gets out of it. */
export const eventLife = (stages: EventStages): ((event: UpstreamEvent) => void) => {
  const { now = Date.now, patienceMillis = 10_000, retryMillis = 100 } = stages;

  const drop = (because: EventDrop, event: string): void => stages.count('events-dropped', { because, event });

  const refuse = (because: EventRefusal['because'], event: UpstreamEvent, found: Found): void => {
    drop(because, event.name);
    const { owner, agree, learn, type } = found.what;
    const resources = [owner, ...agree, ...learn];
    stages.audit?.({ because, event: event.name, type, owner: found.owner, resources });
  };

  /** A failing ledger is asked again until patience ends; `undefined` then. */
  const patiently = async <T>(ask: () => T | Promise<T>, sinceMillis: number): Promise<T | undefined> => {
    for (let pause = retryMillis; ; pause = Math.min(pause * 2, retryMillis * 10)) {
      try {
        return await ask();
      } catch {
        if (now() - sinceMillis + pause > patienceMillis) return undefined;
        await new Promise((resolve) => setTimeout(resolve, pause).unref());
      }
    }
  };

  const agreed = (event: UpstreamEvent, what: Deliverable, owners: Owners): Found | undefined => {
    const [owner, ...others] = owners;
    if (owner === undefined) {
      drop('unknown-owner', event.name);
      return undefined;
    }
    const found = { what, owner };
    if (what.agree.every((_, index) => others[index] === owner)) return found;
    refuse('event-disagrees', event, found);
    return undefined;
  };

  const learned = async (event: UpstreamEvent, found: Found, sinceMillis: number): Promise<boolean> => {
    const { learn, owner: session } = found.what;
    const record = (ref: ResourceRef) => patiently(() => stages.learn(ref, session, found.owner), sinceMillis);
    const outcomes = await Promise.all(learn.map(record));
    if (outcomes.includes('conflict')) refuse('learn-conflict', event, found);
    else if (outcomes.includes(undefined)) drop('ledger-unavailable', event.name);
    else return true;
    return false;
  };

  const end = (event: UpstreamEvent, what: Deliverable, owner: Owner | undefined): void => {
    // The run is over whoever hears of it; its slot is free before the client can ask for the next one.
    if (what.typeRule.endsRun) stages.runEnded(what.owner);
    if (owner === undefined) return;
    try {
      stages.deliver(owner, event, what.rule);
    } catch {
      drop('undeliverable', event.name);
    }
  };

  const slowly = async (event: UpstreamEvent, what: Deliverable, asked: Asked): Promise<void> => {
    let first: Promise<Owners> | undefined = asked.owners;
    const ask = (): Owners | Promise<Owners> => {
      const owners = first ?? stages.ownersOf(asked.refs);
      first = undefined;
      return owners;
    };
    const owners = await patiently(ask, asked.heardMillis);
    if (owners === undefined) drop('ledger-unavailable', event.name);
    const found = owners && agreed(event, what, owners);
    if (found !== undefined && what.learn.length > 0) return finish(event, found, asked.heardMillis);
    end(event, what, found?.owner);
  };

  const finish = async (event: UpstreamEvent, found: Found, sinceMillis: number): Promise<void> =>
    end(event, found.what, (await learned(event, found, sinceMillis)) ? found.owner : undefined);

  return (event) => {
    const what = stages.classify(event);
    // The name of an unlisted event is the upstream's own choice: as a label it would not be bounded.
    if (what.kind === 'drop') return drop(what.because, what.because === 'unlisted-event' ? '' : event.name);
    const heardMillis = now();
    const refs = [what.owner, ...what.agree];

    const overflow = stages.order.run(
      resourceKey(what.owner),
      () => stages.weigh(event.payload),
      (mayWait) => {
        const owners = attempt(() => stages.ownersOf(refs));
        if (isReady(owners)) {
          const found = agreed(event, what, owners);
          if (found === undefined || what.learn.length === 0) return end(event, what, found?.owner);
          if (mayWait) return finish(event, found, heardMillis);
        } else if (mayWait) {
          return slowly(event, what, { owners, refs, heardMillis });
        } else {
          owners.catch(() => undefined);
        }
        drop('queue-events', event.name);
        return end(event, what, undefined);
      },
    );
    if (overflow === undefined) return;
    drop(overflow, event.name);
    end(event, what, undefined);
  };
};

interface Found {
  readonly what: Deliverable;
  readonly owner: Owner;
}

interface Asked {
  readonly owners: Promise<Owners>;
  readonly refs: readonly ResourceRef[];
  readonly heardMillis: number;
}

const isReady = (owners: Owners | Promise<Owners>): owners is Owners => Array.isArray(owners);

const attempt = (ask: () => Owners | Promise<Owners>): Owners | Promise<Owners> => {
  try {
    return ask();
  } catch (error) {
    return Promise.reject(error);
  }
};
