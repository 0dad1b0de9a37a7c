/** The client's end of a raw WebSocket: the handshake is answered when the upstream has agreed to its own. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import { partsOf, type Wire } from '../model/wire.ts';

export interface Acceptance {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** The sub-protocol that was agreed upon, or an empty text. */
  readonly subprotocol: string;
  readonly maxBytes: number;
}

/** Returns what completes handshakes: the client's end, or undefined when the client is gone already. */
export const acceptor = (closeMillis: number): ((acceptance: Acceptance) => Wire | undefined) => {
  const chosen = new WeakMap<IncomingMessage, string>();
  const servers = new Map<number, WebSocketServer>();

  const serverFor = (maxBytes: number): WebSocketServer => {
    const known = servers.get(maxBytes);
    if (known !== undefined) return known;
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxBytes,
      handleProtocols: (_offered, incoming) => chosen.get(incoming) || false,
      ...partsOf(maxBytes),
      closeTimeout: closeMillis,
    } as ServerOptions);
    servers.set(maxBytes, server);
    return server;
  };

  return ({ incoming, socket, head, subprotocol, maxBytes }) => {
    chosen.set(incoming, subprotocol);
    let accepted: Wire | undefined;
    // Without a hook of its own that takes time, it is done or refused when this returns.
    serverFor(maxBytes).handleUpgrade(incoming, socket, head, (client) => {
      accepted = client as unknown as Wire;
    });
    return accepted;
  };
};
