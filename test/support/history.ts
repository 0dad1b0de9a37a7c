/** The memory of missed events as the sockets use it, with a set clock and a table of owners. */
import type { MissedRule } from '../../src/model/event.ts';
import type { Owner } from '../../src/model/principal.ts';
import { type ResourceRef, resourceKey } from '../../src/model/resource.ts';
import { type MissedOptions, missedEvents } from '../../src/realtime/missed.ts';
import type { History, KeptFrame, Returned } from '../../src/server/socket-channels.ts';

export const missedRule: MissedRule = { ageMillis: 120_000, maxEvents: 1_000, maxBytes: 8 << 20 };

export type TestHistory = ReturnType<typeof testHistory>;

export const testHistory = (
  options: Partial<MissedOptions> & Partial<Pick<History, 'ownersOf' | 'patienceMillis'>> = {},
) => {
  let clock = 1_800_000_000_000;
  /** By kind and id: whose it is now. */
  const owners = new Map<string, Owner>();
  const returned: Returned[] = [];
  const missed = missedEvents<KeptFrame>({ rule: () => missedRule, now: () => clock, ...options });
  const { ownersOf = (refs) => refs.map((ref) => owners.get(resourceKey(ref))), patienceMillis = 500 } = options;
  const history: History = { missed, ownersOf, patienceMillis, returned: (outcome) => returned.push(outcome) };
  return {
    history,
    missed,
    returned,
    owners,
    advance(millis: number): void {
      clock += millis;
    },
    /** The reference of a session, which is this owner's. */
    session(id: string, owner: Owner): readonly ResourceRef[] {
      const ref = { kind: 'session', id };
      owners.set(resourceKey(ref), owner);
      return [ref];
    },
  };
};
