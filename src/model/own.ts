/** What the gateway itself serves on the public listener, beside what it forwards. */
import type { Owner } from './principal.ts';
import type { CanonicalRequest } from './request.ts';

export interface OwnAsked {
  readonly request: CanonicalRequest;
  /** The fields of a form (application/x-www-form-urlencoded); empty where the endpoint takes none. */
  readonly form: ReadonlyMap<string, string>;
  /** The last segment of the path, where the endpoint's path ends with a slash. */
  readonly parameter: string | undefined;
}

export interface OwnAnswer {
  readonly status: number;
  /** Names in lower case and values alternating. */
  readonly headers: readonly string[];
  readonly body: Buffer | undefined;
  /** Who it is about, for the record: who logged in or out, or asked. */
  readonly owner?: Owner | undefined;
}

export interface OwnEndpoint {
  /** As in the audit record and the metrics, such as `auth.login`. */
  readonly id: string;
  readonly method: 'GET' | 'POST';
  /** Exactly this path; where it ends with a slash, followed by one segment. */
  readonly path: string;
  /** True: it takes a form. */
  readonly form: boolean;
  /** Throws or rejects with a Rejection. */
  answer(asked: OwnAsked): OwnAnswer | Promise<OwnAnswer>;
}
