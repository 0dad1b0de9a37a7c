/**
 * What a client may say on a socket: a few events that the gateway answers itself, at a bounded pace, in packets that
 * are judged as text before any parser sees them. Nothing that a client emits is ever forwarded.
 */
import type { AcceptedEvents } from '../model/event.ts';
import type { JsonValue } from '../model/json.ts';

export type PacketVerdict = 'fine' | 'malformed' | 'too-fast';

export type EventVerdict =
  | { readonly accepted: true; readonly reply: string; readonly payload: readonly JsonValue[] }
  | {
      readonly accepted: false;
      readonly reason: 'event-refused' | 'packet-invalid';
      readonly detail: string;
      /** The client has been refused so often that its connection should end. */
      readonly final: boolean;
    };

export interface InboundJudge {
  /** Judges the text of a Socket.IO packet, or undefined for a packet of the transport's own. */
  packet(data: unknown, nowMillis: number): PacketVerdict;
  /** Judges the name and the arguments of an event. */
  event(args: readonly unknown[]): EventVerdict;
}

export interface InboundOptions {
  /** Asked at each event: a connection may outlive the policy under which it was opened. */
  readonly accept: Pick<AcceptedEvents, 'get'>;
  /** Packets of any kind, sustained. */
  readonly packetsPerSecond?: number;
  readonly burst?: number;
  readonly maxDepth?: number;
  readonly maxRefused?: number;
}

/** CONNECT, DISCONNECT or EVENT (Socket.IO protocol 5): namespace, acknowledgement id, and how the JSON begins. */
const PACKET = /^([012])(\/[\w./~-]{0,127}(?:,|$))?(\d{0,15})($|[[{])/;

const CONNECT = '0';
const DISCONNECT = '1';

/** Returns a function that makes the judge of one connection; a judge remembers pace and refusals. */
export const inbound = (options: InboundOptions): (() => InboundJudge) => {
  const { accept, packetsPerSecond = 50, burst = 100, maxDepth = 64, maxRefused = 20 } = options;
  if (!(packetsPerSecond > 0) || !(burst >= 1)) throw new TypeError('packetsPerSecond and burst must be positive');
  const gapMillis = 1000 / packetsPerSecond;
  const leadMillis = gapMillis * (burst - 1);

  return () => {
    let dueMillis = 0;
    let refused = 0;
    let connecting = false;

    const tooFast = (nowMillis: number): boolean => {
      // Generic cell rate: each packet moves the due time on, and it may run ahead of the clock by a burst only.
      const due = Math.min(Math.max(dueMillis, nowMillis), nowMillis + leadMillis + gapMillis);
      dueMillis = due + gapMillis;
      return due - nowMillis > leadMillis;
    };

    const malformed = (data: unknown): boolean => {
      if (typeof data !== 'string') return true;
      const match = PACKET.exec(data);
      if (match === null) return true;
      const [head, type, namespace = '/', id, opening = ''] = match;
      const isRoot = namespace === '/' || namespace === '/,';
      if (type === DISCONNECT) return head !== data || id !== '';
      if (type === CONNECT) {
        // A second CONNECT would make a second socket behind one transport.
        if (opening === '[' || id !== '' || (isRoot && connecting)) return true;
        if (isRoot) connecting = true;
        else refused += 1;
        if (refused > maxRefused) return true;
      } else if (opening !== '[' || !isRoot) {
        return true;
      }
      return !isShallow(data, head.length - opening.length, maxDepth);
    };

    const refuse = (reason: 'event-refused' | 'packet-invalid', detail: string): EventVerdict => {
      refused += 1;
      return { accepted: false, reason, detail, final: refused >= maxRefused };
    };

    return {
      packet(data, nowMillis) {
        if (tooFast(nowMillis)) return 'too-fast';
        return data !== undefined && malformed(data) ? 'malformed' : 'fine';
      },
      event([name, ...payload]) {
        if (typeof name !== 'string') return refuse('packet-invalid', 'the event has no name');
        const reply = accept.get(name);
        if (reply === undefined) return refuse('event-refused', `event ${JSON.stringify(name.slice(0, 64))}`);
        if (payload.length > 1) return refuse('packet-invalid', `${payload.length} arguments`);
        return { accepted: true, reply, payload: payload as JsonValue[] };
      },
    };
  };
};

/** True when no more than `maxDepth` brackets are open at once; brackets inside strings do not count. */
const isShallow = (text: string, from: number, maxDepth: number): boolean => {
  let depth = 0;
  let inString = false;
  for (let i = from; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > maxDepth) return false;
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  return true;
};
