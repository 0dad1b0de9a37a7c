/**
 * The upstream's broadcast, heard once for everybody: one Socket.IO connection that comes back for ever, never two at
 * once. The upstream knows no users, so nothing is presented there (contract, section 4).
 */
import { io } from 'socket.io-client';
import type { UpstreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import type { Broadcast } from './origin.ts';

export interface BroadcastNotice {
  readonly kind: 'broadcast-connected' | 'broadcast-lost' | 'broadcast-refused' | 'payload-dropped' | 'listener-failed';
  readonly detail: string;
}

export interface BroadcastOptions {
  /** The origin, such as `http://127.0.0.1:57988`. */
  readonly url: string;
  /** Such as `/socket.io/`. */
  readonly path: string;
  readonly notice: (notice: BroadcastNotice) => void;
  readonly now?: () => number;
  readonly reconnectMinMillis?: number;
  readonly reconnectMaxMillis?: number;
}

/** Half as much again, or half as much less: replicas that lost the upstream together do not return together. */
const JITTER = 0.5;
const CONNECT_MILLIS = 10_000;

/**
 * Handed through to ws, which the library's types do not say. The extension is not offered, and a message may be of 256
 * MiB: a history with its images is sent whole at every step (contract, sections 4 and 8).
 */
const wire: object = { perMessageDeflate: false, maxPayload: 256 << 20 };

/** Returns the broadcast, already connecting. */
export const connectBroadcast = (options: BroadcastOptions): Broadcast => {
  const { url, path, notice, now = Date.now, reconnectMinMillis = 250, reconnectMaxMillis = 5_000 } = options;
  if (!/^https?:$/.test(new URL(url).protocol)) throw new TypeError('The upstream must be an http or https URL.');
  const eventListeners: Array<(event: UpstreamEvent) => void> = [];
  const gapListeners: Array<(sinceMillis: number) => void> = [];
  let heardMillis = now();
  let gapSinceMillis: number | undefined;
  let again: NodeJS.Timeout | undefined;

  const socket = io(url, {
    path,
    transports: ['websocket'],
    upgrade: false,
    forceNew: true,
    multiplex: false,
    reconnection: true,
    reconnectionAttempts: Number.POSITIVE_INFINITY,
    reconnectionDelay: reconnectMinMillis,
    reconnectionDelayMax: reconnectMaxMillis,
    randomizationFactor: JITTER,
    timeout: CONNECT_MILLIS,
    autoConnect: false,
    ...wire,
  });

  const tell = <T>(listeners: ReadonlyArray<(value: T) => void>, value: T): void => {
    for (const listener of listeners) {
      try {
        listener(value);
      } catch (error) {
        notice({ kind: 'listener-failed', detail: String(error) });
      }
    }
  };

  /** The library stops for good when the server ends or refuses the namespace; an upstream is always worth another try. */
  const comeBack = (): void => {
    clearTimeout(again);
    const spread = 1 + JITTER * (Math.random() * 2 - 1);
    again = setTimeout(() => socket.connect(), Math.min(reconnectMaxMillis, reconnectMinMillis * 4) * spread);
  };

  const heard = (): void => {
    heardMillis = now();
  };

  socket.io.on('ping', heard);
  socket.io.on('error', () => undefined);
  socket.on('connect', () => {
    notice({ kind: 'broadcast-connected', detail: url });
    heard();
    if (gapSinceMillis !== undefined) tell(gapListeners, gapSinceMillis);
    gapSinceMillis = undefined;
  });
  socket.on('disconnect', (reason) => {
    // Taken now: events that come before the next acknowledgement are handed out before `connect` is.
    gapSinceMillis ??= heardMillis;
    notice({ kind: 'broadcast-lost', detail: reason });
    if (reason === 'io server disconnect') comeBack();
  });
  socket.on('connect_error', (error) => {
    if (!socket.active) {
      notice({ kind: 'broadcast-refused', detail: error.message });
      comeBack();
    }
  });
  socket.onAny((name: unknown, ...args: readonly unknown[]) => {
    heard();
    const [payload] = args;
    if (typeof name === 'string' && args.length === 1 && isJsonObject(payload)) tell(eventListeners, { name, payload });
    else notice({ kind: 'payload-dropped', detail: String(name).slice(0, 64) });
  });
  socket.connect();

  return {
    onEvent: (listener) => void eventListeners.push(listener),
    onGap: (listener) => void gapListeners.push(listener),
    connected: () => socket.connected,
    close() {
      clearTimeout(again);
      socket.disconnect();
    },
  };
};

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
