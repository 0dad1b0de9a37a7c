/**
 * HOW MUCH AT ONCE: the bytes of the bodies that are being read, judged or forwarded. Without a bound for each user, one
 * of them could fill the memory with large saves that the rate limits allow.
 */
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { RouteMatch } from '../model/route.ts';

export interface BytesOptions {
  readonly maxBytesPerKey: number;
  readonly maxBytes: number;
}

/** Gives back what was taken. Idempotent. */
export type GiveBack = () => void;

export interface Bytes {
  /** Takes what a body may hold, or throws `bodies-limited`. Undefined where the request carries none. */
  take(request: CanonicalRequest, match: RouteMatch, principal: Principal | undefined): GiveBack | undefined;
  /** Bytes that are taken now. */
  taken(): number;
}

export const bytes = ({ maxBytesPerKey, maxBytes }: BytesOptions): Bytes => {
  const byKey = new Map<string, number>();
  let total = 0;

  const change = (key: string, amount: number): void => {
    total += amount;
    const left = (byKey.get(key) ?? 0) + amount;
    if (left === 0) byKey.delete(key);
    else byKey.set(key, left);
  };

  return {
    take(request, { route: { body } }, principal) {
      if (body.kind === 'none' || !request.hasBody) return undefined;
      const key = principal?.owner ?? request.address;
      const announced = request.headers.get('content-length');
      // Without an announced length it may become as large as the route allows; what is too large is refused as such.
      const amount = announced === undefined ? body.maxBytes : Math.min(Number(announced), body.maxBytes);
      const own = byKey.get(key) ?? 0;
      // One body is always allowed: a bound below a route's own must not make that route useless.
      if ((own > 0 && own + amount > maxBytesPerKey) || (total > 0 && total + amount > maxBytes)) {
        throw new Rejection('bodies-limited', `${own} bytes are under way for this key, ${total} in all`, {
          headers: ['retry-after', '1'],
        });
      }
      change(key, amount);
      let open = true;
      return () => {
        if (open) change(key, -amount);
        open = false;
      };
    },
    taken: () => total,
  };
};
