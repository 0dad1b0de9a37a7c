/**
 * What a client missed, sent to it: made again from what is kept, once for all who read it at the same time, and in turns,
 * so that a crowd that comes back with megabytes to read holds nobody else up.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MissedEvent } from '../realtime/channels.ts';
import type { KeptFrame, Reader } from './socket-channels.ts';
import { type Frame, frame } from './socket-frame.ts';

export type Missed = ReadonlyArray<MissedEvent<KeptFrame>>;

/** Sends events to a client for as long as it reads; resolves when it was given the last of them. */
export const replay = async (reader: Reader, events: Missed): Promise<void> => {
  for (const { offset, kept } of events) {
    if (spent >= TURN_BYTES) await turn();
    if (!reader.open) return;
    spent += kept.bytes + PACKET_BYTES * (1 + kept.attachments.length);
    reader.pass(offset, again(kept));
  }
};

/** What all of them together are sent in one turn of the event loop. */
const TURN_BYTES = 512 << 10;

/** A packet costs something, however small it is; and the wire has to take a thousand before it is given more. */
const PACKET_BYTES = 512;

/** There is one event loop, whatever runs on it. */
let spent = 0;
let last: Promise<void> = Promise.resolve();

/** First come, first served. */
const turn = (): Promise<void> => {
  last = last.then(async () => {
    if (spent < TURN_BYTES) return;
    await nextTurn();
    spent = 0;
  });
  return last;
};

/** Held by those who wait to be read, and by nothing else. */
const made = new WeakMap<KeptFrame, WeakRef<Frame>>();

/** Made again for the few who ask for it: what was encoded for the wire is not kept. Its offset is its last argument. */
const again = (kept: KeptFrame): Frame => {
  const known = made.get(kept)?.deref();
  if (known !== undefined) return known;
  const fresh = frame(kept.text, kept.attachments);
  made.set(kept, new WeakRef(fresh));
  return fresh;
};
