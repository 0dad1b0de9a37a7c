/** The token of the moment, and the next one: asked for once however many need it. */

/** A token; with its end where it is no JWT, whose `exp` says it. */
export type Token = string | { readonly token: string; readonly expiresAtMillis?: number };

export interface TokenSource {
  /** Gives the token of the moment; asked for each request and each connection. */
  readonly token: () => Token | Promise<Token>;
  /** Gets another than the one that is good no longer, which `token` gives from then on. Without it `token` is asked again. */
  readonly refresh?: ((stale: string) => Token | Promise<Token>) | undefined;
}

export interface Held {
  readonly token: string;
  readonly expiresAtMillis: number | undefined;
}

export interface Tokens {
  current(): Promise<Held>;
  /** Resolves with the token after a stale one, which is the same where there is no other. */
  renewed(stale: string): Promise<Held>;
}

export const tokens = ({ token, refresh }: TokenSource): Tokens => {
  // By the token and no other: what came after one user's token must never follow another's.
  const successors = new Map<string, Promise<Held>>();
  let newest: string | undefined;

  const next = async (stale: string): Promise<Held> => {
    const now = held(await token());
    // Another tab, or whoever keeps the tokens, may have been faster.
    return refresh === undefined || !successors.has(now.token) ? now : held(await refresh(stale));
  };

  /** The application may keep a new token later than requests need it, or not at all. */
  const latest = async (now: Held): Promise<Held> => {
    const after = await successors.get(now.token)?.catch(() => undefined);
    return after === undefined || after.token === now.token ? now : latest(after);
  };

  const renewed = (stale: string): Promise<Held> => {
    const known = successors.get(stale);
    if (known !== undefined) return known.then(latest);
    const fresh = next(stale);
    successors.set(stale, fresh);
    fresh.then(
      ({ token: given }) => {
        newest = given;
        // Also where it is the same: then it is asked for again.
        successors.delete(given);
      },
      () => successors.delete(stale),
    );
    return fresh;
  };

  return {
    renewed,
    async current() {
      const now = await latest(held(await token()));
      // One that was just got is good, whatever the clock of this machine says.
      const isOver = now.token !== newest && (now.expiresAtMillis ?? Infinity) <= Date.now();
      // If there is no other, let the gateway judge: its refusal says more.
      return isOver ? renewed(now.token).catch(() => now) : now;
    },
  };
};

const held = (given: Token): Held =>
  typeof given === 'string' ? { token: given, expiresAtMillis: expiryOf(given) } : { ...NO_END, ...given };

const NO_END = { expiresAtMillis: undefined };

/** Reads `exp` of a JWT (RFC 7519, section 4.1.4), and verifies nothing: that is the gateway's. */
const expiryOf = (token: string): number | undefined => {
  try {
    const payload = token.split('.')[1] ?? '';
    const { exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    // Opaque: nobody but its issuer knows.
    return undefined;
  }
};
