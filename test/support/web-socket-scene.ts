/** A raw WebSocket upstream, the gateway in front of it, and pairs of ends: one of each test's own. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, expect } from 'vitest';
import type { WebSocket } from 'ws';
import { eventually } from './eventually.ts';
import { policyFrom } from './stages.ts';
import { AGENT_POLICY, type Client, type Gate, type GateOptions, openGate } from './web-socket-door.ts';
import {
  type UpstreamOptions,
  type UpstreamPeer,
  type WebSocketUpstream,
  webSocketUpstream,
} from './web-socket-upstream.ts';

export interface Staging {
  readonly upstream?: UpstreamOptions;
  readonly gate?: Partial<GateOptions>;
}

export interface Pair {
  readonly client: Client;
  readonly peer: UpstreamPeer;
}

/** Returns the scene of a test file; what a test has set is taken down after it. */
export const webSocketScene = () => {
  let upstream: WebSocketUpstream | undefined;
  let gate: Gate | undefined;
  const standing = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('the scene is not set');
    return part;
  };

  afterEach(async () => {
    await gate?.stop();
    await upstream?.[Symbol.asyncDispose]();
    gate = undefined;
    upstream = undefined;
  });

  const scene = {
    get upstream(): WebSocketUpstream {
      return standing(upstream);
    },
    get gate(): Gate {
      return standing(gate);
    },
    async set({ upstream: theirs = {}, gate: ours = {} }: Staging = {}): Promise<void> {
      upstream = await webSocketUpstream(theirs);
      gate = await openGate({ upstreamUrl: upstream.url, ...ours });
    },
    /** A client of somebody, and its peer at the upstream. */
    async pair(user = 'ann', path = '/ws/agent', more: object = {}): Promise<Pair> {
      const before = scene.upstream.peers.length;
      const client = scene.gate.client(path, user, more);
      await client.opened;
      const peer = scene.upstream.peers[before];
      if (peer === undefined) throw new Error('the upstream was not reached');
      return { client, peer };
    },
    /** Resolves when no side of any connection is open and nothing is held. */
    async nothingIsLeft(): Promise<void> {
      const { gate: ours, upstream: theirs } = scene;
      await eventually(() => ours.open() === 0 && ours.transports.size === 0 && theirs.open() === 0);
      expect([ours.count(), ours.held()]).toEqual([0, { messages: 0, bytes: 0 }]);
    },
  };
  return scene;
};

/** A message that Ann may send. */
export const mine = { kind: 'say', session_id: 'session-ann', text: 'hello' };

/** The bytes of a handshake as `wire` sends them. */
export const handshakeBytes = (path: string, user: string, more: readonly string[] = []): string =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: gateway.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
    `Authorization: Bearer ${user}-token`,
    ...more,
    '\r\n',
  ].join('\r\n');

/** An upstream's handshake, with what an upstream might say besides. */
export const upgradeBytes = (key: string | undefined, more: readonly string[] = []): string => {
  const accepted = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const head = ['HTTP/1.1 101 X', 'upgrade: websocket', 'connection: upgrade', `sec-websocket-accept: ${accepted}`];
  return [...head, ...more, '\r\n'].join('\r\n');
};

/** The connection below a WebSocket, for what no library would send. */
export const transportOf = (socket: WebSocket): Socket => (socket as unknown as { _socket: Socket })._socket;

export const inMode = (mode: 'shadow' | 'off') =>
  policyFrom(AGENT_POLICY.replace('name: agents', `name: agents\nmode: ${mode}`));
