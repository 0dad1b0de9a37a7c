/** An event of which nothing is left but whose it is and what type: enough for a page to end its waiting. */
import type { EventRule, UpstreamEvent } from '../model/event.ts';
import { isObject } from '../model/field-path.ts';
import { EACH, EVERY, type FieldPath, type JsonObject, type JsonValue } from '../model/json.ts';

/**
 * Returns the event with the places of the owner, of what must agree and of the type, and with nothing else. The payload is
 * changed in place: by it those are known who have heard the event before.
 */
export const bare = ({ name, payload }: UpstreamEvent, { owner, agree, typePath }: EventRule): UpstreamEvent => {
  const kept = membersAt(payload, [owner.path, ...agree.map(({ path }) => path), typePath]);
  for (const key of Object.keys(payload)) delete payload[key];
  return { name, payload: Object.assign(payload, kept) };
};

const membersAt = (object: JsonObject, paths: readonly FieldPath[]): JsonObject =>
  Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => {
      const below = behind(paths, (step) => step === key || step === EVERY);
      return below.length === 0 ? [] : [[key, keptAt(value, below)]];
    }),
  );

const keptAt = (value: JsonValue, paths: readonly FieldPath[]): JsonValue => {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) {
    const below = behind(paths, (step) => step === EACH);
    return value.map((element) => keptAt(element, below));
  }
  return isObject(value) ? membersAt(value, paths) : null;
};

const behind = (paths: readonly FieldPath[], leads: (step: FieldPath[number] | undefined) => boolean): FieldPath[] =>
  paths.filter(([step]) => leads(step)).map(([, ...rest]) => rest);
