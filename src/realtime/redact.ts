/**
 * What an event hides from its own owner. Binary parts travel beside the payload, which has placeholders for them
 * (Socket.IO protocol 5): a part whose placeholder is hidden stays behind, whatever else in the payload points to it.
 */
import { changeAt, type Holder, REDACTED } from '../model/change-at.ts';
import type { UpstreamEvent } from '../model/event.ts';
import { isObject } from '../model/field-path.ts';
import type { FieldPath, JsonObject, JsonValue } from '../model/json.ts';

type Attachments = NonNullable<UpstreamEvent['attachments']>;

/** Returns the event with its payload changed in place, and with those binary parts alone that are still to be seen. */
export const redact = (event: UpstreamEvent, places: readonly FieldPath[] | undefined): UpstreamEvent => {
  if (places === undefined || places.length === 0) return event;
  const { payload, attachments = [] } = event;
  const hidden = new Set<number>();
  for (const place of places) {
    changeAt(payload, place, (holder, key) => {
      if (attachments.length > 0) forEachPlaceholder(holder[key] ?? null, (part) => hidden.add(part));
      holder[key] = REDACTED;
    });
  }
  return hidden.size === 0 ? event : { ...event, attachments: withoutParts(payload, attachments, hidden) };
};

/** Returns the parts that are left; the placeholders in the payload come to count them anew. */
const withoutParts = (payload: JsonObject, attachments: Attachments, hidden: ReadonlySet<number>): Attachments => {
  const numbers = new Map<number, number>();
  const left: Buffer[] = [];
  for (const [part, bytes] of attachments.entries()) {
    if (hidden.has(part)) continue;
    numbers.set(part, left.length);
    left.push(bytes);
  }
  forEachPlaceholder(payload, (part, holder, key) => {
    const num = numbers.get(part);
    if (holder === undefined || key === undefined) return;
    holder[key] = num === undefined ? REDACTED : { _placeholder: true, num };
  });
  return left;
};

type Visit = (part: number, holder?: Holder, key?: string | number) => void;

const forEachPlaceholder = (value: JsonValue, visit: Visit): void => {
  const part = partOf(value);
  if (part !== undefined) {
    visit(part);
    return;
  }
  const open: JsonValue[] = [value];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (typeof one !== 'object' || one === null || Object.isFrozen(one)) continue;
    const holder = one as Holder;
    for (const [key, member] of Object.entries(holder)) {
      const found = partOf(member);
      if (found === undefined) open.push(member);
      else visit(found, holder, key);
    }
  }
};

const partOf = (value: JsonValue): number | undefined => {
  if (!isObject(value) || value._placeholder !== true) return undefined;
  const { num } = value;
  return typeof num === 'number' && Number.isInteger(num) ? num : undefined;
};
