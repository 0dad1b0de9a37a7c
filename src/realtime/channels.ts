/** The port to the open sockets: one channel for each owner, however many tabs and devices hear it. */
import type { JsonObject } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';

export interface Channels {
  /** Returns the number of sockets to which it went. Costs what the owner has open, not the number of all sockets. */
  send(owner: Owner, eventName: string, payload: JsonObject): number;
}
