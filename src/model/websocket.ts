/** An endpoint that speaks WebSocket without Socket.IO: JSON messages that are judged one by one, or an opaque tunnel. */
import type { BodySchema } from './body-schema.ts';
import type { EventRule } from './event.ts';
import type { FieldPath } from './json.ts';
import type { Rollout } from './mode.ts';
import type { ResourceKind, ResourceRef, Verb } from './resource.ts';
import type { AnswerOperation } from './route.ts';

/** True for what can be the id of an owned resource of one kind. */
export type IsId = (value: unknown) => value is string;

export type WebSocketSegment =
  | { readonly kind: 'literal'; readonly text: string }
  /** Holds an id that must be the caller's own. */
  | { readonly kind: 'parameter'; readonly name: string; readonly isId: IsId };

/** A WebSocket endpoint, compiled. */
export interface WebSocketRule {
  /** The policy's name for it, which is also the metric's and the audit record's. */
  readonly id: string;
  readonly rollout: Rollout;
  readonly segments: readonly WebSocketSegment[];
  /** Where a token may stand in the handshake. */
  readonly credentials: ReadonlySet<'header' | 'query'>;
  /** One of them is needed; empty: none is. */
  readonly roles: readonly string[];
  /** Those that may be negotiated. */
  readonly subprotocols: readonly string[];
  /** The path that the upstream is asked for; undefined: the one that was asked for here. */
  readonly forwardTo: string | undefined;
  /** What holds for a connection as long as it is open, as one text: under other terms it would be another one. */
  readonly terms: string;
  readonly carries: MessageRules | OpaqueRule;
}

/** What one JSON message may be, in each direction: closed tables by type. */
export interface MessageRules {
  readonly kind: 'messages';
  /** The place of the type: keys only. */
  readonly typePath: readonly string[];
  /** Of one message, in both directions. */
  readonly maxBytes: number;
  /** From the client to the upstream. */
  readonly send: ReadonlyMap<string, SendRule>;
  /** From the upstream to the client. */
  readonly deliver: ReadonlyMap<string, DeliverRule>;
}

export interface SendRule {
  readonly uses: readonly MessageUse[];
  readonly schema: BodySchema | undefined;
  readonly maxBytes: number;
}

/** A place of a client's message that holds an id. */
export interface MessageUse {
  readonly verb: Exclude<Verb, 'release'>;
  readonly kind: ResourceKind;
  readonly path: FieldPath;
  readonly isId: IsId;
}

export interface DeliverRule {
  /** Whose it is, with a table of the one type; undefined: it is the same for all users, as the policy says. */
  readonly owned: EventRule | undefined;
  /** What is changed before it is shown. */
  readonly operations: readonly AnswerOperation[];
}

/** Bytes pass unjudged. */
export interface OpaqueRule {
  readonly kind: 'opaque';
  /** A connection on which nothing passes for so long is ended. */
  readonly idleMillis: number;
}

export interface WebSocketMatch {
  readonly rule: WebSocketRule;
  /** What the path names. */
  readonly resources: readonly ResourceRef[];
  /** The path that the upstream is asked for, rebuilt. */
  readonly target: string;
}

/** Returns the one endpoint at a canonical path, or undefined. Policies with two of them do not load. */
export const webSocketAt = (rules: readonly WebSocketRule[], path: string): WebSocketMatch | undefined => {
  const parts = path.slice(1).split('/');
  for (const rule of rules) {
    const resources = resourcesIn(rule.segments, parts);
    if (resources !== undefined) return { rule, resources, target: rule.forwardTo ?? targetOf(rule, resources) };
  }
  return undefined;
};

/** Undefined where the path is another one. */
const resourcesIn = (
  segments: readonly WebSocketSegment[],
  parts: readonly string[],
): readonly ResourceRef[] | undefined => {
  if (segments.length !== parts.length) return undefined;
  const resources: ResourceRef[] = [];
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (segment.kind === 'literal' ? segment.text !== part : !segment.isId(part)) return undefined;
    if (segment.kind === 'parameter' && part !== undefined) resources.push({ kind: segment.name, id: part });
  }
  return resources;
};

const targetOf = ({ segments }: WebSocketRule, resources: readonly ResourceRef[]): string =>
  segments
    .map((segment) =>
      segment.kind === 'literal' ? `/${segment.text}` : `/${resources.find(({ kind }) => kind === segment.name)?.id}`,
    )
    .join('');
