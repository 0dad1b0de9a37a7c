/** Moments as an operator writes them: a span before now, or a date. */
import { DURATION, durationMillis } from '../policy/amounts.ts';

export const MOMENT_FORM = 'a span of time such as 24h or 7d, or a time such as 2026-11-01 or 2026-11-01T08:00:00Z';

const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:[.]\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Returns Unix time in milliseconds for a moment, or for one so long ago; undefined for anything else. */
export function parseMoment(text: string, nowMillis: number = Date.now()): number | undefined {
  if (DURATION.test(text)) return nowMillis - durationMillis(text);
  if (!DATE.test(text)) return undefined;
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? undefined : millis;
}
