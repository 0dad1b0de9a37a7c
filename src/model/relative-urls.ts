/** The upstream's absolute URLs of itself point past the gateway, so answers and events carry them relative. */
import type { JsonObject, JsonValue } from './json.ts';

const LOOPBACK = String.raw`https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?`;

/** Matches the part of a text that makes a loopback URL of one of these paths absolute. */
export const absolutePart = (paths: readonly string[]): RegExp =>
  new RegExp(`${LOOPBACK}(?=${paths.map((path) => RegExp.escape(path)).join('|')})`, 'g');

/** Returns a function that makes loopback URLs relative where one of these paths follows; it changes values in place. */
export const relativeUrls = (paths: readonly string[]): ((value: JsonValue) => JsonValue) => {
  if (paths.length === 0) return (value) => value;
  const pattern = absolutePart(paths);

  const walk = (value: JsonValue): JsonValue => {
    // The look for "://" is native and spares the expression on megabytes of base64.
    if (typeof value === 'string') return value.includes('://') ? value.replace(pattern, '') : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      for (const [index, element] of value.entries()) {
        const changed = walk(element);
        if (changed !== element) value[index] = changed;
      }
      return value;
    }
    const object = value as JsonObject;
    for (const key of Object.keys(object)) {
      const member = object[key];
      if (member === undefined) continue;
      const changed = walk(member);
      if (changed !== member) object[key] = changed;
    }
    return object;
  };
  return walk;
};
