/**
 * An answer that passes as it came, while a copy of its bytes goes to whoever judges it. The client never waits for the
 * judge: what the judge is too slow for is kept within a bound, and beyond it the copy is given up.
 */
import { Rejection } from '../model/rejection.ts';
import type { BodySink, BodySource } from '../model/response.ts';

export interface Copied {
  readonly passing: BodySource;
  /** To be piped before the answer is. */
  readonly copy: BodySource;
  /** True when the answer broke off, or nobody was left to read it: of half of it nothing can be said. */
  broken(): boolean;
}

const MAX_WAITING_BYTES = 8 * 1024 * 1024;

export const copied = (body: BodySource, maxWaitingBytes = MAX_WAITING_BYTES): Copied => {
  const copy = new Copy(maxWaitingBytes);
  let broken = false;
  const breakOff = (cause: Error): void => {
    broken = true;
    copy.fail(cause);
  };

  return {
    copy,
    broken: () => broken,
    passing: {
      whole() {
        const ready = body.whole();
        if (ready !== undefined) {
          copy.write(ready);
          copy.end();
        }
        return ready;
      },
      pipe(sink) {
        body.pipe({
          write(chunk) {
            copy.write(chunk);
            return sink.write(chunk);
          },
          end() {
            copy.end();
            sink.end();
          },
          fail(cause) {
            breakOff(cause);
            sink.fail(cause);
          },
        });
      },
      resume: () => body.resume(),
      abort() {
        breakOff(new Error('the answer was given up'));
        body.abort();
      },
    },
  };
};

class Copy implements BodySource, BodySink {
  readonly #maxWaitingBytes: number;
  #sink: BodySink | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #paused = false;
  #ended = false;
  #over = false;

  constructor(maxWaitingBytes: number) {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    if (this.#paused || this.#sink === undefined) {
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.length;
      if (this.#waitingBytes > this.#maxWaitingBytes) {
        this.fail(new Rejection('answer-too-large', `more than ${this.#maxWaitingBytes} bytes waited to be judged`));
      }
    } else {
      this.#paused = !this.#sink.write(chunk);
    }
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#finish();
  }

  fail(cause: Error): void {
    if (this.#over) return;
    this.abort();
    this.#sink?.fail(cause);
  }

  whole(): undefined {
    return undefined;
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    this.resume();
  }

  resume(): void {
    this.#paused = false;
    while (!this.#paused && !this.#over) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) break;
      this.#waitingBytes -= chunk.length;
      this.#paused = this.#sink?.write(chunk) === false;
    }
    this.#finish();
  }

  abort(): void {
    this.#over = true;
    this.#waiting = [];
  }

  #finish(): void {
    if (!this.#ended || this.#over || this.#paused || this.#waiting.length > 0) return;
    this.#over = true;
    this.#sink?.end();
  }
}
