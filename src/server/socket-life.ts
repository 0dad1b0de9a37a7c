/**
 * The life of one socket: open, authenticated, listening, and over with its authority or with the first abuse. Where the
 * policy is not in effect, somebody unknown gets in too, and what would have been refused is recorded.
 */
import type { Socket } from 'socket.io';
import { admit } from './socket-admission.ts';
import { rejudge, turnOut, watchAuthority } from './socket-authority.ts';
import { type Arrival, cut, type Door, leave } from './socket-door.ts';
import { forget } from './socket-forget.ts';
import { acknowledgementFrame, eventFrame } from './socket-frame.ts';
import type { ClientEvent, ClientJudge, Conn, Link, WebSocketEnd } from './socket-link.ts';
import { peer } from './socket-peer.ts';
import { RENEWAL, renew } from './socket-renewal.ts';
import { greet } from './socket-resume.ts';

/** The event that a server says to each socket by itself. */
export const GREETING = 'connected';
const GREETED = eventFrame(GREETING, [{ status: 'connected' }]);

interface Opened extends Conn {
  once(event: 'close', listener: () => void): unknown;
}

/** Returns the steps of a socket's life, for the server's hooks. */
export const socketLife = (door: Door) => ({
  opened: (link: Link | undefined, conn: Opened): void => opened(door, link, conn),
  admit: (link: Link | undefined, socket: Socket, next: (error?: Error) => void): Promise<void> =>
    admit(door, { link, socket }, next),
  welcome: (link: Link | undefined, socket: Socket): void => welcome(door, { link, socket }),
  /** Watches a WebSocket that offers itself to a session that polls, from its first byte. */
  offered: (link: Link, socket: WebSocketEnd): void => watchWebSocket(door, link, socket),
  /** Judges an open socket by the rollout as it is now. */
  rejudge: (link: Link): void => rejudge(door, link),
});

/** The transport is open; nobody is authenticated. Every packet is judged before Socket.IO's own parser sees it. */
const opened = (door: Door, link: Link | undefined, conn: Opened): void => {
  if (link === undefined) {
    conn.close(true);
    return;
  }
  const { maxWaitingBytes = 64 << 20, maxWaitingPackets = 10_000, backlog } = door.options;
  const slow = (bytes: number): void =>
    cut(door, link, { outcome: 'aborted', reason: 'receiver-slow', detail: `${bytes} bytes were not read` });
  link.conn = conn;
  link.peer = peer({ wire: conn, maxWaitingBytes, maxWaitingPackets, backlog, slow });
  conn.on('packet', (packet) => {
    const verdict = judge(door, link, packet.type === 'message' ? (packet.data ?? '') : undefined);
    if (verdict === 'fine') return;
    // What is answered or refused here is not Socket.IO's to read.
    packet.type = 'noop';
    if (typeof verdict === 'object') heard(door, link, verdict);
  });
  // What engine.io ends by itself, ws reads for half a minute more, unless the other end closes too.
  conn.once('close', () => leave(door, link));
  watchWebSocket(door, link, conn.transport.socket);
};

const judge = (door: Door, link: Link, data: unknown): ReturnType<ClientJudge['packet']> => {
  const verdict = link.judge.packet(data, door.now());
  if (verdict !== 'too-fast' && verdict !== 'malformed') return verdict;
  const reason = verdict === 'too-fast' ? 'rate-limited' : 'packet-invalid';
  cut(door, link, { outcome: 'refused', reason, detail: 'packets' });
  return verdict;
};

/** What engine.io does not tell of a WebSocket. */
const watchWebSocket = (door: Door, link: Link, socket: WebSocketEnd | undefined): void => {
  if (socket === undefined) return;
  // ws answers pings by itself: without a pace, one who does not read would fill the memory with the answers.
  const paced = (): void => {
    if (!link.ended) judge(door, link, undefined);
  };
  socket.on('ping', paced);
  socket.on('pong', paced);
  // ws has closed it with the code of the fault, such as 1009, and engine.io has not heard of it yet.
  socket.prependListener('error', ({ code }) => {
    if (link.ended || typeof code !== 'string' || !code.startsWith('WS_ERR_')) return;
    door.record.link(link, { outcome: 'refused', reason: 'packet-invalid', detail: code });
  });
};

/** The socket may hear: its owner's events until its authority ends, or everybody's while the policy lets it. */
const welcome = (door: Door, { link, socket }: Arrival): void => {
  if (link?.peer === undefined || link.ended) return void socket.conn.close();
  const { principal, peer: member } = link;
  const mode = door.modeOf(principal);
  // The rollout may have changed since it was let in.
  if (principal === undefined && mode === 'enforce') {
    turnOut(door, link);
    return;
  }
  link.seat = door.channels.add(member, principal?.owner, mode);
  watchAuthority(door, link);
  socket.on('disconnect', () => {
    link.unwatch?.();
    link.peer?.drop();
    leave(door, link);
  });
  // The unmodified page waits for this event (contract, section 4).
  greet(door, { link, socket }, GREETED);
  door.record.link(link, { outcome: 'allowed', mode, findings: link.denials });
  forget(link, socket);
};

/** Answers an event of the client, or refuses it; nothing of it goes any further. */
const heard = (door: Door, link: Link, event: ClientEvent): void => {
  const { seat } = link;
  if (seat === undefined) {
    cut(door, link, { outcome: 'refused', reason: 'packet-invalid', detail: 'an event before it was let in' });
    return;
  }
  const { args, attachments, id } = event;
  if (args[0] === RENEWAL) {
    if (renewsTooFast(link, door.now())) {
      cut(door, link, { outcome: 'refused', reason: 'rate-limited', detail: 'renewals' });
      return;
    }
    void renew(door, link, event);
    return;
  }
  const verdict = link.judge.event(args);
  if (verdict.accepted) {
    const frame = eventFrame(verdict.reply, verdict.payload, attachments);
    if (link.peer?.mayReply(frame.bytes) === false) {
      cut(door, link, { outcome: 'aborted', reason: 'receiver-slow', detail: 'replies were not read' });
      return;
    }
    door.channels.say(seat, frame);
    if (id !== undefined) link.peer?.send(acknowledgementFrame(id, []));
    return;
  }
  const { reason, detail, final } = verdict;
  door.record.link(link, { kind: 'event', outcome: 'refused', reason, detail });
  if (final) cut(door, link, { outcome: 'refused', reason, detail: 'too many refused events' });
};

/** Each renewal is verified and recorded: at the pace of packets one user could fill the audit. */
const RENEWAL_MILLIS = 5_000;
const RENEWAL_LEAD_MILLIS = 19 * RENEWAL_MILLIS;
const renewalDue = new WeakMap<Link, number>();

const renewsTooFast = (link: Link, nowMillis: number): boolean => {
  // A clock that was set back delays nobody for longer than the lead.
  const due = Math.min(
    Math.max(renewalDue.get(link) ?? 0, nowMillis),
    nowMillis + RENEWAL_LEAD_MILLIS + RENEWAL_MILLIS,
  );
  renewalDue.set(link, due + RENEWAL_MILLIS);
  return due - nowMillis > RENEWAL_LEAD_MILLIS;
};
