/** A live event: as the upstream broadcast it, and the compiled rule that says to whom it goes. */
import type { FieldPath, JsonObject } from './json.ts';
import type { ResourceKind } from './resource.ts';

export interface UpstreamEvent {
  /** The Socket.IO event name, such as `session_update`. */
  readonly name: string;
  readonly payload: JsonObject;
  /** The binary parts, in the order of the placeholders (`{ _placeholder, num }`) that stand for them in the payload. */
  readonly attachments?: readonly Buffer[];
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
  /** The place of the id of a call that now waits for the word of the event's owner. */
  readonly pending?: FieldPath | undefined;
  /** The place of the id of a call that waits no longer. */
  readonly settled?: FieldPath | undefined;
  /** What an agent says that it is about to open. */
  readonly opens?: OpensRule | undefined;
  /** Places at which the value is replaced. */
  readonly redact?: readonly FieldPath[] | undefined;
}

/** A text in which an agent names what it is about to open, as the arguments of a call do. */
export interface OpensRule {
  readonly kind: ResourceKind;
  /** The place of the text. */
  readonly text: FieldPath;
  /** The place of the id of the call: texts of one call are parts of one whole. Undefined: each text is whole. */
  readonly call: FieldPath | undefined;
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
  /** How a run is ended at the upstream: a POST to this path, in which `{kind}` stands for the id of the event's owner. */
  readonly cancel?: string | undefined;
}

/** A client's own events that are answered by the gateway itself: the name, and the name of the reply. */
export type AcceptedEvents = ReadonlyMap<string, string>;

/** What a client that was away may still get. */
export interface MissedRule {
  readonly ageMillis: number;
  /** Of one owner. */
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** A Socket.IO endpoint. */
export interface SocketRule {
  readonly path: string;
  readonly transports: ReadonlySet<'websocket' | 'polling'>;
  /** Undefined: nothing is kept for clients that were away. */
  readonly missed: MissedRule | undefined;
  /** Where a token may stand in the handshake. */
  readonly credentials: ReadonlySet<'auth' | 'header' | 'query'>;
  readonly deliver: ReadonlyMap<string, EventRule>;
  readonly accept: AcceptedEvents;
}
