/**
 * An answer that goes on as long as its client listens is a live channel: like a socket, it never outlives the authority
 * under which it was opened.
 */
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import type { FilteredResponse } from '../model/response.ts';
import type { Listeners } from '../realtime/listeners.ts';
import type { Life } from './life.ts';

/** Server-sent events (HTML standard, section 9.2); white space as RFC 9110, section 5.6.3 has it. */
const EVENT_STREAM = /^text\/event-stream[ \t]*(?:;|$)/i;

/** Ends the answer with its caller's authority, where it is a live one. Returns what takes that back. */
export const endWithAuthority = (
  listeners: Pick<Listeners, 'add'> | undefined,
  life: Life,
  { headers, body }: FilteredResponse,
): (() => void) | undefined => {
  const { principal, cancellation } = life;
  if (listeners === undefined || principal === undefined || body === undefined || Buffer.isBuffer(body))
    return undefined;
  if (!EVENT_STREAM.test(contentTypeOf(headers))) return undefined;
  const ended = (reason: ReasonCode): void => {
    life.endedBy = reason;
    cancellation.cancelled = true;
    cancellation.onCancel?.();
  };
  const letGo = listeners.add(principal, {
    ended,
    prolonged(later) {
      life.principal = later;
      if (mayStill(life, later)) return;
      letGo();
      ended('role-missing');
    },
  });
  return letGo;
};

/** Whose roles have changed may not be let in any more; what passes whatever is found passes on. */
const mayStill = ({ match, passing }: Life, { roles }: Principal): boolean => {
  const asked = match?.route.roles ?? [];
  return passing !== undefined || asked.length === 0 || asked.some((role) => roles.includes(role));
};

/** Written out: this is asked of every answer. */
const contentTypeOf = (headers: readonly string[]): string => {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === 'content-type') return headers[index + 1] ?? '';
  }
  return '';
};
