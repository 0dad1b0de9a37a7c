/**
 * The sockets that the policy is not in effect for hear every event when it comes, before its owner is known. Who has heard
 * it then is remembered, so that nobody hears it twice.
 */
import type { UpstreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { Mode } from '../model/mode.ts';
import type { Owner } from '../model/principal.ts';
import { eventFrame, type Frame } from './socket-frame.ts';
import type { Peer } from './socket-peer.ts';

/** What was heard is remembered by its number: a socket has heard the broadcasts after `from`, up to `to`. */
export interface UnfilteredPlace {
  readonly peer: Peer;
  readonly owner: Owner | undefined;
  mode: Mode;
  from: number;
  to: number;
}

export interface Hearers<Place extends UnfilteredPlace = UnfilteredPlace> {
  readonly members: ReadonlySet<Place>;
  /** Of the broadcast that the event was, if it was one. */
  readonly number: number | undefined;
}

/** The sockets that the policy is not in effect for. */
export const unfilteredPlaces = () => {
  const places = new Set<UnfilteredPlace>();
  const shadows = counter();
  /** The broadcasts by their payload: no other mark of an event lives until its owner is known. */
  const numbers = new WeakMap<JsonObject, number>();
  let last = 0;
  return {
    move(place: UnfilteredPlace, mode: Mode): void {
      if (place.mode === 'shadow') shadows.change(place.owner, -1);
      if (mode === 'shadow') shadows.change(place.owner, 1);
      if (mode === 'enforce') {
        if (places.delete(place)) place.to = last;
      } else if (!places.has(place)) {
        places.add(place);
        place.from = last;
        place.to = Number.POSITIVE_INFINITY;
      }
      place.mode = mode;
    },
    broadcast(event: UpstreamEvent): number {
      if (places.size === 0) return 0;
      last += 1;
      numbers.set(event.payload, last);
      return sendTo({ members: places, number: undefined }, event);
    },
    numberOf: (payload: JsonObject): number | undefined => (last === 0 ? undefined : numbers.get(payload)),
    inShadow: (owner: Owner | undefined) => ({ all: shadows.all(), others: shadows.all() - shadows.of(owner) }),
  };
};

/** True for a socket that heard an event when it was broadcast. */
export const hasHeard = ({ from, to }: UnfilteredPlace, number: number | undefined): boolean =>
  number !== undefined && number > from && number <= to;

/** Sends an event to those who have not heard it, and returns their number. */
export const sendTo = ({ members, number }: Hearers, { name, payload, attachments }: UpstreamEvent): number => {
  let frame: Frame | undefined;
  let count = 0;
  // A member that is cut off meanwhile is not met any more.
  for (const place of members) {
    if (hasHeard(place, number)) continue;
    frame ??= eventFrame(name, [payload], attachments);
    place.peer.send(frame);
    count += 1;
  }
  return count;
};

/** Sockets by owner, without a walk through them. */
const counter = () => {
  const counts = new Map<Owner | undefined, number>();
  let all = 0;
  return {
    all: () => all,
    /** Nobody's event is no unknown caller's own. */
    of: (owner: Owner | undefined): number => (owner === undefined ? 0 : (counts.get(owner) ?? 0)),
    change(owner: Owner | undefined, by: 1 | -1): void {
      const count = (counts.get(owner) ?? 0) + by;
      if (count === 0) counts.delete(owner);
      else counts.set(owner, count);
      all += by;
    },
  };
};
