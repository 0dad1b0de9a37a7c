/**
 * The life of a live event: classify, order, locate its owner, check that what it names agrees, watch what its run is
 * about to open, learn, end the run, deliver. Whatever is not known for certain ends in a drop that is counted; there is
 * no "to everybody". Those for whom the policy is not in effect yet have heard it before, and what became of it is
 * evidence.
 */

import type { UpstreamEvent } from '../model/event.ts';
import type { Owner } from '../model/principal.ts';
import { type ResourceRef, resourceKey } from '../model/resource.ts';
import type { Classified, Deliverable } from '../realtime/classify.ts';
import type { Order, Overflow } from '../realtime/order.ts';
import { askAgain } from './ask-again.ts';
import type { Sight, Watch } from './event-watch.ts';

type Owners = ReadonlyArray<Owner | undefined>;

export type EventDrop =
  | Extract<Classified, { kind: 'drop' }>['because']
  | Overflow
  | 'unknown-owner'
  | 'event-disagrees'
  | 'learn-conflict'
  | 'ledger-unavailable'
  | 'run-condemned'
  | 'unwatched'
  | 'undeliverable';

/** What the audit is told of a drop that somebody may have caused on purpose. */
export interface EventRefusal {
  readonly because: 'event-disagrees' | 'learn-conflict';
  readonly event: string;
  readonly type: string;
  readonly owner: Owner;
  readonly resources: readonly ResourceRef[];
}

/** What became of an event that was overheard: its owner, or why it would have reached nobody. */
export interface EventFate {
  readonly event: string;
  readonly type: string | undefined;
  readonly owner: Owner | undefined;
  readonly because: EventDrop | undefined;
}

/** The sockets for which the policy is not in effect. */
export interface Overhearing {
  /** Sends them an event as it came. Returns true when its fate should be told. */
  readonly hear: (event: UpstreamEvent) => boolean;
  /** Called once for each such event. */
  readonly judged: (fate: EventFate) => void;
}

/** The calls that wait for a person's word. */
export interface WaitingCalls {
  /** Without an owner at once, whoever's it may be: an id that waits in two sessions is answered in neither. */
  readonly seen: (session: ResourceRef, owner: Owner | undefined, call: string) => void;
  readonly settled: (session: ResourceRef, call: string) => void;
}

export interface EventStages {
  readonly overhearing?: Overhearing;
  /** Undefined: an event that says what an agent is about to open is dropped. */
  readonly watch?: Watch;
  readonly calls?: WaitingCalls;
  readonly classify: (event: UpstreamEvent) => Classified;
  readonly order: Order;
  readonly weigh: (event: UpstreamEvent) => number;
  readonly ownersOf: (refs: readonly ResourceRef[]) => Owners | Promise<Owners>;
  /** Records an id that the server made, below its parent. */
  readonly learn: (ref: ResourceRef, parent: ResourceRef, owner: Owner) => Promise<'learned' | 'known' | 'conflict'>;
  readonly runEnded: (session: ResourceRef) => void;
  readonly deliver: (owner: Owner, event: UpstreamEvent, what: Deliverable) => number;
  readonly count: (what: 'events-dropped', labels: { readonly because: EventDrop; readonly event: string }) => void;
  readonly audit?: (refusal: EventRefusal) => void;
  readonly now?: () => number;
  /** For how long after it was heard an event waits for a ledger that cannot be read. */
  readonly patienceMillis?: number;
  readonly retryMillis?: number;
}

interface Line extends EventStages {
  readonly now: () => number;
  readonly patienceMillis: number;
  readonly retryMillis: number;
}

interface Arrived {
  readonly event: UpstreamEvent;
  readonly what: Classified;
  /** Its fate is to be told. */
  readonly overheard: boolean;
}

/** An event that is somebody's, perhaps: what it says, and since when it is here. */
interface Heard extends Arrived {
  readonly what: Deliverable;
  readonly refs: readonly ResourceRef[];
  readonly heardMillis: number;
}

interface Owned extends Heard {
  readonly owner: Owner;
}

