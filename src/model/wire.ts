/**
 * The ports of a WebSocket: one end of it while it is open, and the ways in which the upstream's end is reached. Two rooms
 * hold the library; what they hand on has this form, and nothing else of the library's.
 */
import type { Duplex } from 'node:stream';

export interface WireEvents {
  message: (data: Buffer, isBinary: boolean) => void;
  ping: () => void;
  pong: () => void;
  /** What the other side did against the protocol; `close` follows. */
  error: (error: Error & { readonly code?: string }) => void;
  /** 1005: without a code. 1006: without a close frame. */
  close: (code: number, reason: Buffer) => void;
}

/** One end of an open WebSocket. It answers pings and closing handshakes by itself. */
export interface Wire {
  /** The sub-protocol that was agreed upon, or an empty text. */
  readonly protocol: string;
  /** 1 while it is open. */
  readonly readyState: number;
  /** What was sent and has not left this process. */
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  send(data: Buffer, options: { readonly binary: boolean }, left: (error?: Error) => void): void;
  ping(): void;
  /** Reads nothing more until `resume`; what was read already still comes. */
  pause(): void;
  resume(): void;
  /** Begins the closing handshake, which ends within a bound. */
  close(code?: number, reason?: string): void;
  terminate(): void;
  on<Name extends keyof WireEvents>(event: Name, listener: WireEvents[Name]): unknown;
}

export const OPEN = 1;

/** What the upstream is told of a connection. Nothing else of the client's reaches it. */
export interface UpstreamCall {
  readonly target: string;
  /** Names and values alternating. */
  readonly headers: readonly string[];
  /** Those that the upstream may choose from. */
  readonly subprotocols: readonly string[];
}

/**
 * Resolves to the upstream's end, which is paused until it is listened to; or rejects with a Rejection, without anything
 * being left open, also when the signal says that nobody wants it any more.
 */
export type Dial = (call: UpstreamCall & { readonly maxBytes: number }, signal: AbortSignal) => Promise<Wire>;

/** A connection to the upstream on which its handshake has succeeded. */
export interface Tunnel {
  /** The upstream's answer to the client's key, which is the right one. */
  readonly accepted: string;
  /** The sub-protocol that the upstream chose. */
  readonly subprotocol: string | undefined;
  /** The bytes after the handshake. To destroy it is to destroy the connection. */
  readonly stream: Duplex;
}

/** As `Dial`, for bytes. `key` is the client's. */
export type Bore = (call: UpstreamCall & { readonly key: string }, signal: AbortSignal) => Promise<Tunnel>;

/**
 * The bounds of the parts that a message of so many bytes may arrive in: a million empty fragments are no message of any
 * length (ws CVE-2026-48779). The library's types do not know their names.
 */
export const partsOf = (maxBytes: number): object => ({
  maxFragments: Math.max(1_024, maxBytes >> 10),
  maxBufferedChunks: Math.max(1_024, maxBytes >> 8),
});
