/** A request on its way inward: as received, as understood, as read, and as it leaves for the upstream. */
import type { Brand } from './brand.ts';
import type { Evidence } from './evidence.ts';
import type { Freshness } from './freshness.ts';
import type { JsonObject } from './json.ts';

/** What the transport gives, or `explain` and the tests write by hand. */
export interface RawRequest {
  readonly method: string;
  /** The request target exactly as on the wire. */
  readonly target: string;
  /** Names and values alternating, in the order and spelling of the wire. */
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string;
}

interface CanonicalFields {
  readonly id: string;
  readonly method: string;
  /** Plain characters, no escapes in it, no empty or dot segments: what is matched, checked and forwarded. */
  readonly path: string;
  /** Decoded, in order, without duplicate names. */
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; a name is here once. */
  readonly headers: ReadonlyMap<string, string>;
  /** The client's address, behind the configured trusted proxies. */
  readonly address: string;
  /** The scheme that the client used, as far as trusted proxies tell. */
  readonly secure: boolean;
  /** True when the framing headers announce a body. */
  readonly hasBody: boolean;
}

/** Made in server/canonical only. */
export type CanonicalRequest = Brand<CanonicalFields, 'CanonicalRequest'>;

/** One part of a form. The content is a view of the bytes that were read under the route's cap, not a copy. */
export interface MultipartPart {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly contentType: string | undefined;
  readonly content: Buffer;
}

export type ReadBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: JsonObject; readonly bytes: number }
  | { readonly kind: 'multipart'; readonly parts: readonly MultipartPart[]; readonly bytes: number };

/** The client's own bytes: in memory where the body was read to its end, else still arriving. */
export type SentBody = readonly Buffer[] | AsyncIterable<Buffer>;

/** What there is besides where the policy is not in effect: the request passes whatever is found. */
export interface BodyInShadow {
  /** Undefined where the framing announces no body. */
  readonly sent: SentBody | undefined;
  /** True when the body would have been refused; then it counts as none. */
  readonly refused: boolean;
  readonly evidence: Evidence;
}

interface ReadFields {
  readonly canonical: CanonicalRequest;
  readonly body: ReadBody;
  readonly shadow?: BodyInShadow;
}

/** Made in body/read only. */
export type ReadRequest = Brand<ReadFields, 'ReadRequest'>;
export type ReadRequestInShadow = ReadRequest & { readonly shadow: BodyInShadow };

interface OutboundFields {
  readonly method: string;
  /** Rebuilt from the route and the checked ids. */
  readonly target: string;
  /** Names and values alternating. */
  readonly headers: string[];
  /** What is still arriving is the client's own, and goes out as it comes: only where the policy is not in effect. */
  readonly body: Buffer | SentBody | undefined;
  /** From the last byte sent to the first byte of the answer's head, and between two chunks of it. */
  readonly timeoutMillis: number;
  /** Defined where the answer is one that everybody shares: then nothing of the request but its target leaves. */
  readonly cache?: Freshness | undefined;
}

/** Made in rewrite/rewrite only. */
export type OutboundRequest = Brand<OutboundFields, 'OutboundRequest'>;
