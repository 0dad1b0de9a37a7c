/**
 * Lists of any size show the caller's own rows only, while they stream: byte for byte as the upstream wrote them, in
 * memory bounded by the largest row. What others saved costs the caller nothing but the time to pass over it.
 */
import { isUtf8 } from 'node:buffer';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceKind, ResourceRef } from '../model/resource.ts';
import type { BodySink, BodySource } from '../model/response.ts';
import type { OwnersOf } from './list.ts';
import { copyRow, type Row, RowSplitter, ShapeError } from './row-splitter.ts';

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

/** So much of a list is gathered for one look-up of owners: little at first, that the answer begins soon. */
const FIRST_BATCH_BYTES = 65_536;
const MAX_BATCH_BYTES = 524_288;

const OPEN_LIST = 0x5b;
const COMMA = 0x2c;
const CLOSE = Buffer.from(']');
const NOTHING = Buffer.from('[]');

/** Resolves to the whole list when it is short, else to the rest of it, still arriving; rejects `answer-unreadable`. */
export const keepRows = (body: BodySource, options: RowsOptions): Promise<Buffer | BodySource> =>
  new Promise((resolve, reject) => {
    body.pipe(new RowFilter({ body, options, resolve, reject }));
  });

/** Rows, and what each is the row of, at the same index. */
interface Batch {
  readonly refs: ResourceRef[];
  readonly rows: Row[];
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
  #waiting: Batch = { refs: [], rows: [] };
  /** Of the chunks in which the waiting rows lie, and which they keep alive. */
  #waitingBytes = 0;
  #batchBytes = FIRST_BATCH_BYTES;
  #asking = false;
  #ended = false;
  #failed = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** A row was shown. */
  #begun = false;
  /** Undefined until the answer flows. */
  #sink: BodySink | undefined;
  #flowing = false;

  constructor(parts: FilterParts) {
    this.#parts = parts;
    this.#splitter = new RowSplitter({ key: parts.options.key, maxRowBytes: parts.options.maxRowBytes });
  }

  write(chunk: Buffer): boolean {
    if (this.#failed) return true;
    const { name: kind, pattern } = this.#parts.options.resource;
    const { refs, rows } = this.#waiting;
    try {
      for (const row of this.#splitter.push(chunk)) {
        const { id } = row;
        if (id === undefined || !pattern.test(id)) continue;
        refs.push({ kind, id });
        rows.push(row);
      }
    } catch (error) {
      this.#fail(error);
      return true;
    }
    if (rows.length > 0) this.#waitingBytes += chunk.length;
    return this.#judge();
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
    // A client that left is no fault of the upstream's.
    if (cause instanceof Rejection) this.#fail(cause);
    else this.#fail(new Rejection('upstream-broken', `the list broke off: ${cause.message}`, { cause }));
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
    if (this.#judge()) this.#parts.body.resume();
  }

  abort(): void {
    this.#failed = true;
    this.#parts.body.abort();
  }

  /** Judges what waits, in one batch, once there is enough of it; returns false while no more should come. */
  #judge(): boolean {
    if (this.#failed) return true;
    const enough = this.#waitingBytes >= this.#batchBytes;
    if (this.#asking) return !enough;
    if (!enough && !this.#ended) return true;
    const batch = this.#waiting;
    if (batch.rows.length === 0) return this.#finish();
    this.#waiting = { refs: [], rows: [] };
    this.#waitingBytes = 0;
    this.#batchBytes = Math.min(this.#batchBytes * 2, MAX_BATCH_BYTES);
    const owners = this.#parts.options.ownersOf(batch.refs);
    if (!(owners instanceof Promise)) return this.#show(batch, owners);
    this.#asking = true;
    owners
      .then((late) => {
        this.#asking = false;
        if (this.#show(batch, late)) this.resume();
      })
      .catch((error: unknown) => {
        this.#asking = false;
        this.#fail(error);
      });
    return true;
  }

  /** Shows the caller's rows of a batch in one piece; returns false when the client should be waited for. */
  #show({ rows }: Batch, owners: ReadonlyArray<Owner | undefined>): boolean {
    if (this.#failed) return true;
    const { owner, resource, key } = this.#parts.options;
    const own = rows.filter(({ id }, index) => owners[index] === owner && !resource.reserved.has(id ?? ''));
    if (own.length === 0) return this.#finish();
    let piece: Buffer;
    try {
      piece = pieceOf(own, key);
    } catch (error) {
      this.#fail(error);
      return true;
    }
    piece[0] = this.#begun ? COMMA : OPEN_LIST;
    this.#begun = true;
    const more = this.#emit(piece);
    return this.#finish() && more;
  }

  #emit(bytes: Buffer): boolean {
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
    if (!this.#ended || this.#asking || this.#failed || this.#waiting.rows.length > 0) return true;
    if (this.#flowing && this.#sink === undefined) return true;
    this.#ended = false;
    this.#emit(this.#begun ? CLOSE : NOTHING);
    if (this.#sink !== undefined) this.#sink.end();
    else this.#parts.resolve(Buffer.concat(this.#held));
    return true;
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#held = [];
    this.#waiting = { refs: [], rows: [] };
    this.#parts.body.abort();
    if (this.#sink !== undefined) this.#sink.fail(error instanceof Error ? error : new Error(String(error)));
    else if (!this.#flowing) this.#parts.reject(refusal(error));
  }
}

/** Returns the rows with a byte before each for what parts them, or throws when one cannot be shown. */
const pieceOf = (rows: readonly Row[], key: string): Buffer => {
  const piece = Buffer.allocUnsafe(rows.reduce((sum, { bytes }) => sum + 1 + bytes, 0));
  let at = 0;
  for (const row of rows) {
    if (row.before === undefined)
      throw new Rejection('answer-too-large', `the row of ${row.id} is too large to be shown`);
    piece[at] = COMMA;
    at = copyRow(row, piece, at + 1);
  }
  if (!isUtf8(piece)) throw new ShapeError('a row is not UTF-8');
  at = 0;
  for (const { id, bytes } of rows) {
    // By a real parser: what is shown is one whole object, and the one that was judged.
    const parsed = JSON.parse(piece.toString('utf8', at + 1, at + 1 + bytes)) as Record<string, unknown>;
    if (parsed[key] !== id) throw new ShapeError('a row is not what it seemed');
    at += 1 + bytes;
  }
  return piece;
};

const refusal = (error: unknown): unknown =>
  error instanceof ShapeError || error instanceof SyntaxError
    ? new Rejection('answer-unreadable', `the answer is not the expected list: ${error.message}`, { cause: error })
    : error;
