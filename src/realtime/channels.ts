/** The port to the open sockets: one channel for each owner, however many tabs and devices hear it. */
import type { JsonObject } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';

export interface Channels {
  /** Returns the number of sockets to which it went. Costs what the owner has open, not the number of all sockets. */
  send(owner: Owner, eventName: string, payload: JsonObject): number;
}

/** The port to the sockets that the policy is not in effect for. */
export interface Unfiltered {
  /** Sends to all of them, whoever's the event is, and returns their number. A later `send` of it passes them over. */
  broadcast(eventName: string, payload: JsonObject): number;
  /** The number of sockets in shadow, and of those among them that are not this owner's. */
  inShadow(owner: Owner | undefined): { readonly all: number; readonly others: number };
}
