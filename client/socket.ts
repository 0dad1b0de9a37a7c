/** A socket that shows its token, renews it in band before it ends, and comes back with a fresh one when it was closed. */
import { type GatewayError, noToken, type Refusal, refusalOf } from './error.ts';
import { type Life, lifeOf, type SocketLike } from './renewal.ts';
import type { Tokens } from './tokens.ts';

/** What the gateway itself has to say. */
export type Notice =
  /** What was missed while the socket was away has come, or is lost: then load everything anew. */
  | { readonly type: 'history'; readonly recovered: boolean; readonly missed?: number }
  /** What the server said in this time nobody knows. */
  | { readonly type: 'gap'; readonly sinceMillis: number; readonly untilMillis: number }
  | { readonly type: 'run-stopped'; readonly kind: string; readonly id: string; readonly code: string };

export interface SocketOptions<O> {
  /** Handed to `io`; `auth` is the kit's. */
  readonly io?: Omit<O, 'auth'>;
  readonly onNotice?: (notice: Notice) => void;
  /** Told of every refusal. With `retryAfterMillis` the socket comes again by itself. */
  readonly onError?: (error: GatewayError) => void;
}

export interface GatewaySocket<S> {
  readonly socket: S;
  /** Ends it for good, with nothing left behind. */
  stop(): void;
}

export interface SocketParts {
  readonly tokens: Tokens;
  readonly origin: string;
  readonly signal: AbortSignal | undefined;
}

export const gatewaySocket = <S extends SocketLike, O>(
  { tokens, origin, signal }: SocketParts,
  io: (url: string, options: O) => S,
  { io: settings, onNotice, onError }: SocketOptions<O>,
): GatewaySocket<S> => {
  const tell = (error: GatewayError): void => void (life.isOver || onError?.(error));
  const life: Life = lifeOf({ tokens, tell, socket: () => socket });
  let attempt = 0;
  let isStale = false;

  const auth = async (send: (data: object) => void): Promise<void> => {
    const mine = ++attempt;
    try {
      const held = await (isStale && life.shown ? tokens.renewed(life.shown.token) : tokens.current());
      // The transport that asked may be gone by now, and the next one have asked too.
      if (life.isOver || mine !== attempt) return;
      life.shown = held;
      send({ token: held.token, resume: true });
    } catch (cause) {
      // The gateway ends a connection that says nothing, and socket.io comes again.
      tell(noToken(cause));
    }
  };

  const socket = io(origin, { transports: ['websocket'], ...settings, auth } as O);
  const door = refusals({ tokens, life, socket, tell });
  const stop = (): void => {
    life.isOver = true;
    life.rest();
    signal?.removeEventListener('abort', stop);
    socket.disconnect();
  };
  socket.on('connect', () => {
    isStale = false;
    door.opened();
    life.plan(life.shown?.expiresAtMillis);
  });
  socket.on('connect_error', ({ data }: { readonly data?: Refusal }) => {
    // Without a code it is the transport's, and socket.io comes again by itself.
    if (data?.code !== undefined) void door.refused(data);
  });
  socket.on('disconnect', (_: string, details?: { readonly context?: { readonly code?: number } }) => {
    life.rest();
    if (details?.context?.code === 4401) isStale = true;
  });
  socket.on('gateway', (notice: Notice) => onNotice?.(notice));
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  return { socket, stop };
};

interface Refusals {
  readonly tokens: Tokens;
  readonly life: Life;
  readonly socket: SocketLike;
  readonly tell: (error: GatewayError) => void;
}

/** socket.io-client does not come again where CONNECT was refused: here it does, once with a fresh token. */
const refusals = ({ tokens, life, socket, tell }: Refusals) => {
  let isRetried = false;
  const again = (): void => {
    if (!life.isOver && !socket.active) socket.connect();
  };
  return {
    opened(): void {
      isRetried = false;
      life.rest();
    },
    async refused(refusal: Refusal): Promise<void> {
      let error = refusalOf(refusal);
      if (error.status === 401 && life.shown && !isRetried) {
        isRetried = true;
        const stale = life.shown.token;
        try {
          const { token } = await tokens.renewed(stale);
          if (token !== stale) return again();
        } catch (cause) {
          error = refusalOf(refusal, cause);
        }
      }
      isRetried = false;
      if (error.retryAfterMillis) life.later(error.retryAfterMillis, again);
      tell(error);
    },
  };
};
