/**
 * HOW MUCH AT ONCE: what one user, or one address where nobody is known, may hold of what everybody needs: open requests,
 * each of which may hold a connection to the upstream, and the bytes of bodies that are read, judged or forwarded. Rate
 * limits do not bound either: a reader that takes nothing stays, and a few large saves fill the memory.
 */
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { RouteMatch } from '../model/route.ts';

export interface SharesOptions {
  readonly maxOpenPerKey: number;
  readonly maxOpen: number;
  readonly maxBytesPerKey: number;
  readonly maxBytes: number;
}

/** What one request holds. To be given back once. */
export interface Share {
  readonly key: string;
  readonly bytes: number;
}

export interface Shares {
  /**
   * Takes one open request and what its body may hold, or throws `open-limited` or `bodies-limited` and takes nothing.
   * Without a match no body is read.
   */
  take(request: CanonicalRequest, match: RouteMatch | undefined, principal: Principal | undefined): Share;
  giveBack(share: Share): void;
  /** What is held now, of all. */
  held(): { readonly open: number; readonly bytes: number; readonly keys: number };
}

interface Holding {
  open: number;
  bytes: number;
}

export const shares = (options: SharesOptions): Shares => {
  const byKey = new Map<string, Holding>();
  const all: Holding = { open: 0, bytes: 0 };

  return {
    take(request, match, principal) {
      const key = principal?.owner ?? request.address;
      const bytes = bytesOf(request, match);
      const own = byKey.get(key) ?? { open: 0, bytes: 0 };
      if (own.open >= options.maxOpenPerKey || all.open >= options.maxOpen) throw full('open-limited', own, all);
      if (bytes > 0) {
        // One body is always allowed: a bound below a route's own must not make that route useless.
        const tooMuch = own.bytes > 0 && own.bytes + bytes > options.maxBytesPerKey;
        if (tooMuch || (all.bytes > 0 && all.bytes + bytes > options.maxBytes)) throw full('bodies-limited', own, all);
      }
      own.open += 1;
      own.bytes += bytes;
      all.open += 1;
      all.bytes += bytes;
      if (own.open === 1) byKey.set(key, own);
      return { key, bytes };
    },

    giveBack({ key, bytes }) {
      const own = byKey.get(key);
      if (own === undefined) return;
      own.open -= 1;
      own.bytes -= bytes;
      all.open -= 1;
      all.bytes -= bytes;
      if (own.open === 0) byKey.delete(key);
    },

    held: () => ({ ...all, keys: byKey.size }),
  };
};

/** Without an announced length a body may become as large as the route allows; what is larger is refused as such. */
const bytesOf = ({ hasBody, headers }: CanonicalRequest, match: RouteMatch | undefined): number => {
  const body = match?.route.body;
  if (!hasBody || body === undefined || body.kind === 'none') return 0;
  const announced = headers.get('content-length');
  return announced === undefined ? body.maxBytes : Math.min(Number(announced), body.maxBytes);
};

const full = (reason: 'open-limited' | 'bodies-limited', own: Holding, all: Holding): Rejection =>
  new Rejection(reason, `${own.open} requests with ${own.bytes} bytes are open for this key, ${all.open} in all`, {
    headers: ['retry-after', '1'],
  });
