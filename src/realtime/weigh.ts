/** About how much memory a message holds. Lengths of strings are known, so megabytes of base64 cost nothing to weigh. */
import type { UpstreamEvent } from '../model/event.ts';
import type { JsonValue } from '../model/json.ts';

const VALUE_BYTES = 16;

/** Returns an estimate in bytes: binary parts, the characters of all strings, and a little for every key and value. */
export const weigh = ({ payload, attachments = [] }: Omit<UpstreamEvent, 'name'>): number => {
  const rest: JsonValue[] = [payload];
  let bytes = attachments.reduce((sum, { length }) => sum + length, 0);
  for (let value = rest.pop(); value !== undefined; value = rest.pop()) {
    bytes += VALUE_BYTES;
    if (typeof value === 'string') bytes += value.length;
    else if (Array.isArray(value)) for (const element of value) rest.push(element);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) {
        bytes += key.length;
        rest.push(member);
      }
    }
  }
  return bytes;
};
