/** The life of an event with a ledger in memory, and a log of all that becomes of events. */
import type { EventRule, EventTypeRule, UpstreamEvent } from '../../src/model/event.ts';
import { parseFieldPath } from '../../src/model/field-path.ts';
import type { Owner } from '../../src/model/principal.ts';
import { type OwnershipRecord, type ResourceRef, resourceKey } from '../../src/model/resource.ts';
import { type EventRefusal, type EventStages, eventLife } from '../../src/pipeline/event.ts';
import { type StoppedNotice, type StoppedRun, type WatchStages, watch } from '../../src/pipeline/event-watch.ts';
import { bare } from '../../src/realtime/bare.ts';
import { classify } from '../../src/realtime/classify.ts';
import { condemned } from '../../src/realtime/condemned.ts';
import { opens } from '../../src/realtime/opens.ts';
import { order } from '../../src/realtime/order.ts';
import { weigh } from '../../src/realtime/weigh.ts';
import { eventRules, file, sessionUpdate, update } from './session-events.ts';

interface Options extends Partial<EventStages> {
  readonly owned?: Record<string, Owner>;
  readonly asynchronous?: boolean;
  readonly maxEvents?: number;
}

export const line = ({ owned = {}, asynchronous = false, maxEvents = 100, ...stages }: Options = {}) => {
  const log: string[] = [];
  const refusals: EventRefusal[] = [];
  const failures: unknown[] = [];
  const delivered: UpstreamEvent[] = [];
  const ledger = new Map(Object.entries(owned));
  const queue = order({ maxEvents, failed: (error) => failures.push(error) });
  const find = (refs: readonly ResourceRef[]) => refs.map((ref) => ledger.get(resourceKey(ref)));
  const life = eventLife({
    classify: classify(eventRules),
    order: queue,
    weigh,
    ownersOf: (refs) => (asynchronous ? new Promise((resolve) => setImmediate(() => resolve(find(refs)))) : find(refs)),
    async learn(ref, parent, owner) {
      const known = ledger.get(resourceKey(ref));
      if (known !== undefined && known !== owner) return 'conflict';
      ledger.set(resourceKey(ref), owner);
      log.push(`learn ${resourceKey(ref)} below ${resourceKey(parent)}`);
      return known === undefined ? 'learned' : 'known';
    },
    runEnded: (ref) => void log.push(`ended ${ref.id}`),
    deliver(owner, event) {
      delivered.push(event);
      log.push(`${owner}: ${event.payload.text ?? event.payload.type}`);
      return 1;
    },
    count: (_, { because }) => void log.push(`drop ${because}`),
    audit: (refusal) => refusals.push(refusal),
    retryMillis: 1,
    ...stages,
  });
  return { life, log, refusals, failures, delivered, ledger, held: queue.held };
};

const typeOf = (more: Partial<EventTypeRule>): EventTypeRule => ({ learn: [], endsRun: false, ...more });

/** The rule of the small policy, with what an agent says of its calls. */
export const agentUpdate: EventRule = {
  ...sessionUpdate,
  types: new Map([
    ...sessionUpdate.types,
    ['error', typeOf({ endsRun: true })],
    [
      'tool_call_arguments',
      typeOf({ opens: { kind: file, text: parseFieldPath('text'), call: parseFieldPath('id') } }),
    ],
    [
      'tool_call_pending_confirmation',
      typeOf({
        pending: parseFieldPath('id'),
        opens: { kind: file, text: parseFieldPath('arguments'), call: undefined },
      }),
    ],
    ['tool_call_confirmed', typeOf({ settled: parseFieldPath('id') })],
  ]),
  cancel: '/api/cancel/{session}',
};

interface WatchedOptions extends Omit<Options, 'watch'> {
  readonly stages?: Partial<WatchStages>;
  /** Records of the ledger that are tombstones. */
  readonly deleted?: readonly string[];
}

/** The life of an event whose runs are watched, and what was done about them. */
export const watched = ({ stages, deleted = [], owned = {}, ...options }: WatchedOptions = {}) => {
  const stops: StoppedRun[] = [];
  const cancelled: Array<{ readonly target: string; readonly wanted: () => boolean }> = [];
  const notices: Array<StoppedNotice & { readonly owner: Owner }> = [];
  const buried: string[] = [];
  const asked: ResourceRef[] = [];
  const parts = { opens: opens(), condemned: condemned() };
  const recordOf = (ref: ResourceRef): OwnershipRecord | undefined => {
    const owner = found.ledger.get(resourceKey(ref));
    if (owner === undefined) return undefined;
    const state = deleted.includes(resourceKey(ref)) ? 'deleted' : 'owned';
    return { ...ref, owner, parent: undefined, state, origin: 'event', createdAtMillis: 0 };
  };
  const found = line({
    classify: classify(new Map([['session_update', agentUpdate]])),
    owned,
    ...options,
    watch: watch({
      ...parts,
      bare,
      async recordsOf(refs) {
        asked.push(...refs);
        return refs.map(recordOf);
      },
      async bury(ref) {
        buried.push(resourceKey(ref));
      },
      async cancel(target, wanted) {
        cancelled.push({ target, wanted });
      },
      modeOf: () => 'enforce',
      stopped: (run) => stops.push(run),
      tell: (owner, notice) => notices.push({ owner, ...notice }),
      ...stages,
    }),
  });
  return { ...found, ...parts, stops, cancelled, notices, buried, asked };
};

export const idle = async (held: () => { events: number }): Promise<void> => {
  while (held().events > 0) await new Promise(setImmediate);
};

export const alices = { 'session:s1': 'demo|alice', 'canvas:c1': 'demo|alice' };
export const text = (id: string, words: string, more: object = {}): UpstreamEvent =>
  update(id, 'delta', { text: words, ...more });

/** What an agent says of the arguments of a call. */
export const argument = (id: string, words: string, call = 'call-1'): UpstreamEvent =>
  update(id, 'tool_call_arguments', { id: call, text: words });

/** Bob's file, which Alice's agent may not open. */
export const BOBS = 'im_bobsfile.png';
export const watchedOwners = {
  ...alices,
  'session:s2': 'demo|alice',
  [`file:${BOBS}`]: 'demo|bob',
  'file:im_alicefil.png': 'demo|alice',
};

/** An agent is about to open this. */
export const opening = (name: string, id = 's1'): UpstreamEvent =>
  argument(id, JSON.stringify({ input_images: [name] }));
export const picture = (name = 'stolencopy.png', id = 's1'): UpstreamEvent =>
  update(id, 'image_generated', { image_url: `/api/file/${name}`, text: 'picture' });
export const done = (id = 's1'): UpstreamEvent => update(id, 'done', { text: 'the end' });

/** Lives events one after the other to the end of all. */
export const lived = async (found: ReturnType<typeof watched>, ...events: readonly UpstreamEvent[]) => {
  for (const event of events) found.life(event);
  await idle(found.held);
  return found;
};
