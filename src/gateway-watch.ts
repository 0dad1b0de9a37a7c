/** The part of the composition that watches runs: by what one is stopped, and who is told. */
import type { Learn } from './authz/learn.ts';
import type { OwnershipLookup } from './authz/lookup.ts';
import { type Mode, modeFor } from './model/mode.ts';
import type { Policy } from './model/policy.ts';
import type { Owner } from './model/principal.ts';
import { type StoppedRun, type Watch, watch } from './pipeline/event-watch.ts';
import { bare } from './realtime/bare.ts';
import type { Channels, Unfiltered } from './realtime/channels.ts';
import { condemned } from './realtime/condemned.ts';
import { opens } from './realtime/opens.ts';
import type { Log } from './telemetry/log.ts';
import { type CancelNotice, cancel } from './upstream/cancel.ts';
import type { Orders } from './upstream/origin.ts';

export interface RunWatchOptions {
  readonly policy: Policy;
  readonly log: Log;
  readonly lookup: Pick<OwnershipLookup, 'records'>;
  readonly learn: Learn;
  readonly orders: Orders;
  readonly channels: Channels & Pick<Unfiltered, 'inShadow'>;
  readonly stopped: (run: StoppedRun) => void;
}

/** Owns what stopped runs made. No issuer has an empty alias, so nobody is this owner. */
const NOBODY: Owner = '|withheld';

/** Returns the watch, and what ends the asking for cancellations. */
export const runWatch = ({ policy, log, lookup, learn, orders, channels, stopped }: RunWatchOptions): RunWatch => {
  const closing = new AbortController();
  const notice = ({ kind, ...fields }: CancelNotice): void =>
    kind === 'run-cancelled' ? log.info(fields, kind) : log.warn(fields, kind);
  /** An event says whose it is, but not which roles that user has: who looks on with a socket is known to look on. */
  const modeOf = (owner: Owner | undefined): Mode => {
    const { all, others } = channels.inShadow(owner);
    return all > others ? 'shadow' : modeFor(policy.rollout, owner === undefined ? undefined : { owner, roles: [] });
  };
  return {
    watch: watch({
      opens: opens(),
      condemned: condemned(),
      bare,
      recordsOf: lookup.records,
      bury: (ref) => learn({ ref, parent: undefined, origin: 'event' }, NOBODY),
      cancel: cancel({ orders, notice, signal: closing.signal }),
      modeOf,
      stopped,
      tell(owner, notice) {
        channels.send(owner, { name: 'gateway', payload: { ...notice } }, [{ kind: notice.kind, id: notice.id }]);
      },
    }),
    close: () => closing.abort(),
  };
};

export interface RunWatch {
  readonly watch: Watch;
  close(): void;
}
