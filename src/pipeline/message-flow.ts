/**
 * One direction of a raw WebSocket: messages are judged and handed on one after the other, in the order in which they came,
 * however long the judgement of one takes. Who is read from waits for who is written to, so that what is held is bounded.
 */
import { Rejection } from '../model/rejection.ts';
import { OPEN, type Wire } from '../model/wire.ts';
import type { JudgeMessage, Message, Verdict } from './message-line.ts';

export interface FlowBounds {
  /** Messages that wait for judgement; beyond them the source is not read from. */
  readonly holdMessages: number;
  readonly holdBytes: number;
  /** What the target may leave unread before the source is not read from. */
  readonly highBytes: number;
  /** Beyond this the connection ends: a source that goes on although it is not read from. */
  readonly maxBytes: number;
}

export const FLOW_BOUNDS: FlowBounds = {
  holdMessages: 64,
  holdBytes: 256 << 10,
  highBytes: 1 << 20,
  maxBytes: 128 << 20,
};

export interface FlowOptions {
  readonly source: Wire;
  readonly target: Wire;
  readonly judge: JudgeMessage;
  readonly now: () => number;
  readonly bounds: FlowBounds;
  /** Called when a verdict ends the connection. */
  readonly refused: (rejection: Rejection) => void;
  /** Called when more is held than may be. */
  readonly overflowed: () => void;
}

export interface Flow {
  push(message: Message): void;
  /** Nothing more will come: calls `done` when all that came has been handed on and has left. */
  finish(done: () => void): void;
  /** Hands nothing on from here on, and throws away what waits. */
  stop(): void;
  /** Since when the target has taken nothing that it was sent; undefined while there is room. Asked every second. */
  stuckSince(): number | undefined;
  /** What waits for judgement. */
  held(): { readonly messages: number; readonly bytes: number };
}

/** What one message costs besides its bytes. */
const MESSAGE_BYTES = 64;

/** Returns the flow; it reads from nobody by itself. */
export const messageFlow = (options: FlowOptions): Flow => {
  const { judge, bounds, refused } = options;
  const inlet = inletOf(options);
  const outlet = outletOf(options);
  let running = false;
  let stopped = false;
  let done: (() => void) | undefined;

  const run = async (): Promise<void> => {
    running = true;
    for (let next = inlet.first(); next !== undefined; next = inlet.first()) {
      const verdict = await judge(next);
      if (stopped) {
        settle(verdict, false);
        return;
      }
      inlet.shift();
      if (verdict.kind === 'end') refused(verdict.rejection);
      else outlet.apply(verdict);
      await outlet.room(bounds.highBytes);
      if (stopped) return;
      inlet.relax();
    }
    // A closing handshake has little time, and what is still on its way would be cut off at its end.
    if (done !== undefined) await outlet.room(0);
    running = false;
    if (!stopped) done?.();
  };

  const begin = (): void => {
    if (running || stopped) return;
    run().catch((cause: unknown) => refused(new Rejection('internal-error', String(cause), { cause })));
  };

  return {
    push(message) {
      if (stopped) return;
      inlet.push(message);
      begin();
    },
    finish(whenDone) {
      done = whenDone;
      begin();
    },
    stop() {
      stopped = true;
      inlet.clear();
      outlet.close();
    },
    stuckSince: outlet.stuckSince,
    held: inlet.held,
  };
};

/** Where messages wait: says when the source is not to be read from. */
const inletOf = ({ source, bounds, overflowed }: FlowOptions) => {
  const { holdMessages, holdBytes, maxBytes } = bounds;
  const waiting: Message[] = [];
  let bytes = 0;
  const isFull = (): boolean => waiting.length >= holdMessages || bytes >= holdBytes;
  const relax = (): void => {
    if (source.isPaused && !isFull()) source.resume();
  };

  return {
    relax,
    first: (): Message | undefined => waiting[0],
    held: () => ({ messages: waiting.length, bytes }),
    push(message: Message): void {
      waiting.push(message);
      bytes += weightOf(message);
      if (bytes > maxBytes) overflowed();
      else if (isFull() && !source.isPaused) source.pause();
    },
    shift(): void {
      const first = waiting.shift();
      if (first !== undefined) bytes -= weightOf(first);
    },
    clear(): void {
      waiting.length = 0;
      bytes = 0;
      relax();
    },
  };
};

const weightOf = ({ data }: Message): number => data.length + MESSAGE_BYTES;

const settle = (verdict: Verdict, mayHaveLeft: boolean): void => {
  if (verdict.kind === 'pass') verdict.settle?.(mayHaveLeft);
};

/** Where messages leave: says when there is room again, and since when there is none. */
const outletOf = ({ source, target, now, bounds }: FlowOptions) => {
  let progressMillis = 0;
  let enough = 0;
  let wake: (() => void) | undefined;

  const left = (): void => {
    progressMillis = now();
    if (target.bufferedAmount <= enough) release();
  };
  const release = (): void => {
    wake?.();
    wake = undefined;
  };

  return {
    apply(verdict: Exclude<Verdict, { kind: 'end' }>): void {
      if (verdict.kind === 'pass') {
        const isOpen = target.readyState === OPEN;
        if (isOpen) target.send(verdict.data, { binary: verdict.isBinary }, left);
        settle(verdict, isOpen);
      } else if (verdict.kind === 'answer' && source.readyState === OPEN && source.bufferedAmount <= bounds.highBytes) {
        // Whoever reads no answers gets none: they would be held here.
        source.send(verdict.data, { binary: false }, ignore);
      }
    },
    /** Undefined at once, or resolves when the target has taken so much that half of this is left. */
    room(mostBytes: number): Promise<void> | undefined {
      if (target.readyState !== OPEN || target.bufferedAmount <= mostBytes) return undefined;
      progressMillis = now();
      enough = mostBytes / 2;
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    close: release,
    stuckSince(): number | undefined {
      // What left last may have been none of the messages: a pong behind them is not told of.
      if (target.bufferedAmount <= enough) release();
      return wake === undefined ? undefined : progressMillis;
    },
  };
};

const ignore = (): void => undefined;
