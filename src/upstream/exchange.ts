/** One request and its answer on one upstream connection: undici's callbacks in, an UpstreamAnswer out, nothing lost. */
import type { Dispatcher } from 'undici';
import { Rejection } from '../model/rejection.ts';
import type { BodySink, BodySource, UpstreamAnswer } from '../model/response.ts';
import { withoutHopByHop } from './hop-by-hop.ts';
import type { Cancellation } from './origin.ts';

/** A body this small is awaited after a 5xx, to give its connection up with it. */
const MAX_LAST_WORDS = 65_536;

const EMPTY = Buffer.alloc(0);

export interface Settle {
  resolve(answer: UpstreamAnswer): void;
  reject(error: Rejection): void;
  /** Called with what failed before the head came; returns true when the exchange was begun anew instead. */
  retry(failure: Failure): boolean;
}

export interface Failure {
  /** False: the connection was never made, no byte has left. */
  readonly started: boolean;
  readonly error: Error & { readonly code?: string };
}

export class Exchange implements Dispatcher.DispatchHandler, BodySource {
  readonly #settle: Settle;
  readonly #cancellation: Cancellation;
  #controller: Dispatcher.DispatchController | undefined;
  #answered = false;
  #over: 'ended' | Error | undefined;
  #held: Buffer[] | undefined;
  #sink: BodySink | undefined;
  /** Bytes until the end of a 5xx answer. uvicorn closes after each one without saying so (contract, section 1). */
  #lastWords = Number.POSITIVE_INFINITY;

  constructor(settle: Settle, cancellation: Cancellation) {
    this.#settle = settle;
    this.#cancellation = cancellation;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#cancellation.cancelled) controller.abort(new Error('the client is gone'));
    else this.#cancellation.onCancel = () => this.abort();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#answered = true;
    if (status >= 500) {
      const length = Number(headers['content-length']);
      if (length > 0 && length <= MAX_LAST_WORDS) this.#lastWords = length;
    }
    this.#settle.resolve({ status, headers: withoutHopByHop(headers), body: this });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink === undefined) {
      if (this.#held === undefined) this.#held = [chunk];
      else this.#held.push(chunk);
      if (this.#held.length > 1) controller.pause();
    } else if (!this.#sink.write(chunk)) {
      controller.pause();
    }
    this.#lastWords -= chunk.length;
    if (this.#lastWords === 0) {
      this.#end();
      controller.abort(new Error('connection given up after a server error'));
    }
  }

  onResponseEnd(): void {
    this.#end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#over !== undefined) return;
    if (this.#answered) {
      this.#over = this.#cancellation.cancelled ? clientGone(error) : error;
      this.#sink?.fail(this.#over);
      return;
    }
    const failure = { started: this.#controller !== undefined, error };
    if (!this.#cancellation.cancelled && this.#settle.retry(failure)) return;
    this.#settle.reject(rejectionOf(failure, this.#cancellation));
  }

  whole(): Buffer | undefined {
    if (this.#over !== 'ended') return undefined;
    const [only, ...more] = this.#held ?? [];
    if (only === undefined) return EMPTY;
    return more.length === 0 ? only : Buffer.concat([only, ...more]);
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    for (const chunk of this.#held ?? []) sink.write(chunk);
    this.#held = undefined;
    if (this.#over === 'ended') sink.end();
    else if (this.#over !== undefined) sink.fail(this.#over);
    else this.resume();
  }

  resume(): void {
    if (this.#controller?.paused) this.#controller.resume();
  }

  abort(): void {
    if (this.#over === undefined) this.#controller?.abort(new Error('given up by the gateway'));
  }

  #end(): void {
    if (this.#over !== undefined) return;
    this.#over = 'ended';
    this.#cancellation.onCancel = undefined;
    this.#sink?.end();
  }
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

const clientGone = (cause: Error): Rejection =>
  new Rejection('client-gone', 'the client closed the connection', { cause });

const rejectionOf = ({ started, error }: Failure, { cancelled }: Cancellation): Rejection => {
  const detail = `${error.code ?? error.name}: ${error.message}`;
  if (cancelled) return clientGone(error);
  if (!started) return new Rejection('upstream-unreachable', detail, { cause: error });
  if (TIMEOUTS.has(error.code ?? '')) return new Rejection('upstream-timeout', detail, { cause: error });
  return new Rejection('upstream-broken', detail, { cause: error });
};
