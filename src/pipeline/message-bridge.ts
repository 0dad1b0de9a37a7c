/**
 * A client's WebSocket and the upstream's, put together: two flows of messages, closing handshakes that are passed on, peers
 * that are found dead, and the one place that ends both.
 */
import { type Closing, closingFor, GOING_AWAY, passedOn } from '../model/close-code.ts';
import { Rejection } from '../model/rejection.ts';
import { OPEN, type Wire } from '../model/wire.ts';
import type { MessageLife } from './message.ts';
import { FLOW_BOUNDS, type Flow, type FlowBounds, messageFlow } from './message-flow.ts';

export interface BridgeOptions {
  readonly client: Wire;
  readonly upstream: Wire;
  readonly life: MessageLife;
  /** Asked for each message, ping and pong of the client; false when they come too fast. */
  readonly pace: (nowMillis: number) => boolean;
  /** Called once when the gateway ends the connection, and says why. */
  readonly ended: (rejection: Rejection) => void;
  /** Called once, when both ends are closed. */
  readonly closed: () => void;
  readonly now?: () => number;
  /** Between two pings; who has not answered one when the next is due is dead. */
  readonly heartbeatMillis?: number;
  /** For how long somebody may take nothing of what waits for him. */
  readonly stallMillis?: number;
  readonly bounds?: Partial<FlowBounds>;
}

export interface Bridge {
  /** Pings who is due, and ends what has been waited for too long. */
  tick(): void;
  /** Ends both sides; the client is told why. */
  end(rejection: Rejection): void;
  /** What is held for either side: messages that wait, and the bytes of all. */
  held(): { readonly messages: number; readonly bytes: number };
}

interface State {
  readonly options: BridgeOptions;
  readonly now: () => number;
  readonly up: Flow;
  readonly down: Flow;
  over: boolean;
  open: number;
}

/** Puts the two together and begins to read from both. */
export const bridge = (options: BridgeOptions): Bridge => {
  const { client, upstream, life, now = Date.now, heartbeatMillis = 30_000, stallMillis = 60_000 } = options;
  const end = (rejection: Rejection): void => endBoth(state, rejection);
  const bounds = { ...FLOW_BOUNDS, ...options.bounds };
  const ending = { now, bounds, refused: end, overflowed: () => end(slow('more waits than may be held')) };
  const up = messageFlow({ ...ending, source: client, target: upstream, judge: life.sent });
  const down = messageFlow({ ...ending, source: upstream, target: client, judge: life.delivered });
  const state: State = { options, now, up, down, over: false, open: 2 };
  const pulses = {
    client: pulse(client, { now, heartbeatMillis }),
    upstream: pulse(upstream, { now, heartbeatMillis }),
  };
  listenToClient(state);
  listenToUpstream(state);
  upstream.resume();

  return {
    tick() {
      if (state.over) return;
      if (isStuck(down, now() - stallMillis)) end(slow('the client does not read'));
      else if (isStuck(up, now() - stallMillis)) end(dead('the upstream does not read'));
      else if (pulses.client(down) === 'dead') endBoth(state, new Rejection('client-gone', 'no answer to a ping'));
      else if (pulses.upstream(up) === 'dead') end(dead('no answer to a ping'));
    },
    end,
    held: () => {
      const [one, other] = [up.held(), down.held()];
      const buffered = client.bufferedAmount + upstream.bufferedAmount;
      return { messages: one.messages + other.messages, bytes: one.bytes + other.bytes + buffered };
    },
  };
};

const slow = (detail: string): Rejection => new Rejection('receiver-slow', detail);
const dead = (detail: string): Rejection => new Rejection('upstream-timeout', detail);

const isStuck = (flow: Flow, beforeMillis: number): boolean => {
  const since = flow.stuckSince();
  return since !== undefined && since <= beforeMillis;
};