/** Returns the listener for the broadcast. It never throws, and a rejection never gets out of it. */
export const eventLife = (stages: EventStages): ((event: UpstreamEvent) => void) => {
  const line: Line = { now: Date.now, patienceMillis: 10_000, retryMillis: 100, ...stages };

  return (event) => {
    // First of all: later steps wait, and change the payload in place.
    const overheard = overhear(line, event);
    const what = line.classify(event);
    if (what.kind === 'drop') return drop(line, { event, what, overheard }, what.because);
    if (what.pending !== undefined) line.calls?.seen(what.owner, undefined, what.pending);
    const heard: Heard = { event, what, overheard, refs: [what.owner, ...what.agree], heardMillis: line.now() };
    const weigh = (): number => line.weigh(event);
    const overflow = line.order.run(resourceKey(what.owner), weigh, (mayWait) => live(line, heard, mayWait));
    if (overflow === undefined) return;
    line.watch?.unheard(what);
    drop(line, heard, overflow);
    end(line, heard, undefined);
  };
};

const overhear = (line: Line, event: UpstreamEvent): boolean => {
  try {
    return line.overhearing?.hear(event) ?? false;
  } catch {
    line.count('events-dropped', { because: 'undeliverable', event: '' });
    return false;
  }
};

/** At once when the owner is known here and nothing else is to be asked; else a promise, or a drop when it may not wait. */
const live = (line: Line, heard: Heard, mayWait: boolean): void | Promise<void> => {
  const owners = attempt(() => line.ownersOf(heard.refs));
  if (isReady(owners)) {
    const owner = agreed(line, heard, owners);
    return owner === undefined ? end(line, heard, undefined) : proceed(line, { ...heard, owner }, mayWait);
  }
  if (mayWait) return whenLocated(line, heard, owners);
  owners.catch(() => undefined);
  return miss(line, heard, 'queue-events');
};

const whenLocated = async (line: Line, heard: Heard, asked: Promise<Owners>): Promise<void> => {
  let first: Promise<Owners> | undefined = asked;
  const owners = await patiently(line, heard, () => {
    const answer = first ?? line.ownersOf(heard.refs);
    first = undefined;
    return answer;
  });
  if (owners === undefined) return miss(line, heard, 'ledger-unavailable');
  const owner = agreed(line, heard, owners);
  if (owner === undefined) return end(line, heard, undefined);
  return proceed(line, { ...heard, owner }, true);
};

const proceed = (line: Line, heard: Owned, mayWait: boolean): void | Promise<void> => {
  const { learn, typeRule } = heard.what;
  if (line.watch === undefined && typeRule.opens !== undefined) return miss(line, heard, 'unwatched');
  const seen = line.watch?.look(heard) ?? 'fine';
  if (seen === 'fine' && learn.length === 0) return end(line, heard, heard.owner);
  if (seen === 'bare' || seen === 'withheld') {
    const buried = withhold(line, heard, seen);
    return mayWait ? buried : undefined;
  }
  if (!mayWait) return miss(line, heard, 'queue-events');
  return seen === 'fine' ? learnThenEnd(line, heard) : judgeThenEnd(line, heard, seen);
};

/** None of the session is heard before it is known whose it is what the agent is about to open. */
const judgeThenEnd = async (line: Line, heard: Owned, named: readonly ResourceRef[]): Promise<void> => {
  const seen = await patiently(line, heard, () => line.watch?.judge(heard, named) ?? 'withheld');
  if (seen === undefined) return miss(line, heard, 'ledger-unavailable');
  if (seen !== 'fine') return withhold(line, heard, seen);
  return heard.what.learn.length > 0 ? learnThenEnd(line, heard) : end(line, heard, heard.owner);
};

