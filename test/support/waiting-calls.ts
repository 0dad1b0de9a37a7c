/** Calls that wait for a word, with a clock that the test sets. */
import { type PendingCallsOptions, pendingCalls } from '../../src/authz/pending.ts';

export const MINUTE = 60_000;
export const session = (id: string) => ({ kind: 'session', id });

export const waitingCalls = (options: PendingCallsOptions = {}) => {
  const clock = { millis: 1_000 };
  const calls = pendingCalls({ now: () => clock.millis, ...options });
  let requests = 0;
  return {
    clock,
    size: () => calls.size,
    seen: (id: string, owner: string | undefined, call: string) => calls.seen(session(id), owner, call),
    settled: (id: string, call: string) => calls.settled(session(id), call),
    take: (id: string, owner: string, ...[call, request]: [call: string, request?: string]) => {
      requests += 1;
      return calls.take({ place: session(id), owner, call }, request ?? `request ${requests}`);
    },
    giveBack: (id: string, owner: string, ...[call, request]: [call: string, request: string]) =>
      calls.giveBack({ place: session(id), owner, call }, request),
  };
};
