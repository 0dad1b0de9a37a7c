/** The ports to the server behind the gateway: its HTTP side, and its broadcast. */
import type { UpstreamEvent } from '../model/event.ts';
import type { OutboundRequest } from '../model/request.ts';
import type { UpstreamAnswer } from '../model/response.ts';

export interface Origin {
  /**
   * Resolves when the answer's head is there, or rejects with a Rejection whose reason tells what is known: with
   * `upstream-unreachable` and `upstream-resting` no byte of the request has left. `signal` gives the call up.
   */
  send(request: OutboundRequest, signal: AbortSignal): Promise<UpstreamAnswer>;
  /** Small reads of the gateway's own (probes, catalogues). Reads at most `maxBytes`, then gives the rest up. */
  read(target: string, maxBytes: number): Promise<{ status: number; body: Buffer; whole: boolean }>;
  /** True while the upstream is thought to be alive. */
  healthy(): boolean;
  close(): Promise<void>;
}

export interface Broadcast {
  /** Every event of the upstream, in the order in which it was heard. */
  onEvent(listener: (event: UpstreamEvent) => void): void;
  /** Connected again after a gap in what was heard. */
  onGap(listener: (sinceMillis: number) => void): void;
  connected(): boolean;
  close(): void;
}
