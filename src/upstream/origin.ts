/** The ports to the server behind the gateway: its HTTP side, and its broadcast. */
import type { UpstreamEvent } from '../model/event.ts';
import type { OutboundRequest } from '../model/request.ts';
import type { UpstreamAnswer } from '../model/response.ts';

/** Set by the caller's side when the client is gone. Cheaper than an AbortSignal, of which each request would need one. */
export interface Cancellation {
  cancelled: boolean;
  onCancel: (() => void) | undefined;
}

export interface SmallAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: UpstreamAnswer['headers'];
  readonly body: Buffer;
  /** False when there was more than `maxBytes`. */
  readonly whole: boolean;
}

export interface Origin {
  /**
   * Resolves when the answer's head is there, or rejects with a Rejection whose reason tells what is known: with
   * `upstream-unreachable` and `upstream-resting` no byte of the request has left.
   */
  send(request: OutboundRequest, cancellation: Cancellation): Promise<UpstreamAnswer>;
  /** A small GET of the gateway's own, for probes and catalogues; what is beyond `maxBytes` is given up. */
  read(target: string, maxBytes: number): Promise<SmallAnswer>;
  /** False after the upstream could not be reached, until it can be again. */
  healthy(): boolean;
  close(): Promise<void>;
}

/** What the gateway itself asks the upstream to do. */
export interface Orders {
  /**
   * A POST of the gateway's own, without a body, sent once; what is beyond `maxBytes` of the answer is given up. Rejects
   * as `Origin.send` does.
   */
  post(target: string, maxBytes: number): Promise<SmallAnswer>;
}

export interface Broadcast {
  /** Every event of the upstream, in the order in which it was heard. */
  onEvent(listener: (event: UpstreamEvent) => void): void;
  /**
   * Connected again after a gap: of what the upstream sent between these times nothing was heard, or not all. The first
   * is when it was last heard, so a connection that died without notice counts from there.
   */
  onGap(listener: (sinceMillis: number, untilMillis: number) => void): void;
  connected(): boolean;
  close(): void;
}
