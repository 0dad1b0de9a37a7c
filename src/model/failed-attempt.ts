/** What counts as an attempt to get in with something that is not good. */
import type { Rejection } from './rejection.ts';

/**
 * True where something was shown that was never good, or is not any more. Who shows nothing tries nothing, and neither does
 * a page that is left open when its session ends: its browser shows the cookie again and again.
 */
export const isFailedAttempt = ({ status, reason }: Pick<Rejection, 'status' | 'reason'>): boolean =>
  status === 401 && reason !== 'token-missing' && reason !== 'session-ended';
