/** A live event: as the upstream broadcast it, and the compiled rule that says to whom it goes. */
import type { FieldPath, JsonObject } from './json.ts';
import type { ResourceKind } from './resource.ts';

export interface UpstreamEvent {
  /** The Socket.IO event name, such as `session_update`. */
  readonly name: string;
  readonly payload: JsonObject;
}

/** A place in a message that holds an id of a kind, or an URL of it below `ResourceKind.url`. */
export interface EventReference {
  readonly kind: ResourceKind;
  readonly path: FieldPath;
}

export interface EventTypeRule {
  /** Ids that the server itself made and that become the owner's before the owner hears of them. */
  readonly learn: readonly EventReference[];
  /** True when the event ends the run of its session. */
  readonly endsRun: boolean;
}

/** How events of one name are delivered. */
export interface EventRule {
  readonly name: string;
  /** The resource whose owner hears the event. */
  readonly owner: EventReference;
  /** Further resources that, where they are named, must be of the same owner. */
  readonly agree: readonly EventReference[];
  /** The field that holds the type, and the closed table of types. */
  readonly typePath: FieldPath;
  readonly types: ReadonlyMap<string, EventTypeRule>;
  /** Absolute URLs of the upstream become relative. */
  readonly relativeUrls: boolean;
}

/** A client's own events that are answered by the gateway itself: the name, and the name of the reply. */
export type AcceptedEvents = ReadonlyMap<string, string>;

export interface SocketRule {
  readonly path: string;
  /** Where a token may stand in the handshake. */
  readonly credentials: ReadonlySet<'auth' | 'header' | 'query'>;
  readonly deliver: ReadonlyMap<string, EventRule>;
  readonly accept: AcceptedEvents;
}
