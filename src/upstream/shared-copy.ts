/**
 * One copy of what is the same for everybody (`list_models`, `list_tools`), however many callers ask: asked for without a
 * word of theirs, once at a time. The upstream freezes while it makes such an answer (contract, section 3).
 */
import type { Freshness } from '../model/freshness.ts';
import { Rejection } from '../model/rejection.ts';
import type { BodySource } from '../model/response.ts';
import type { Origin, SmallAnswer } from './origin.ts';

export interface SharedCopies {
  /** Resolves to the copy, or to the upstream's refusal; rejects as Origin.read does where there is no usable copy. */
  copyOf(target: string, freshness: Freshness): Promise<SmallAnswer>;
  /** For a copy that turned out to be of no use. */
  forget(target: string): void;
}

const MAX_BYTES = 8 * 1024 * 1024;
/** Targets are the policy's, but policies change while the gateway runs. */
const MAX_COPIES = 64;
/** For how long an upstream that failed is spared where an older copy stands in. */
const REST_MILLIS = 1_000;

interface Entry {
  kept: { readonly answer: SmallAnswer; readonly atMillis: number } | undefined;
  underWay: Promise<SmallAnswer> | undefined;
  restUntil: number;
}

/** Returns the origin, of which answers are shared where a request says so. */
export const shareCopies = (origin: Origin, now: () => number = Date.now): Origin & SharedCopies => {
  const copies = sharedCopies(origin, now);
  return {
    ...origin,
    ...copies,
    send(request, cancellation) {
      const { cache, target } = request;
      if (cache === undefined) return origin.send(request, cancellation);
      // A client that leaves does not end what others wait for.
      return copies
        .copyOf(target, cache)
        .then(({ status, headers, body }) => ({ status, headers, body: sourceOf(body) }));
    },
  };
};

/** Returns the copies alone. */
export const sharedCopies = (origin: Pick<Origin, 'read'>, now: () => number = Date.now): SharedCopies => {
  const entries = new Map<string, Entry>();

  const entryOf = (target: string): Entry => {
    const entry = entries.get(target) ?? { kept: undefined, underWay: undefined, restUntil: 0 };
    // Told anew, so that the first of the map is the one that was not asked for the longest.
    entries.delete(target);
    entries.set(target, entry);
    const [oldest] = entries.keys();
    if (entries.size > MAX_COPIES && oldest !== undefined) entries.delete(oldest);
    return entry;
  };

  const fetch = async (target: string, entry: Entry): Promise<SmallAnswer> => {
    try {
      const answer = await origin.read(target, MAX_BYTES);
      if (isShareable(answer)) entry.kept = { answer, atMillis: now() };
      return answer;
    } finally {
      entry.underWay = undefined;
    }
  };

  return {
    async copyOf(target, { maxAgeMillis, staleMillis }) {
      const entry = entryOf(target);
      const { kept } = entry;
      const age = kept === undefined ? Number.POSITIVE_INFINITY : now() - kept.atMillis;
      if (kept !== undefined && age < maxAgeMillis) return kept.answer;
      const standIn = age < maxAgeMillis + staleMillis ? kept?.answer : undefined;
      if (standIn !== undefined && now() < entry.restUntil) return standIn;
      entry.underWay ??= fetch(target, entry);
      try {
        const answer = await entry.underWay;
        if (answer.status < 500 && answer.whole) return answer;
        if (standIn === undefined) return requireWhole(answer);
      } catch (error) {
        if (standIn === undefined) throw error;
      }
      entry.restUntil = now() + REST_MILLIS;
      return standIn;
    },

    forget: (target) => void entries.delete(target),
  };
};

/** An answer with a cookie was meant for one caller; one of another status tells of a moment. */
const isShareable = ({ status, headers, whole }: SmallAnswer): boolean =>
  status === 200 && whole && headers['set-cookie'] === undefined;

const requireWhole = (answer: SmallAnswer): SmallAnswer => {
  if (answer.whole) return answer;
  throw new Rejection('answer-too-large', `what is shared is larger than ${MAX_BYTES} bytes`);
};

const sourceOf = (body: Buffer): BodySource => ({
  whole: () => body,
  pipe(sink) {
    sink.write(body);
    sink.end();
  },
  resume: () => undefined,
  abort: () => undefined,
});
