/**
 * The part of the composition that is live: the Socket.IO endpoint and raw WebSockets, whichever the policy has. Neither is
 * loaded without need: Socket.IO is a quarter of the memory of an idle gateway.
 */
import type { EventPlane, EventPlaneOptions } from './gateway-events.ts';
import type { WebSocketPlaneOptions } from './gateway-web-sockets.ts';
import type { Principal } from './model/principal.ts';
import type { AppOptions } from './server/app.ts';
import type { WebSockets } from './server/web-sockets.ts';
import type { Gauges } from './telemetry/metrics.ts';

export type LivePlaneOptions = Omit<EventPlaneOptions, 'rule'> & WebSocketPlaneOptions;

export interface LivePlane {
  /** What the public listener hands over. */
  readonly door: Pick<AppOptions, 'upgrade' | 'poll' | 'socketPath' | 'webSockets'>;
  readonly gauges: Pick<Gauges, 'sockets' | 'queuedEvents' | 'waitingBytes' | 'missed'>;
  /** Undefined where nothing of the upstream is heard. */
  readonly upstreamConnected: (() => boolean) | undefined;
  /** Ends the connections of these principals, and returns their number. */
  end(matches: (principal: Principal) => boolean): number;
  /** Judges all by the policy as it is now. */
  rejudge(): void;
  close(): Promise<void>;
}

/** Returns what is live under this policy; resolves when it can take connections. */
export const livePlane = async (options: LivePlaneOptions): Promise<LivePlane> => {
  const { policy } = options;
  const [rule] = policy.sockets;
  const events = rule && (await import('./gateway-events.ts')).eventPlane({ ...options, rule });
  const raw =
    policy.webSockets.length === 0 ? undefined : (await import('./gateway-web-sockets.ts')).webSocketPlane(options);
  return {
    door: doorOf(events, raw),
    gauges: {
      sockets: () => (events?.sockets.count() ?? 0) + (raw?.count() ?? 0),
      queuedEvents: () => (events?.queued() ?? 0) + (raw?.held().messages ?? 0),
      waitingBytes: () => (events?.waitingBytes() ?? 0) + (raw?.held().bytes ?? 0),
      missed: () => events?.missed() ?? { owners: 0, events: 0, bytes: 0 },
    },
    upstreamConnected: events?.broadcast.connected,
    end: (matches) => (events?.sockets.end(matches) ?? 0) + (raw?.end(matches) ?? 0),
    rejudge() {
      events?.sockets.rejudge();
      raw?.rejudge();
    },
    async close() {
      events?.broadcast.close();
      await Promise.all([events?.sockets.close(), raw?.close()]);
    },
  };
};

const doorOf = (events: EventPlane | undefined, raw: WebSockets | undefined): LivePlane['door'] => ({
  upgrade: events?.sockets.handleUpgrade,
  poll: events?.sockets.handleRequest,
  socketPath: events?.path,
  webSockets: raw,
});
