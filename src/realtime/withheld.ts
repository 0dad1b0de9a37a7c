/**
 * The evidence of live events: which would have been withheld from sockets that heard them only because the policy is
 * not in effect for these. Events come by the hundred, so they are told of by the window and by the kind.
 */
import type { Finding } from '../model/finding.ts';

type Withholding = Extract<Finding, { would: 'withhold' }>;

export interface Withheld {
  /** Counts one event. */
  note(event: Withholding): void;
  /** Tells of what was counted and not told yet. */
  flush(): void;
}

export interface WithheldOptions {
  /** Called with one finding for each kind of event of which something would have been withheld. */
  readonly tell: (findings: readonly Withholding[], events: number) => void;
  readonly windowMillis?: number;
  /** The upstream chooses the names of events; those beyond so many are counted together. */
  readonly maxKinds?: number;
}

const OTHERS = 'others';

/** Returns a counter that tells of each window in which something happened, when it is over. */
export const withheld = ({ tell, windowMillis = 10_000, maxKinds = 100 }: WithheldOptions): Withheld => {
  let kinds = new Map<string, Withholding>();
  let events = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const findings = [...kinds.values()].filter(({ sockets }) => sockets > 0);
    const heard = events;
    kinds = new Map();
    events = 0;
    if (findings.length > 0) tell(findings, heard);
  };

  return {
    note(event) {
      const key = `${event.event} ${event.because ?? ''}`;
      const known = kinds.get(key);
      const name = known !== undefined || kinds.size < maxKinds ? key : OTHERS;
      const sum = kinds.get(name) ?? (name === key ? { ...event, sockets: 0, of: 0 } : NOTHING);
      kinds.set(name, { ...sum, sockets: sum.sockets + event.sockets, of: sum.of + event.of });
      events += 1;
      timer ??= setTimeout(flush, windowMillis).unref();
    },
    flush,
  };
};

const NOTHING: Withholding = { would: 'withhold', event: OTHERS, sockets: 0, of: 0 };
