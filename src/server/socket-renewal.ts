/**
 * In-band renewal: before its token expires a client shows a later one on the open socket, and nothing is interrupted. The
 * new token is verified as one in a handshake is, and changes until when the socket is its owner's, never whose it is.
 */
import type { JsonObject } from '../model/json.ts';
import type { Principal } from '../model/principal.ts';
import { reasons } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import { countFor, rejudge, watchAuthority } from './socket-authority.ts';
import { checkStill, cut, type Door, whoIs } from './socket-door.ts';
import { acknowledgementFrame, eventFrame } from './socket-frame.ts';
import { type ClientEvent, type Link, outcomeOf, rejectionOf } from './socket-link.ts';

/** The event by which a client shows a token, and by which it hears what came of it unless it asks to be acknowledged. */
export const RENEWAL = 'auth';

/** So many refusals in a row, and the connection ends. */
const MAX_REFUSED = 5;

interface Attempts {
  isUnderWay: boolean;
  refused: number;
}

const attempts = new WeakMap<Link, Attempts>();

/** Judges a token that a client shows on its open socket, and answers. Never rejects. */
export const renew = async (door: Door, link: Link, event: ClientEvent): Promise<void> => {
  const tried = attempts.get(link) ?? { isUnderWay: false, refused: 0 };
  attempts.set(link, tried);
  try {
    const principal = await once(tried, () => shown(door, link, event));
    if (isOver(link)) return;
    take(door, link, principal);
    tried.refused = 0;
    answer(door, link, { id: event.id, content: { status: 'renewed', expiresAtMillis: principal.expiresAtMillis } });
  } catch (error) {
    if (!isOver(link)) refuse(door, { link, event, tried }, rejectionOf(error));
  }
};

const isOver = ({ ended, duplex }: Link): boolean => ended || duplex.destroyed;

/** One at a time: the verdicts of two could arrive in either order. */
const once = async <T>(tried: Attempts, work: () => Promise<T>): Promise<T> => {
  if (tried.isUnderWay) throw new Rejection('rate-limited', 'a renewal is under way');
  tried.isUnderWay = true;
  try {
    return await work();
  } finally {
    tried.isUnderWay = false;
  }
};

/** Returns the principal of the token in an event, or throws a Rejection. */
const shown = async (door: Door, link: Link, event: ClientEvent): Promise<Principal> =>
  // The token stands for itself: a cookie of the handshake was forgotten when the socket was let in.
  whoIs(door, link.request, tokenIn(event));

/** `{ token }` and nothing else. */
const tokenIn = ({ args: [, given, ...more], attachments }: ClientEvent): string => {
  const [key, ...keys] = typeof given === 'object' && given !== null ? Object.keys(given) : [];
  const token = given !== undefined && key === 'token' ? (given as JsonObject).token : undefined;
  if (typeof token !== 'string' || token === '' || keys.length + more.length + attachments.length > 0)
    throw new Rejection('packet-invalid', 'a renewal that is not { token }');
  return token;
};

/** Replaces the authority of a socket. What throws has changed nothing. */
const take = (door: Door, link: Link, principal: Principal): void => {
  checkStill(door, principal);
  checkOwner(link, principal);
  if (link.principal === undefined) identify(door, link, principal);
  link.principal = principal;
  watchAuthority(door, link);
  // Other roles may be another cohort of the rollout.
  rejudge(door, link);
  door.record.link(link, { outcome: 'allowed', detail: 'renewed', mode: door.modeOf(principal) });
};

const checkOwner = ({ principal, polled }: Link, { owner }: Principal): void => {
  // Whoever knows the id of a session that nobody opened could take what it hears.
  if (polled !== undefined && polled.principal?.owner !== owner)
    throw new Rejection('token-other-owner', `${owner} on a session of ${polled.principal?.owner ?? 'nobody'}`);
  if (principal !== undefined && principal.owner !== owner)
    throw new Rejection('token-other-owner', `${owner} on a socket of ${principal.owner}`);
};

/** Where the policy is not in effect somebody unknown may be open, and becomes somebody by a good token, as at first. */
const identify = (door: Door, link: Link, principal: Principal): void => {
  const mode = door.modeOf(principal);
  if (link.limited !== undefined && mode === 'enforce') throw link.limited;
  countFor(door, link, principal.owner);
  link.denials = [];
  if (link.seat === undefined || link.peer === undefined) return;
  door.channels.remove(link.seat);
  link.seat = door.channels.add(link.peer, principal.owner, mode);
};

interface Refused {
  readonly link: Link;
  readonly event: ClientEvent;
  readonly tried: Attempts;
}

/** The authority that there was goes on. What is not the client's fault does not count. */
const refuse = (door: Door, { link, event, tried }: Refused, rejection: Rejection): void => {
  const { reason, message: detail, status } = rejection;
  const { message, shownAs: code = reason } = reasons[reason];
  door.record.link(link, { outcome: outcomeOf(rejection), reason, detail, status });
  if (status < 500) tried.refused += 1;
  if (tried.refused < MAX_REFUSED) answer(door, link, { id: event.id, content: { status: 'refused', code, message } });
  else cut(door, link, { outcome: 'refused', reason, detail: 'too many refused renewals' });
};

interface Answer {
  readonly id: number | undefined;
  readonly content: JsonObject;
}

const answer = (door: Door, { seat, peer }: Link, { id, content }: Answer): void => {
  if (id !== undefined) peer?.send(acknowledgementFrame(id, [content]));
  else if (seat !== undefined) door.channels.say(seat, eventFrame(RENEWAL, [content]));
};
