/** The codes with which a WebSocket is closed (RFC 6455, section 7.4): ours, and what becomes of the other side's. */
import { type ReasonCode, reasons } from './reason.ts';

export interface Closing {
  /** Undefined: without a code. */
  readonly code: number | undefined;
  readonly reason: string;
}

/** For these there is a code of the protocol's own. */
const OF_THE_PROTOCOL: Readonly<Record<number, number>> = { 413: 1009, 415: 1003 };

/** Returns how a client is told of a refusal that ends its connection: 4000 and the status, and the public code. */
export const closingFor = (reason: ReasonCode): Closing => {
  const { status, shownAs = reason }: { status: number; shownAs?: string } = reasons[reason];
  if (reason === 'shutting-down') return { code: 1012, reason: shownAs };
  return { code: OF_THE_PROTOCOL[status] ?? 4000 + status, reason: shownAs };
};

/** Says nothing more to somebody who was not at fault. */
export const GOING_AWAY: Closing = { code: 1001, reason: '' };

/** The codes that mean the same at the far side. 1002 and 1010 are about the near connection alone. */
const PASSED_ON: ReadonlySet<number> = new Set([1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014]);

/** A frame of control holds 125 bytes, of which the code takes two. */
const MAX_REASON_BYTES = 123;

/**
 * Returns what the far side is told of how the near one closed, or undefined when that vanished without a word: 1006 is
 * never sent, and neither are 1005 and 1015.
 */
export const passedOn = (code: number, reason: Buffer): Closing | undefined => {
  if (code === 1006) return undefined;
  if (code === 1005) return { code: undefined, reason: '' };
  const text = reason.length <= MAX_REASON_BYTES ? reason.toString('utf8') : '';
  if (PASSED_ON.has(code) || (code >= 3000 && code <= 4999)) return { code, reason: text };
  return { code: 1011, reason: '' };
};
