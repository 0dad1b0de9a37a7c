/** The life of a socket's token: renewed in band before it ends, and planned with one timer, which rests when told to. */
import { type GatewayError, noToken, type Refusal, refusalOf } from './error.ts';
import type { Held, Tokens } from './tokens.ts';

/** What is used of a socket of socket.io-client. */
export interface SocketLike {
  readonly connected: boolean;
  readonly active: boolean;
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

export interface Life {
  /** The token that the gateway was shown last. */
  shown: Held | undefined;
  isOver: boolean;
  /** Renews the token in time before this. */
  plan(expiresAtMillis: number | undefined): void;
  /** Does something later, and nothing else that was planned. */
  later(millis: number, work: () => void): void;
  rest(): void;
}

interface Parts {
  readonly tokens: Tokens;
  readonly tell: (error: GatewayError) => void;
  readonly socket: () => SocketLike;
}

interface Answer extends Refusal {
  readonly status?: string;
  readonly expiresAtMillis?: number;
}

/** A token is renewed when a third of its time is left, or so much: the timers of hidden pages are slow. */
const MARGIN_MILLIS = 120_000;

/** Nothing is begun so shortly before the end: the gateway says 4401 then, and the socket comes again. */
const TOO_LATE_MILLIS = 500;

/** A timer takes no more than 2^31 - 1. */
const MAX_TIMER_MILLIS = 2_147_483_647;

export const lifeOf = ({ tokens, tell, socket }: Parts): Life => {
  let timer: ReturnType<typeof setTimeout> | undefined;

  const renew = async (stale: Held): Promise<void> => {
    try {
      const { token } = await tokens.renewed(stale.token);
      if (life.isOver || !socket().connected || life.shown !== stale) return;
      // Whoever keeps the tokens may see no reason yet.
      if (token === stale.token) return life.plan(stale.expiresAtMillis);
      // With an `ackTimeout` an error, or none, comes first.
      socket().emit('auth', { token }, (...answers: unknown[]) => {
        const { status, expiresAtMillis, ...why } = (answers.at(-1) ?? {}) as Answer;
        if (status === 'refused') tell(refusalOf(why));
        if (status !== 'renewed' || life.isOver || !socket().connected) return;
        life.shown = { token, expiresAtMillis };
        life.plan(expiresAtMillis);
      });
    } catch (cause) {
      tell(noToken(cause));
      if (!life.isOver && socket().connected) life.plan(stale.expiresAtMillis);
    }
  };

  const life: Life = {
    shown: undefined,
    isOver: false,
    rest: () => clearTimeout(timer),
    later(millis, work) {
      life.rest();
      if (!life.isOver) timer = setTimeout(work, Math.min(millis, MAX_TIMER_MILLIS));
    },
    plan(expiresAtMillis = 0) {
      const { shown } = life;
      const left = expiresAtMillis - Date.now();
      if (shown && left > TOO_LATE_MILLIS)
        life.later(left - Math.min(left / 3, MARGIN_MILLIS), () => void renew(shown));
    },
  };
  return life;
};
