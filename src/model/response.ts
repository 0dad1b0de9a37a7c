/** An answer on its way outward: as the upstream gave it, and as the caller may see it. */
import type { Brand } from './brand.ts';

/** Takes the chunks of a body. */
export interface BodySink {
  /** Returns false when the source should pause until `onDrain` of its `BodySource.pipe` caller resumes it. */
  write(chunk: Buffer): boolean;
  end(): void;
  /** The source broke off: what was written is not the whole body. */
  fail(cause: Error): void;
}

/** A body that is still arriving. It holds what came before `pipe`, and loses nothing. */
export interface BodySource {
  /** Returns the whole body when all of it is here already, and then it is not piped; else undefined. */
  whole(): Buffer | undefined;
  pipe(sink: BodySink): void;
  resume(): void;
  /** Gives the body up; its connection is not used again. */
  abort(): void;
}

export interface UpstreamAnswer {
  readonly status: number;
  /** Names in lower case; repeated headers are arrays. Hop-by-hop headers are gone. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: BodySource;
}

interface FilteredFields {
  readonly status: number;
  /** Names and values alternating. */
  readonly headers: string[];
  readonly body: Buffer | BodySource | undefined;
  /** True where the policy only looks on: nothing is added to what the upstream tells browsers. */
  readonly asItCame?: boolean;
}

/** Made in filter/filter only. */
export type FilteredResponse = Brand<FilteredFields, 'FilteredResponse'>;
