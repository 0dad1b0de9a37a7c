/**
 * What an event of the upstream is, and whose it might be: read from the message alone, by closed tables. Nothing is
 * looked up here, and nothing that is not listed gets through.
 */
import { isCallId } from '../model/call.ts';
import type { EventReference, EventRule, EventTypeRule, UpstreamEvent } from '../model/event.ts';
import { valuesAt } from '../model/field-path.ts';
import type { FieldPath, JsonValue } from '../model/json.ts';
import { relativeUrls } from '../model/relative-urls.ts';
import { type ResourceKind, type ResourceRef, resourceKey } from '../model/resource.ts';

export type Classified =
  | {
      readonly kind: 'deliver';
      readonly rule: EventRule;
      readonly type: string;
      readonly typeRule: EventTypeRule;
      /** Its owner hears the event. */
      readonly owner: ResourceRef;
      /** Must be the same owner's. */
      readonly agree: readonly ResourceRef[];
      /** Made by the server itself; become the owner's. Each is here once. */
      readonly learn: readonly ResourceRef[];
      /** The id of the call that waits for the owner's word from now on. */
      readonly pending?: string | undefined;
      /** The id of the call that waits no longer. */
      readonly settled?: string | undefined;
    }
  | {
      readonly kind: 'drop';
      readonly because: 'unlisted-event' | 'unlisted-type' | 'no-resource' | 'malformed';
      /** Undefined where there is none that is a text. */
      readonly type: string | undefined;
    };

export type Deliverable = Extract<Classified, { kind: 'deliver' }>;

type ReadRef = (value: JsonValue | undefined) => ResourceRef | undefined;
type Readers = ReadonlyMap<ResourceKind, ReadRef>;

/** Returns a function that says what an event is. It never throws. */
export const classify = (rules: ReadonlyMap<string, EventRule>): ((event: UpstreamEvent) => Classified) => {
  const references = [...rules.values()].flatMap((rule) => [
    rule.owner,
    ...rule.agree,
    ...[...rule.types.values()].flatMap((type) => type.learn),
  ]);
  const readers = new Map(references.map(({ kind }) => [kind, readerOf(kind)]));

  return (event) => {
    const rule = rules.get(event.name);
    if (rule === undefined) return drop('unlisted-event');

    const type = only(valuesAt(event.payload, rule.typePath));
    if (typeof type !== 'string') return drop('malformed');
    const typeRule = rule.types.get(type);
    if (typeRule === undefined) return drop('unlisted-type', type);

    const named = valuesAt(event.payload, rule.owner.path);
    // A chat without a session emits under "" (contract, section 4): nobody's, so nobody hears it.
    if (named.every(isAbsent)) return drop('no-resource', type);
    const owner = readers.get(rule.owner.kind)?.(only(named));
    if (owner === undefined) return drop('malformed', type);

    const agree = refsAt(event, rule.agree, readers);
    // What is named but cannot be an id cannot be compared, so it does not agree.
    if (agree.includes(undefined)) return drop('malformed', type);
    // What is not an id of the kind (an inline image, another server's URL) is simply not learned.
    const learn = new Map(
      refsAt(event, typeRule.learn, readers).flatMap((ref) => (ref ? [[resourceKey(ref), ref]] : [])),
    );
    const found = { rule, type, typeRule, owner, agree: agree.filter(isKnown), learn: [...learn.values()] };
    return { kind: 'deliver', ...found, ...callsOf(event, typeRule) };
  };
};

const drop = (because: Extract<Classified, { kind: 'drop' }>['because'], type?: string): Classified => ({
  kind: 'drop',
  because,
  type,
});

const only = (values: readonly JsonValue[]): JsonValue | undefined => (values.length === 1 ? values[0] : undefined);

const isAbsent = (value: JsonValue): boolean => value === null || value === '';

const isKnown = (ref: ResourceRef | undefined): ref is ResourceRef => ref !== undefined;

const callsOf = ({ payload }: UpstreamEvent, { pending, settled }: EventTypeRule) => ({
  pending: pending && callAt(payload, pending),
  settled: settled && callAt(payload, settled),
});

const callAt = (payload: JsonValue, path: FieldPath): string | undefined => {
  const call = only(valuesAt(payload, path));
  return isCallId(call) ? call : undefined;
};

/** Undefined for what is named there and is no id; nothing for what is not there, null or empty. */
const refsAt = (event: UpstreamEvent, references: readonly EventReference[], readers: Readers) =>
  references.flatMap(({ kind, path }) =>
    valuesAt(event.payload, path)
      .filter((value) => !isAbsent(value))
      .map((value) => readers.get(kind)?.(value)),
  );

/** Reads an id, or an URL of the upstream itself below the kind's path. */
const readerOf = (kind: ResourceKind): ReadRef => {
  const { name, pattern, reserved, url } = kind;
  const relative = url === undefined ? undefined : relativeUrls([url]);
  return (value) => {
    if (typeof value !== 'string') return undefined;
    const text = relative === undefined ? value : relative(value);
    if (typeof text !== 'string') return undefined;
    const id = url !== undefined && text.startsWith(url) ? text.slice(url.length) : text;
    return pattern.test(id) && !reserved.has(id) ? { kind: name, id } : undefined;
  };
};
