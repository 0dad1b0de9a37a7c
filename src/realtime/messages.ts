/**
 * What one message of a raw WebSocket is, and what it names: read from the message alone, by the closed tables of its
 * endpoint. Nothing is looked up here. A message without a listed type is none.
 */
import type { EventRule } from '../model/event.ts';
import { fieldPathText, isObject, valuesAt } from '../model/field-path.ts';
import type { FieldPath, JsonObject, JsonValue } from '../model/json.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { DeliverRule, MessageRules, MessageUse, SendRule } from '../model/websocket.ts';
import { type Classified, classify } from './classify.ts';

export interface SentMessage {
  readonly type: string;
  readonly rule: SendRule;
  readonly value: JsonObject;
  readonly named: readonly NamedResource[];
}

export interface NamedResource {
  readonly use: MessageUse;
  readonly ref: ResourceRef;
}

export type DeliveredMessage =
  | { readonly kind: 'everyone'; readonly type: string; readonly rule: DeliverRule; readonly value: JsonObject }
  | {
      readonly kind: 'owned';
      readonly type: string;
      readonly rule: DeliverRule;
      readonly value: JsonObject;
      /** Its owner may see the message. */
      readonly owner: ResourceRef;
      /** Must be the same owner's. */
      readonly agree: readonly ResourceRef[];
      /** Made by the server itself; become the owner's. */
      readonly learn: readonly ResourceRef[];
    }
  | {
      readonly kind: 'drop';
      readonly because: 'unlisted-type' | 'no-resource' | 'malformed';
      /** Undefined where there is none that is a text. */
      readonly type: string | undefined;
    };

export interface MessageJudge {
  /** Judges what a client says; throws a Rejection. */
  sent(value: JsonValue): SentMessage;
  /** Judges what the upstream says. It never throws. */
  delivered(value: JsonValue): DeliveredMessage;
  /** The message by which the gateway itself tells a client of a refusal. */
  notice(rejection: { readonly code: string; readonly message: string }): JsonObject;
}

/** The type of the gateway's own messages, which no policy may list. */
const OWN_TYPE = 'gateway';

/** Returns the judge of an endpoint's messages. */
export const messages = (rules: MessageRules): MessageJudge => {
  const owned = new Map<string, EventRule>();
  for (const [type, rule] of rules.deliver) if (rule.owned !== undefined) owned.set(type, rule.owned);
  const classified = classify(owned);

  return {
    sent(value) {
      if (!isObject(value)) throw new Rejection('packet-invalid', 'a message that is no object');
      const type = textAt(value, rules.typePath);
      const rule = type === undefined ? undefined : rules.send.get(type);
      if (type === undefined || rule === undefined) throw new Rejection('event-refused', wordsFor(type));
      return { type, rule, value, named: rule.uses.map((use) => ({ use, ref: refAt(value, use) })) };
    },

    delivered(value) {
      if (!isObject(value)) return { kind: 'drop', because: 'malformed', type: undefined };
      const type = textAt(value, rules.typePath);
      if (type === undefined) return { kind: 'drop', because: 'malformed', type: undefined };
      const rule = rules.deliver.get(type);
      if (rule === undefined) return { kind: 'drop', because: 'unlisted-type', type };
      if (rule.owned === undefined) return { kind: 'everyone', type, rule, value };
      return found(classified({ name: type, payload: value }), { type, rule, value });
    },

    notice: ({ code, message }) => withText({ refused: { code, message } }, rules.typePath, OWN_TYPE),
  };
};

const found = (
  what: Classified,
  message: { readonly type: string; readonly rule: DeliverRule; readonly value: JsonObject },
): DeliveredMessage => {
  if (what.kind === 'deliver') {
    const { owner, agree, learn } = what;
    return { kind: 'owned', ...message, owner, agree, learn };
  }
  const { because } = what;
  return { kind: 'drop', because: because === 'unlisted-event' ? 'unlisted-type' : because, type: message.type };
};

const textAt = (value: JsonObject, path: FieldPath): string | undefined => {
  const [text] = valuesAt(value, path);
  return typeof text === 'string' ? text : undefined;
};

const refAt = (value: JsonObject, { kind, path, isId }: MessageUse): ResourceRef => {
  const [id, ...more] = valuesAt(value, path);
  if (more.length === 0 && isId(id)) return { kind: kind.name, id };
  throw new Rejection('id-invalid', `message ${fieldPathText(path)}: expected a ${kind.name} id`);
};

const MAX_TYPE = 64;

/** A type is the client's own text: in the record it is short, and quoted. */
const wordsFor = (type: string | undefined): string =>
  type === undefined ? 'a message without a type' : `message ${JSON.stringify(type.slice(0, MAX_TYPE))}`;

const withText = (value: JsonObject, path: readonly string[], text: string): JsonObject => {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  return { ...value, [key]: rest.length === 0 ? text : withText({}, rest, text) };
};
