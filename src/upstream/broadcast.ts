/**
 * The upstream's broadcast, heard once for everybody: one Socket.IO connection that comes back for ever, never two at
 * once. The upstream knows no users, so nothing is presented there (contract, section 4).
 */
import { io, type Socket } from 'socket.io-client';
import type { UpstreamEvent } from '../model/event.ts';
import type { JsonObject } from '../model/json.ts';
import { binaryPayloads, type Decoder, takeAttachments } from './attachments.ts';
import type { Broadcast } from './origin.ts';
import { type SingleConnection, singleConnection } from './single-connection.ts';

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
const RECONNECT_MIN_MILLIS = 250;
const RECONNECT_MAX_MILLIS = 5_000;
const CONNECT_MILLIS = 10_000;

/**
 * Handed through to ws, which the library's types do not say. The extension is not offered, and a message may be of 256
 * MiB: a history with its images is sent whole at every step (contract, sections 4 and 8).
 */
const wire = ({ agent }: SingleConnection): object => ({ perMessageDeflate: false, maxPayload: 256 << 20, agent });

/** What standard clients take; an event with more would end their connections. */
const MAX_ATTACHMENTS = 10;
const ATTACHMENT_BOUNDS = { maxRead: 1_000, maxBytes: 256 << 20 };

const OUR_OWN_CLOSE = 'io client disconnect';

interface Gap {
  readonly sinceMillis: number;
  readonly untilMillis: number;
}

/** Returns the broadcast, already connecting. Throws a TypeError for what is no http or https URL. */
export const connectBroadcast = (options: BroadcastOptions): Broadcast => {
  const { notice, now = Date.now } = options;
  const connection = singleConnection(new URL(options.url).protocol);
  const socket = openSocket(options, connection);
  const isBinary = binaryPayloads((socket.io as unknown as { readonly decoder: Decoder }).decoder, ATTACHMENT_BOUNDS);
  const events = listeners<UpstreamEvent>(notice);
  const gaps = listeners<Gap>(notice);
  let heardMillis = now();
  let gapSinceMillis: number | undefined;
  const heard = (): void => {
    heardMillis = now();
  };

  const stop = keepAsking(socket, options);
  // One that does not answer the closing handshake would be there beside the next for half a minute.
  socket.io.on('close', connection.end);
  socket.io.on('error', connection.end);
  socket.io.on('ping', heard);
  socket.on('connect', () => {
    notice({ kind: 'broadcast-connected', detail: options.url });
    heard();
    if (gapSinceMillis !== undefined) gaps.tell({ sinceMillis: gapSinceMillis, untilMillis: heardMillis });
    gapSinceMillis = undefined;
  });
  socket.on('connect_error', () => {
    // It was not there when we came, or we could not hear it: clients may have been here since then.
    gapSinceMillis ??= heardMillis;
  });
  socket.on('disconnect', (reason) => {
    // Taken now: events that come before the next acknowledgement are handed out before `connect` is.
    gapSinceMillis ??= heardMillis;
    if (reason !== OUR_OWN_CLOSE) notice({ kind: 'broadcast-lost', detail: reason });
  });
  socket.onAny((name: unknown, ...args: readonly unknown[]) => {
    heard();
    const [payload] = args;
    const isEvent = typeof name === 'string' && args.length === 1 && isJsonObject(payload);
    const event = isEvent ? eventOf(name, payload, isBinary) : undefined;
    if (event !== undefined) events.tell(event);
    else notice({ kind: 'payload-dropped', detail: String(name).slice(0, 64) });
  });
  socket.connect();

  return {
    onEvent: events.add,
    onGap: (listener) => gaps.add(({ sinceMillis, untilMillis }) => listener(sinceMillis, untilMillis)),
    connected: () => socket.connected,
    close() {
      stop();
      socket.disconnect();
    },
  };
};

/** Undefined for one with more binary parts than may be passed on. */
const eventOf = (
  name: string,
  payload: JsonObject,
  isBinary: (payload: object) => boolean,
): UpstreamEvent | undefined => {
  if (!isBinary(payload)) return { name, payload };
  const attachments = takeAttachments(payload);
  return attachments.length > MAX_ATTACHMENTS ? undefined : { name, payload, attachments };
};

const openSocket = (options: BroadcastOptions, connection: SingleConnection): Socket => {
  const { url, path, reconnectMinMillis, reconnectMaxMillis } = options;
  if (!/^https?:$/.test(new URL(url).protocol)) throw new TypeError('The upstream must be an http or https URL.');
  return io(url, {
    path,
    transports: ['websocket'],
    upgrade: false,
    forceNew: true,
    multiplex: false,
    reconnection: true,
    reconnectionAttempts: Number.POSITIVE_INFINITY,
    reconnectionDelay: reconnectMinMillis ?? RECONNECT_MIN_MILLIS,
    reconnectionDelayMax: reconnectMaxMillis ?? RECONNECT_MAX_MILLIS,
    randomizationFactor: JITTER,
    timeout: CONNECT_MILLIS,
    autoConnect: false,
    ...wire(connection),
  });
};

/**
 * The library stops for good when the server ends or refuses the namespace; an upstream is always worth another try.
 * Returns what stops the trying.
 */
const keepAsking = (socket: Socket, options: BroadcastOptions): (() => void) => {
  const { notice, reconnectMinMillis = RECONNECT_MIN_MILLIS, reconnectMaxMillis = RECONNECT_MAX_MILLIS } = options;
  let again: NodeJS.Timeout | undefined;
  const comeBack = (): void => {
    clearTimeout(again);
    const spread = 1 + JITTER * (Math.random() * 2 - 1);
    again = setTimeout(() => socket.connect(), Math.min(reconnectMaxMillis, reconnectMinMillis * 4) * spread);
  };
  socket.on('disconnect', (reason) => {
    if (reason === 'io server disconnect') comeBack();
  });
  socket.on('connect_error', (error) => {
    // While the socket is active the library tries again by itself.
    if (socket.active) return;
    notice({ kind: 'broadcast-refused', detail: error.message });
    comeBack();
  });
  return () => clearTimeout(again);
};

const listeners = <T>(notice: BroadcastOptions['notice']) => {
  const list: Array<(value: T) => void> = [];
  return {
    add: (listener: (value: T) => void): void => void list.push(listener),
    /** One that throws does not keep the others from hearing, nor the connection from going on. */
    tell(value: T): void {
      for (const listener of list) {
        try {
          listener(value);
        } catch (error) {
          notice({ kind: 'listener-failed', detail: String(error) });
        }
      }
    },
  };
};

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
