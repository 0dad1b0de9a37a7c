/** What was sent to an owner yesterday may be another's today: asked again before it is sent to a client that was away. */
import type { Owner } from '../model/principal.ts';
import { type ResourceRef, resourceKey } from '../model/resource.ts';
import type { History, Owners } from './socket-channels.ts';

interface Sent {
  readonly refs: readonly ResourceRef[];
}

const PATIENCE_MILLIS = 2_000;
const RETRY_MILLIS = 50;
/** In one look-up. */
const MAX_REFS = 500;

/**
 * Returns those of the events of which everything is the owner's now, in their order; undefined when that could not be
 * known in time. Never rejects.
 */
export const stillTheirs = async <Event extends Sent>(
  { ownersOf, patienceMillis = PATIENCE_MILLIS }: Pick<History, 'ownersOf' | 'patienceMillis'>,
  owner: Owner,
  events: readonly Event[],
): Promise<readonly Event[] | undefined> => {
  const untilMillis = performance.now() + patienceMillis;
  const named = new Map(events.flatMap(({ refs }) => refs.map((ref) => [resourceKey(ref), ref])));
  const keys = [...named.keys()];
  const refs = [...named.values()];
  const foreign = new Set<string>();
  for (let from = 0; from < refs.length; from += MAX_REFS) {
    const asked = refs.slice(from, from + MAX_REFS);
    const owners = await patiently(() => ownersOf(asked), untilMillis);
    if (owners === undefined) return undefined;
    for (const index of asked.keys()) if (owners[index] !== owner) foreign.add(keys[from + index] ?? '');
  }
  if (foreign.size === 0) return events;
  return events.filter((event) => event.refs.every((ref) => !foreign.has(resourceKey(ref))));
};

/** A look-up that fails is tried again for as long as there is time. */
const patiently = async (ask: () => Owners | Promise<Owners>, untilMillis: number): Promise<Owners | undefined> => {
  for (let pause = RETRY_MILLIS; ; pause *= 2) {
    try {
      return await before(untilMillis, ask());
    } catch {
      if (performance.now() + pause > untilMillis) return undefined;
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
    }
  }
};

const before = async <T>(untilMillis: number, answer: T | Promise<T>): Promise<T> => {
  if (!(answer instanceof Promise)) return answer;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(reject, Math.max(0, untilMillis - performance.now()), new Error('late')).unref();
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
};
