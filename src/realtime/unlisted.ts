/**
 * What the upstream sends and the policy does not list: nobody hears it, so the operator must. A new release of the
 * upstream has new events, which come by the hundred and under names of its own choice; both are bounded here.
 */
export interface UnlistedKind {
  readonly event: string;
  /** `none` where the event itself is not listed. */
  readonly type: string;
}

export interface Unlisted {
  /** Counts one event; `type` is undefined where its name is not listed. */
  note(event: string, type: string | undefined): void;
}

export interface UnlistedOptions {
  /** Called with the first event of a kind, and then with the sum of them at most once in `everyMillis`. */
  readonly tell: (kind: UnlistedKind, events: number) => void;
  /** Called for each event. Of all kinds but the first `maxKinds` both words are `other`. */
  readonly count: (kind: UnlistedKind) => void;
  readonly everyMillis?: number;
  readonly maxKinds?: number;
  /** Monotonic. */
  readonly now?: () => number;
}

interface Known {
  readonly kind: UnlistedKind;
  toldMillis: number;
  /** Since it was told. */
  events: number;
}

const OTHER: UnlistedKind = { event: 'other', type: 'other' };

/** What is longer, or holds other characters, is no name that a programmer gave; it may be a user's text. */
const NAME = /^[\w.:/ -]{1,64}$/;

/** Returns a counter that has told of nothing, or throws a TypeError for a bound below 1. */
export const unlisted = (options: UnlistedOptions): Unlisted => {
  const { tell, count, everyMillis = 3_600_000, maxKinds = 50, now = () => performance.now() } = options;
  if (!(everyMillis >= 1) || !(maxKinds >= 1)) throw new TypeError('everyMillis and maxKinds must be at least 1');
  const known = new Map<string, Known>();
  const others: Known = { kind: OTHER, toldMillis: Number.NEGATIVE_INFINITY, events: 0 };

  const find = (event: string, type = 'none'): Known => {
    if (!NAME.test(event) || !NAME.test(type)) return others;
    const key = JSON.stringify([event, type]);
    const found = known.get(key);
    if (found !== undefined || known.size >= maxKinds) return found ?? others;
    const fresh = { kind: { event, type }, toldMillis: Number.NEGATIVE_INFINITY, events: 0 };
    known.set(key, fresh);
    return fresh;
  };

  return {
    note(event, type) {
      const one = find(event, type);
      one.events += 1;
      count(one.kind);
      const nowMillis = now();
      if (nowMillis - one.toldMillis < everyMillis) return;
      tell(one.kind, one.events);
      one.toldMillis = nowMillis;
      one.events = 0;
    },
  };
};
