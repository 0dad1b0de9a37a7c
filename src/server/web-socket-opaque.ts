/** A client's connection and a tunnel to the upstream, put together byte by byte: nothing is judged but whether it goes on. */
import type { Duplex } from 'node:stream';
import { Rejection } from '../model/rejection.ts';
import type { Tunnel } from '../model/wire.ts';
import type { Load } from './web-socket-link.ts';

export interface OpaqueOptions {
  readonly client: Duplex;
  /** What the client sent behind its handshake. */
  readonly head: Buffer;
  readonly tunnel: Tunnel;
  readonly idleMillis: number;
  /** Called once when the gateway ends the connection, and says why. */
  readonly ended: (rejection: Rejection) => void;
  /** Called once, when both sides are closed. */
  readonly closed: () => void;
  readonly now?: () => number;
  /** For how long one side may stay open when the other one has said its last. */
  readonly closeMillis?: number;
}

/** Answers the client's handshake and lets bytes pass, both ways and at the pace of whoever is slower. */
export const opaque = (options: OpaqueOptions): Load => {
  const { client, head, tunnel, idleMillis, ended, closed, now = Date.now, closeMillis = 2_000 } = options;
  const far = tunnel.stream;
  let activeMillis = now();
  let over = false;
  let open = 2;
  let late: NodeJS.Timeout | undefined;
  const cut = (): void => {
    client.destroy();
    far.destroy();
  };
  const end = (rejection: Rejection): void => {
    if (over) return;
    over = true;
    cut();
    ended(rejection);
  };
  const active = (): void => {
    activeMillis = now();
  };
  /** One side has been given its last byte; the other one may still be saying something. */
  const linger = (): void => {
    clearTimeout(late);
    const seen = activeMillis;
    late = setTimeout(() => (seen === activeMillis ? cut() : linger()), closeMillis).unref();
  };

  client.write(answerTo(tunnel));
  if (head.length > 0) far.write(head);
  for (const [one, other] of [
    [client, far],
    [far, client],
  ] as const) {
    one.on('error', () => undefined);
    one.on('data', active);
    one.once('finish', linger);
    one.once('close', () => {
      // What the other side was given before may still be on its way there.
      if (one.readableEnded && !other.destroyed) other.end();
      else other.destroy();
      open -= 1;
      if (open > 0) return;
      clearTimeout(late);
      over = true;
      closed();
    });
    one.pipe(other);
  }

  return {
    tick() {
      if (now() - activeMillis >= idleMillis)
        end(new Rejection('connection-idle', `nothing passed for ${idleMillis} ms`));
    },
    end,
    held: () => ({ messages: 0, bytes: client.writableLength + far.writableLength }),
  };
};

/** Nothing of the upstream's own answer but the two words that are the client's to know. */
const answerTo = ({ accepted, subprotocol }: Tunnel): string => {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  lines.push(`Sec-WebSocket-Accept: ${accepted}`);
  if (subprotocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
};
