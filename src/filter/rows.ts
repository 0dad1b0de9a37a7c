/**
 * Lists of any size show the caller's own rows only, while they stream: byte for byte as the upstream wrote them, in
 * memory bounded by the largest row. What others saved costs the caller nothing but the time to pass over it.
 */
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { BodySink, BodySource } from '../model/response.ts';
import type { OwnersOf } from './list.ts';
import { type Row, RowSplitter, ShapeError } from './row-splitter.ts';

export interface RowsOptions {
  readonly resource: ResourceKind;
  /** The key of each row that holds its id. */
  readonly key: string;
  readonly maxRowBytes: number;
  readonly owner: Owner;
  readonly ownersOf: OwnersOf;
}

/** Until so much is kept nothing is shown: a list that ends within it is judged as a whole, and a bad one is a 502. */
const SHOWN_AFTER_BYTES = 65_536;

/** Resolves to the whole list when it is short, else to the rest of it, still arriving; rejects `answer-unreadable`. */
export const keepRows = (body: BodySource, options: RowsOptions): Promise<Buffer | BodySource> =>
  new Promise((resolve, reject) => {
    body.pipe(new RowFilter({ body, options, resolve, reject }));
  });

interface Judged {
  readonly id: string;
  readonly row: Row;
}

interface FilterParts {
  readonly body: BodySource;
  readonly options: RowsOptions;
  readonly resolve: (shown: Buffer | BodySource) => void;
  readonly reject: (error: unknown) => void;
}

class RowFilter implements BodySink, BodySource {
  readonly #parts: FilterParts;
  readonly #splitter: RowSplitter;
  #waiting: Judged[] = [];
  #asking = false;
  #ended = false;
  #failed = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #rows = 0;
  /** Undefined until the answer flows. */
  #sink: BodySink | undefined;
  #flowing = false;

  constructor(parts: FilterParts) {
    this.#parts = parts;
    this.#splitter = new RowSplitter({ key: parts.options.key, maxRowBytes: parts.options.maxRowBytes });
  }

  write(chunk: Buffer): boolean {
    if (this.#failed) return true;
    const { pattern, reserved } = this.#parts.options.resource;
    try {
      for (const row of this.#splitter.push(chunk)) {
        const { id } = row;
        if (id !== undefined && pattern.test(id) && !reserved.has(id)) this.#waiting.push({ id, row });
      }
    } catch (error) {
      this.#fail(error);
      return true;
    }
    return this.#judge() && !this.#asking;
  }

  end(): void {
    try {
      if (!this.#failed) this.#splitter.end();
    } catch (error) {
      this.#fail(error);
    }
    this.#ended = true;
    this.#judge();
  }

  fail(cause: Error): void {
    this.#fail(new Rejection('upstream-broken', `the list broke off: ${cause.message}`, { cause }));
  }

  whole(): undefined {
    return undefined;
  }

  pipe(sink: BodySink): void {
    this.#sink = sink;
    const held = this.#held;
    this.#held = [];
    for (const bytes of held) sink.write(bytes);
    if (this.#failed) sink.fail(new Error('the list could not be judged to its end'));
    else this.#finish();
    this.resume();
  }

  resume(): void {
    if (!this.#asking) this.#parts.body.resume();
  }

  abort(): void {
    this.#failed = true;
    this.#parts.body.abort();
  }

  /** Judges what waits, in one batch; returns false when the client should be waited for. */
  #judge(): boolean {
    if (this.#asking || this.#failed) return true;
    const batch = this.#waiting;
    if (batch.length === 0) return this.#finish();
    this.#waiting = [];
    const { resource, ownersOf } = this.#parts.options;
    const owners = ownersOf(batch.map(({ id }) => ({ kind: resource.name, id })));
    if (!(owners instanceof Promise)) return this.#show(batch, owners);
    this.#asking = true;
    owners
      .then((late) => {
        this.#asking = false;
        if (this.#show(batch, late) && this.#judge()) this.#parts.body.resume();
      })
      .catch((error: unknown) => {
        this.#asking = false;
        this.#fail(error);
      });
    return true;
  }

  #show(batch: readonly Judged[], owners: ReadonlyArray<Owner | undefined>): boolean {
    let more = true;
    for (const [index, { id, row }] of batch.entries()) {
      if (owners[index] !== this.#parts.options.owner) continue;
      const bytes = this.#ownRow(id, row);
      if (bytes === undefined) return true;
      more = this.#emit(this.#rows === 0 ? '[' : ',') && more;
      more = this.#emit(bytes) && more;
      this.#rows += 1;
    }
    return this.#finish() && more;
  }

  /** Read once more, by a real parser: what is shown is one whole object, and the one that was judged. */
  #ownRow(id: string, { bytes }: Row): Buffer | undefined {
    try {
      if (bytes === undefined) throw new Rejection('answer-too-large', `the row of ${id} is too large to be shown`);
      const row = Buffer.concat(bytes);
      const parsed = JSON.parse(row.toString()) as Record<string, unknown>;
      if (parsed[this.#parts.options.key] !== id) throw new ShapeError('a row is not what it seemed');
      return row;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #emit(piece: Buffer | string): boolean {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    if (this.#sink !== undefined) return this.#sink.write(bytes);
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#flowing || this.#heldBytes <= SHOWN_AFTER_BYTES) return true;
    this.#flowing = true;
    this.#parts.resolve(this);
    return false;
  }

  /** Ends the answer when everything was judged. */
  #finish(): boolean {
    if (!this.#ended || this.#asking || this.#failed || this.#waiting.length > 0) return true;
    if (this.#flowing && this.#sink === undefined) return true;
    this.#ended = false;
    this.#emit(this.#rows === 0 ? '[]' : ']');
    if (this.#sink !== undefined) this.#sink.end();
    else this.#parts.resolve(Buffer.concat(this.#held));
    return true;
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#held = [];
    this.#waiting = [];
    this.#parts.body.abort();
    if (this.#sink !== undefined) this.#sink.fail(error instanceof Error ? error : new Error(String(error)));
    else if (!this.#flowing) this.#parts.reject(refusal(error));
  }
}

const refusal = (error: unknown): unknown =>
  error instanceof ShapeError || error instanceof SyntaxError
    ? new Rejection('answer-unreadable', `the answer is not the expected list: ${error.message}`, { cause: error })
    : error;
