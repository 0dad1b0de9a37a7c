/** The breaker before a client of Redis: open while the connection is there and has not failed since. */
import type { Redis } from 'ioredis';

export type Argument = string | number;

export type RedisCall = (command: string, ...args: readonly Argument[]) => Promise<unknown>;

class RedisUnavailable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'RedisUnavailable';
  }
}

export interface GateOptions {
  readonly timeoutMillis: number;
  readonly onChange: (usable: boolean, detail: string) => void;
}

export interface Gate {
  /** Resolves with the reply, or rejects within the timeout; at once while the gate is shut. */
  readonly call: RedisCall;
  /** `listener` is let in first, each time before the gate opens. */
  onUsable(listener: (call: RedisCall) => Promise<void>): void;
  usable(): boolean;
  settled(): Promise<boolean>;
}

/** Returns the gate of a client that reconnects by itself. */
export function openGate(client: Redis, { timeoutMillis, onChange }: GateOptions): Gate {
  const listeners: Array<(call: RedisCall) => Promise<void>> = [];
  const first = Promise.withResolvers<boolean>();
  let usable = false;
  let epoch = 0;
  let lastError = 'not connected yet';

  function shut(cause: unknown, from: number): void {
    // What was sent over an earlier connection says nothing of this one.
    if (from !== epoch) return;
    epoch += 1;
    lastError = cause instanceof Error ? cause.message : String(cause);
    if (usable) onChange(false, lastError);
    usable = false;
    // Not repaired but replaced: what waits in its buffers must not be executed late.
    if (client.status === 'ready') client.disconnect(true);
  }

  const send: RedisCall = (command, ...args) => {
    const from = epoch;
    return within(timeoutMillis, client.call(command, ...args), (cause) => shut(cause, from));
  };

  async function open(): Promise<void> {
    const from = epoch;
    try {
      for (const listener of listeners) await listener(send);
    } catch {
      // Where the connection failed, the gate is shut already; what Redis refused, it would refuse again.
    }
    if (from !== epoch || client.status !== 'ready') return;
    usable = true;
    onChange(true, 'connected');
    first.resolve(true);
  }

  client.on('ready', () => void open());
  client.on('error', (error: Error) => {
    lastError = error.message;
  });
  client.on('close', () => {
    shut(lastError, epoch);
    first.resolve(false);
  });

  return {
    call: (command, ...args) =>
      usable ? send(command, ...args) : Promise.reject(new RedisUnavailable(`Redis is not usable: ${lastError}`)),
    onUsable: (listener) => void listeners.push(listener),
    usable: () => usable,
    settled: () => first.promise,
  };
}

/** Settles as `reply` does, or rejects in time; `onFailure` hears of every failure but an error that Redis replied with. */
function within(millis: number, reply: Promise<unknown>, onFailure: (cause: unknown) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const timer = setTimeout(() => {
      // One more turn: where this process stood still itself, the reply is there and only has to be read.
      setImmediate(() => {
        if (answered) return;
        const late = new RedisUnavailable(`no reply within ${millis} ms`);
        reject(late);
        onFailure(late);
      });
    }, millis);
    const settle = (deliver: () => void): void => {
      answered = true;
      clearTimeout(timer);
      deliver();
    };
    reply.then(
      (value) => settle(() => resolve(value)),
      (cause: unknown) => {
        settle(() => reject(cause));
        if (!(cause instanceof Error && cause.name === 'ReplyError')) onFailure(cause);
      },
    );
  });
}
