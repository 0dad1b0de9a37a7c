/** The life of an event with a ledger in memory, and a log of all that becomes of events. */
import type { UpstreamEvent } from '../../src/model/event.ts';
import type { Owner } from '../../src/model/principal.ts';
import { type ResourceRef, resourceKey } from '../../src/model/resource.ts';
import { type EventRefusal, type EventStages, eventLife } from '../../src/pipeline/event.ts';
import { classify } from '../../src/realtime/classify.ts';
import { order } from '../../src/realtime/order.ts';
import { weigh } from '../../src/realtime/weigh.ts';
import { eventRules, update } from './session-events.ts';

interface Options extends Partial<EventStages> {
  readonly owned?: Record<string, Owner>;
  readonly asynchronous?: boolean;
  readonly maxEvents?: number;
}

export const line = ({ owned = {}, asynchronous = false, maxEvents = 100, ...stages }: Options = {}) => {
  const log: string[] = [];
  const refusals: EventRefusal[] = [];
  const failures: unknown[] = [];
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
      log.push(`${owner}: ${event.payload.text ?? event.payload.type}`);
      return 1;
    },
    count: (_, { because }) => void log.push(`drop ${because}`),
    audit: (refusal) => refusals.push(refusal),
    retryMillis: 1,
    ...stages,
  });
  return { life, log, refusals, failures, ledger, held: queue.held };
};

export const idle = async (held: () => { events: number }): Promise<void> => {
  while (held().events > 0) await new Promise(setImmediate);
};

export const alices = { 'session:s1': 'demo|alice', 'canvas:c1': 'demo|alice' };
export const text = (id: string, words: string, more: object = {}): UpstreamEvent =>
  update(id, 'delta', { text: words, ...more });
