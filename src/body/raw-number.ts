/** `JSON.rawJSON`, which the runtime has and the compiler's library does not yet describe. */
import type { JsonValue, RawNumber } from '../model/json.ts';

const raw = JSON as unknown as { rawJSON(text: string): RawNumber; isRawJSON(value: unknown): boolean };

/** Returns the number that JSON.stringify writes exactly as it is spelt here. */
export const rawNumber = (text: string): RawNumber => raw.rawJSON(text);

/** Returns whether a value is such a number: an object `{"rawJSON": "1"}` of a client is not. */
export const isRawNumber = (value: JsonValue): value is RawNumber => raw.isRawJSON(value);
