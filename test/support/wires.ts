/** A WebSocket's end made by hand: what is sent on it leaves when the test says so. */
import { EventEmitter } from 'node:events';
import type { Wire } from '../../src/model/wire.ts';

export interface HandMadeWire extends Wire {
  /** Texts that were sent, in their order. */
  readonly sent: string[];
  /** What it was closed with: code and reason, or `terminated`. */
  readonly ends: string[];
  readonly pings: () => number;
  /** Lets so many of the messages that wait leave. */
  flush(count?: number): void;
  /** What the other side does. */
  hear(data: string | Buffer): void;
  answer(): void;
  fail(code: string): void;
  lose(code: number, reason?: string): void;
}

export const wire = (): HandMadeWire => {
  const events = new EventEmitter();
  const outbox = outboxOf();
  const ends: string[] = [];
  let pings = 0;
  let isPaused = false;
  let readyState = 1;
  return {
    ends,
    protocol: '',
    sent: outbox.sent,
    send: outbox.send,
    flush: outbox.flush,
    pings: () => pings,
    get readyState() {
      return readyState;
    },
    get bufferedAmount() {
      return outbox.bytes();
    },
    get isPaused() {
      return isPaused;
    },
    ping() {
      pings += 1;
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
    },
    close(code, reason = '') {
      if (readyState !== 1) return;
      readyState = 2;
      ends.push(code === undefined ? 'closed' : `${code} ${reason}`);
    },
    terminate() {
      readyState = 3;
      ends.push('terminated');
    },
    on: (name, listener) => events.on(name, listener),
    hear: (data) => void events.emit('message', Buffer.from(data), Buffer.isBuffer(data)),
    answer: () => void events.emit('pong'),
    fail: (code) => void events.emit('error', Object.assign(new Error(code), { code })),
    lose(code, reason = '') {
      readyState = 3;
      events.emit('close', code, Buffer.from(reason));
    },
  };
};

/** What was sent, and has not left yet. */
const outboxOf = () => {
  const waiting: Array<{ readonly bytes: number; readonly left: () => void }> = [];
  const sent: string[] = [];
  let buffered = 0;
  return {
    sent,
    bytes: () => buffered,
    send(data: Buffer, { binary }: { readonly binary: boolean }, left: () => void): void {
      sent.push(binary ? `bytes ${data.toString('hex')}` : data.toString('utf8'));
      buffered += data.length;
      waiting.push({ bytes: data.length, left });
    },
    flush(count = waiting.length): void {
      for (const { bytes, left } of waiting.splice(0, count)) {
        buffered -= bytes;
        left();
      }
    },
  };
};

/** Resolves when all that follows from what has happened has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
