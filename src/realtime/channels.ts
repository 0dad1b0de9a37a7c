/** The port to the open sockets: one channel for each owner, however many tabs and devices hear it. */
import type { UpstreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import type { ResourceRef } from '../model/resource.ts';

export interface Channels {
  /**
   * Returns the number of sockets to which it went. Costs what the owner has open, not the number of all sockets. `refs`
   * are what made it the owner's: who hears it later must still own them then.
   */
  send(owner: Owner, event: UpstreamEvent, refs: readonly ResourceRef[]): number;
}

/** The port to the sockets that the policy is not in effect for. */
export interface Unfiltered {
  /** Sends to all of them, whoever's the event is, and returns their number. A later `send` of it passes them over. */
  broadcast(event: UpstreamEvent): number;
  /** The number of sockets in shadow, and of those among them that are not this owner's. */
  inShadow(owner: Owner | undefined): { readonly all: number; readonly others: number };
}

/** The gateway's own word to everybody that the policy is in effect for. */
export interface Announcements {
  /** Sends the event `gateway`, now or on the return of those who are away. Returns the number of sockets that got it. */
  announce(notice: JsonObject): number;
}

/** Where the log of an owner stands. */
export interface MissedLog {
  /** Another one for each log that begins. */
  readonly epoch: string;
  /** Of the event that was sent last, or of none yet. */
  readonly head: number;
  /** Open sockets whose clients can come back to it. */
  readonly sockets: number;
}

export interface Remembered<Kept> {
  readonly kept: Kept;
  /** The memory that it holds. */
  readonly bytes: number;
  readonly refs: readonly ResourceRef[];
}

export interface MissedEvent<Kept> extends Remembered<Kept> {
  readonly offset: number;
}

/** The port to the logs of what was sent, one for each owner who has a client that can come back for it. */
export interface MissedEvents<Kept> {
  /** The log of an owner, begun when there is none; undefined when none may be. */
  begin(owner: Owner): MissedLog | undefined;
  /** The log of an owner; undefined when there is none. */
  of(owner: Owner): MissedLog | undefined;
  /** All logs. */
  logs(): Iterable<MissedLog>;
  /** A socket more. The log lasts as long as there is one. Returns false when it is over already. */
  enter(log: MissedLog): boolean;
  leave(log: MissedLog): void;
  /** Appends what was sent with the offset after `head`, which becomes the head. */
  keep(log: MissedLog, event: Remembered<Kept>): void;
  /** What was sent after an offset of an epoch, oldest first; `lost` when that is not known any more, or never was. */
  since(owner: Owner, epoch: string, offset: string | number): ReadonlyArray<MissedEvent<Kept>> | 'lost';
}