/** Once; what waits is thrown away. */
const endBoth = (state: State, rejection: Rejection): void => {
  if (state.over) return;
  const { client, upstream, ended } = state.options;
  stop(state);
  const { reason } = rejection;
  if (reason === 'client-gone') client.terminate();
  else close(client, closingFor(rejection.reason));
  // The flood goes on until the client has read that it should not: it is not listened to meanwhile.
  if (reason === 'rate-limited') client.pause();
  if (reason === 'upstream-timeout') upstream.terminate();
  else close(upstream, GOING_AWAY);
  ended(rejection);
};

const stop = (state: State): void => {
  state.over = true;
  state.up.stop();
  state.down.stop();
};

const close = (wire: Wire, { code, reason }: Closing): void => {
  if (code === undefined) wire.close();
  else wire.close(code, reason);
};

const listenToClient = (state: State): void => {
  const { client, upstream, pace } = state.options;
  const isPaced = (): boolean => {
    if (state.over) return false;
    if (pace(state.now())) return true;
    endBoth(state, new Rejection('rate-limited', 'messages'));
    return false;
  };
  client.on('message', (data, isBinary) => {
    if (isPaced()) state.up.push({ data, isBinary });
  });
  // ws answers pings by itself, and ends whoever leaves 60 answers unread; but each costs as much as a message.
  client.on('ping', isPaced);
  client.on('pong', isPaced);
  client.on('error', ({ code }) => endBoth(state, refusalOf(code, 'packet-invalid', 'body-too-large')));
  client.on('close', (code, reason) => {
    lost(state);
    if (state.over) return;
    // Nobody is left who could read; what the client said before still counts.
    state.down.stop();
    state.up.finish(() => {
      stop(state);
      close(upstream, passedOn(code, reason) ?? GOING_AWAY);
    });
  });
};

const listenToUpstream = (state: State): void => {
  const { client, upstream } = state.options;
  upstream.on('message', (data, isBinary) => {
    if (!state.over) state.down.push({ data, isBinary });
  });
  upstream.on('error', ({ code }) => endBoth(state, refusalOf(code, 'upstream-broken', 'answer-too-large')));
  upstream.on('close', (code, reason) => {
    lost(state);
    if (state.over) return;
    state.up.stop();
    state.down.finish(() => {
      const closing = passedOn(code, reason);
      if (closing === undefined) return endBoth(state, new Rejection('upstream-broken', 'closed without a word'));
      stop(state);
      close(client, closing);
    });
  });
};

const lost = (state: State): void => {
  state.open -= 1;
  if (state.open === 0) state.options.closed();
};

type Broken = 'packet-invalid' | 'upstream-broken';
type TooLarge = 'body-too-large' | 'answer-too-large';

/** ws has closed that side by itself, with the code of the protocol. */
const refusalOf = (code: string | undefined, broken: Broken, tooLarge: TooLarge): Rejection =>
  new Rejection(code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? tooLarge : broken, code ?? 'a frame');

interface PulseOptions {
  readonly now: () => number;
  readonly heartbeatMillis: number;
}

/** Returns a function that pings when it is time, and says when the last ping has not been answered. */
const pulse = (wire: Wire, { now, heartbeatMillis }: PulseOptions): ((toWire: Flow) => 'dead' | undefined) => {
  let pingedMillis = now();
  let isAwaited = false;
  const alive = (): void => {
    isAwaited = false;
  };
  for (const sign of ['message', 'ping', 'pong'] as const) wire.on(sign, alive);
  return (toWire) => {
    // A ping would wait behind what is not read, and its answer is not read either while the wire is paused.
    if (wire.readyState !== OPEN || wire.isPaused || toWire.stuckSince() !== undefined) {
      isAwaited = false;
      pingedMillis = now();
      return undefined;
    }
    if (now() - pingedMillis < heartbeatMillis) return undefined;
    if (isAwaited) return 'dead';
    pingedMillis = now();
    isAwaited = true;
    wire.ping();
    return undefined;
  };
};
