/** Of a list that streams past: how many rows there are, and how many are the owner's. Only ids wait, never rows. */
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { BodySink, BodySource } from '../model/response.ts';
import { RowSplitter, ShapeError } from './row-splitter.ts';
import type { RowsOptions } from './rows.ts';

export interface RowCount {
  readonly own: number;
  readonly of: number;
}

/** Resolves to the counts, or rejects as `keepRows` would, for a list that breaks off too. */
export const countRows = (body: BodySource, options: RowsOptions): Promise<RowCount> =>
  new Promise((resolve, reject) => {
    body.pipe(new RowCounter({ body, options, resolve, reject }));
  });

interface Parts {
  readonly body: BodySource;
  readonly options: RowsOptions;
  readonly resolve: (count: RowCount) => void;
  readonly reject: (error: unknown) => void;
}

interface Named {
  readonly id: string;
  readonly isTooLarge: boolean;
}

/** While owners are looked up, ids are gathered for the next batch; so many make the list wait. */
const MAX_WAITING = 10_000;

class RowCounter implements BodySink {
  readonly #parts: Parts;
  readonly #splitter: RowSplitter;
  #waiting: Named[] = [];
  #asking = false;
  #ended = false;
  #own = 0;
  #of = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#splitter = new RowSplitter({ key: parts.options.key, maxRowBytes: parts.options.maxRowBytes });
  }

  write(chunk: Buffer): boolean {
    const { pattern, reserved } = this.#parts.options.resource;
    this.#attempt(() => {
      for (const { id, before } of this.#splitter.push(chunk)) {
        this.#of += 1;
        const isNamed = id !== undefined && pattern.test(id) && !reserved.has(id);
        if (isNamed) this.#waiting.push({ id, isTooLarge: before === undefined });
      }
      this.#judge();
    });
    return this.#waiting.length < MAX_WAITING;
  }

  end(): void {
    this.#attempt(() => {
      this.#splitter.end();
      this.#ended = true;
      this.#judge();
    });
  }

  fail(cause: Error): void {
    this.#parts.reject(cause);
  }

  #judge(): void {
    if (this.#asking) return;
    const batch = this.#waiting;
    if (batch.length === 0) {
      if (this.#ended) this.#parts.resolve({ own: this.#own, of: this.#of });
      return;
    }
    this.#waiting = [];
    const { resource, ownersOf } = this.#parts.options;
    const owners = ownersOf(batch.map(({ id }) => ({ kind: resource.name, id })));
    if (owners instanceof Promise) void this.#judgeLater(batch, owners);
    else {
      this.#count(batch, owners);
      this.#judge();
    }
  }

  async #judgeLater(batch: readonly Named[], owners: Promise<Owners>): Promise<void> {
    this.#asking = true;
    try {
      this.#count(batch, await owners);
      this.#asking = false;
      this.#judge();
      this.#parts.body.resume();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #count(batch: readonly Named[], owners: Owners): void {
    for (const [index, { id, isTooLarge }] of batch.entries()) {
      if (owners[index] !== this.#parts.options.owner) continue;
      this.#own += 1;
      if (isTooLarge) throw new Rejection('answer-too-large', `the row of ${id} is too large to be shown`);
    }
  }

  #attempt(deed: () => void): void {
    try {
      deed();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #refuse(error: unknown): void {
    this.#waiting = [];
    this.#parts.body.abort();
    this.#parts.reject(
      error instanceof ShapeError
        ? new Rejection('answer-unreadable', `the answer is not the expected list: ${error.message}`, { cause: error })
        : error,
    );
  }
}

type Owners = ReadonlyArray<Owner | undefined>;