/** Of a condemned run nothing is heard but its end. What it made is nobody's, whenever that can be recorded. */
const withhold = (line: Line, heard: Owned, seen: Exclude<Sight, 'fine'>): void | Promise<void> => {
  const { watch } = line;
  if (seen === 'bare' && watch !== undefined) {
    const { event, what } = heard;
    end(line, { ...heard, event: watch.bare(event, what.rule), what: { ...what, pending: undefined } }, heard.owner);
  } else {
    drop(line, heard, 'run-condemned');
    end(line, heard, undefined);
  }
  if (watch === undefined || heard.what.learn.length === 0) return;
  return Promise.all(heard.what.learn.map((ref) => patiently(line, heard, () => watch.bury(ref)))).then(
    () => undefined,
  );
};

/** Returns the owner, or undefined after the drop of an event that is nobody's or not all of one owner. */
const agreed = (line: Line, heard: Heard, owners: Owners): Owner | undefined => {
  const [owner, ...others] = owners;
  if (owner === undefined) {
    drop(line, heard, 'unknown-owner');
    return undefined;
  }
  if (heard.what.agree.every((_, index) => others[index] === owner)) return owner;
  line.watch?.missed(heard.what);
  refuse(line, heard, { because: 'event-disagrees', owner });
  return undefined;
};

/** The owner hears of a file only when it is the owner's, or the first request for it would find nothing. */
const learnThenEnd = async (line: Line, heard: Owned): Promise<void> => {
  const { owner, what } = heard;
  const record = (ref: ResourceRef) => patiently(line, heard, () => line.learn(ref, what.owner, owner));
  const outcomes = await Promise.all(what.learn.map(record));
  if (outcomes.includes('conflict')) refuse(line, heard, { because: 'learn-conflict', owner });
  else if (outcomes.includes(undefined)) drop(line, heard, 'ledger-unavailable');
  else return end(line, heard, owner);
  end(line, heard, undefined);
};

/** The run is over whoever hears of it; its slot is free before the client can ask for the next one. */
const end = (line: Line, heard: Heard, owner: Owner | undefined): void => {
  const { event, what } = heard;
  if (what.typeRule.endsRun) line.runEnded(what.owner);
  if (what.settled !== undefined) line.calls?.settled(what.owner, what.settled);
  if (owner === undefined) return;
  // Before the client hears of the call: its answer may come at once.
  if (what.pending !== undefined) line.calls?.seen(what.owner, owner, what.pending);
  try {
    line.deliver(owner, event, what);
  } catch {
    drop(line, heard, 'undeliverable');
    return;
  }
  tellFate(line, heard, { owner, because: undefined });
};

/** A drop, in its order, before all was looked at. */
const miss = (line: Line, heard: Heard, because: EventDrop): void => {
  line.watch?.missed(heard.what);
  drop(line, heard, because);
  end(line, heard, undefined);
};

/** A failing ledger is asked again until the event has been here too long; `undefined` then. */
const patiently = <T>(line: Line, { heardMillis }: Heard, ask: () => T | Promise<T>): Promise<T | undefined> =>
  askAgain({ ...line, untilMillis: heardMillis + line.patienceMillis }, ask);

const drop = (line: Line, arrived: Arrived, because: EventDrop): void => {
  // The name of an unlisted event is the upstream's own choice: as a label it would not be bounded.
  const event = because === 'unlisted-event' ? '' : arrived.event.name;
  line.count('events-dropped', { because, event });
  tellFate(line, arrived, { owner: undefined, because });
};

const tellFate = (line: Line, arrived: Arrived, fate: Pick<EventFate, 'owner' | 'because'>): void => {
  const { event, what, overheard } = arrived;
  if (overheard) line.overhearing?.judged({ event: event.name, type: what.type, ...fate });
};

const refuse = (line: Line, heard: Heard, refusal: Pick<EventRefusal, 'because' | 'owner'>): void => {
  const { event, what } = heard;
  const tell = line.audit;
  drop(line, heard, refusal.because);
  tell?.({ ...refusal, event: event.name, type: what.type, resources: [...heard.refs, ...what.learn] });
};

const isReady = (owners: Owners | Promise<Owners>): owners is Owners => Array.isArray(owners);

const attempt = (ask: () => Owners | Promise<Owners>): Owners | Promise<Owners> => {
  try {
    return ask();
  } catch (error) {
    return Promise.reject(error);
  }
};
