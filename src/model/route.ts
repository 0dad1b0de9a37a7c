/** One row of the closed route table, compiled: everything that a stage needs to know, worked out at load. */
import type { BodySchema } from './body-schema.ts';
import type { Condition } from './condition.ts';
import type { Freshness } from './freshness.ts';
import type { FieldPath, JsonObject, JsonValue } from './json.ts';
import type { ConcurrencyLimit, RateLimit } from './limits.ts';
import type { Rollout } from './mode.ts';
import type { Owner, Principal } from './principal.ts';
import type { CanonicalRequest, ReadBody } from './request.ts';
import type { ResourceKind, ResourceRef, Verb } from './resource.ts';

export type PathSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  /** Matches the rest of the path, one segment or more. */
  | { readonly kind: 'rest' };

/** Where an id stands in a request. */
export type Location =
  | { readonly in: 'path'; readonly name: string }
  | { readonly in: 'query'; readonly name: string }
  | { readonly in: 'body'; readonly path: FieldPath; readonly text: string; readonly optional: boolean };

export interface ResourceUse {
  readonly verb: Verb;
  readonly kind: ResourceKind;
  readonly at: Location;
}

export type BodyRule =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly maxBytes: number; readonly schema?: BodySchema | undefined }
  | { readonly kind: 'multipart'; readonly maxBytes: number; readonly file: string };

/** Finds the ids that a text cites: those it must own, and those that must merely not be another's. */
export interface CitedIds {
  readonly mustOwn: readonly ResourceRef[];
  readonly mustNotBeForeign: readonly ResourceRef[];
}

/** Looks through a read body for ids inside free text, or throws a Rejection when a citation cannot be anybody's. */
export type ReferenceScan = (body: ReadBody) => CitedIds | Promise<CitedIds>;

/** One entry of the upstream's catalogue that the caller's choice must match: `list_models`, `list_tools`. */
export interface Catalogue {
  readonly name: string;
  readonly target: string;
  /** The fields that identify an entry. */
  readonly keys: readonly string[];
  readonly maxAgeMillis: number;
}

/** Reads a catalogue's entries; the gateway keeps one shared copy. */
export type CatalogueReader = (catalogue: Catalogue) => Promise<readonly JsonObject[]>;

export interface RewriteContext {
  readonly canonical: CanonicalRequest;
  readonly principal: Principal | undefined;
  readonly catalogue: CatalogueReader;
}

/** Changes the body in place. */
export type BodyOperation = (body: JsonObject, context: RewriteContext) => void | Promise<void>;

/** Returns what is forwarded instead of the value that the client gave, or throws a Rejection. */
export type QueryOperation = (given: string | undefined, principal: Principal | undefined) => string;

/** What the answer shows of a resource that is foreign or missing: both look the same. */
export interface HiddenAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** An answer of the gateway's own, for which nothing is forwarded. */
export interface FixedAnswer extends HiddenAnswer {
  readonly contentType: string;
}

export type AnswerRule =
  /** The bytes pass as they come. Below `relative` paths the upstream's absolute URLs become relative on the way. */
  | { readonly kind: 'stream'; readonly relative: readonly string[] }
  /** A JSON list that streams: of its rows those are kept whose `key` holds an id of the caller's own. */
  | { readonly kind: 'rows'; readonly resource: ResourceKind; readonly key: string; readonly maxRowBytes: number }
  /** A JSON value: rows are kept where they are the caller's, ids made by the server are learned, operations work on it. */
  | {
      readonly kind: 'json';
      readonly keep: readonly KeepRule[];
      readonly learn: readonly LearnRule[];
      readonly operations: readonly AnswerOperation[];
      readonly maxBytes: number;
    };

/** Of the lists or mappings at `list`, keep the entries whose id is the caller's own. */
export interface KeepRule {
  readonly resource: ResourceKind;
  readonly in: 'list' | 'mapping';
  readonly list: FieldPath;
  /** Undefined: the entry's key in its mapping is the id. */
  readonly id: FieldPath | undefined;
}

/** Ids that the server made, at `path`, become the caller's before the answer leaves. */
export interface LearnRule {
  readonly resource: ResourceKind;
  readonly path: FieldPath;
}

/** Returns the changed value. `owner` and `principal` are who asked; undefined where nobody is known. */
export type AnswerOperation = (
  value: JsonValue,
  owner: Owner | undefined,
  principal: Principal | undefined,
) => JsonValue;

/** A request that starts work which goes on: which field names the run, and whether the answer's end is the run's. */
export interface RunRule {
  readonly limit: ConcurrencyLimit;
  readonly session: FieldPath;
  readonly endsWithAnswer: boolean;
}

/** The request answers a call that waits for its caller's word. */
export interface ConfirmRule {
  /** Where the id of the call stands in the body. */
  readonly call: FieldPath;
  readonly text: string;
  /** The kind of what the call waits in; the route uses one of it, as the caller's own. */
  readonly of: string;
}

export interface Route {
  /** The policy's name for it, which is also the metric's and the audit record's. */
  readonly id: string;
  readonly rollout: Rollout;
  readonly method: string;
  readonly segments: readonly PathSegment[];
  /**
   * `public`: no token needed. `page`: a page of the user interface, which is public unless people can log in; then it asks
   * for a session. `user`: any caller who proves who it is. `denied`: listed in order to be refused.
   */
  readonly access: 'public' | 'page' | 'user' | 'denied';
  /** True: a token may also stand in the query, as `token`. It is never forwarded. */
  readonly tokenInQuery?: boolean;
  /** One of them is needed; empty: none is. */
  readonly roles: readonly string[];
  /** A request for which it does not hold is refused. */
  readonly when: Condition | undefined;
  /** Those that hold where a user is known, and those that hold where none is. */
  readonly limits: { readonly user: readonly RateLimit[]; readonly address: readonly RateLimit[] };
  readonly run: RunRule | undefined;
  /** Query parameters that are forwarded; all others are dropped. */
  readonly query: ReadonlySet<string>;
  /** By the name of the parameter; they work also on what the client left out. */
  readonly queryOperations: ReadonlyMap<string, QueryOperation>;
  readonly body: BodyRule;
  readonly uses: readonly ResourceUse[];
  readonly references: ReferenceScan | undefined;
  readonly confirms?: ConfirmRule | undefined;
  readonly operations: readonly BodyOperation[];
  /** The target that the upstream is asked for; undefined: the request's own path and listed query. */
  readonly forwardTo: string | undefined;
  /** Defined where one copy of the answer is shared by all callers. */
  readonly cache: Freshness | undefined;
  readonly fixed: FixedAnswer | undefined;
  readonly answer: AnswerRule;
  readonly hidden: HiddenAnswer | undefined;
  /** Added to the answer, replacing the upstream's of the same name. Names in lower case. */
  readonly answerHeaders: ReadonlyMap<string, string>;
  readonly timeoutMillis: number;
}

export interface RouteMatch {
  readonly route: Route;
  /** Path parameters by name: plain text, not yet checked against an id's grammar. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
}
