/** A socket never outlives its authority: it ends, or goes on as somebody unknown where that may be. */
import { endOf } from '../model/authority.ts';
import type { Owner, Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import { type Door, leave } from './socket-door.ts';
import type { Denial, Link } from './socket-link.ts';

const DETAIL = 'the authority of an open socket';

/** Goes on by a prolonged authority, and ends or demotes the socket when it is over. Takes an earlier watch back. */
export const watchAuthority = (door: Door, link: Link): void => {
  const { principal } = link;
  link.unwatch?.();
  link.unwatch =
    principal &&
    door.options.lifetime.watch(principal, {
      prolonged: (later) => prolong(door, link, later),
      ended: (reason) => expire(door, link, reason),
    });
};

/** Ends or demotes the socket if its authority is over by now: what it waited for may have taken longer. */
export const checkAuthority = async (door: Door, link: Link): Promise<void> => {
  const { principal } = link;
  if (principal === undefined || principal.expiresAtMillis > door.now()) return;
  const current = await door.options.lifetime.current(principal);
  if (current === undefined) expire(door, link, endOf(principal, 'expired'));
  else prolong(door, link, current);
};

/** The same owner's still, and other roles may be another cohort of the rollout. */
const prolong = (door: Door, link: Link, principal: Principal): void => {
  if (link.ended) return;
  link.principal = principal;
  rejudge(door, link);
};

/** Without its authority a socket is somebody unknown's, where that may go on listening. */
const expire = (door: Door, link: Link, reason: ReasonCode): void => {
  // What carries it may have ended at the same moment, by the same token.
  if (link.ended || goesOn(door, link)) return;
  const mode = door.modeOf(undefined);
  const expired: Denial = { would: 'deny', reason, detail: DETAIL };
  link.denials = [...link.denials, expired];
  if (mode === 'enforce' || door.modeOf(link.principal) === 'enforce') {
    turnOut(door, link);
    return;
  }
  door.record.link(link, { outcome: 'allowed', mode, findings: [expired] });
  const { seat, peer, principal } = link;
  if (seat === undefined || peer === undefined || principal === undefined) return;
  stillCounted.set(link, (stillCounted.get(link) ?? new Set()).add(principal.owner));
  door.channels.remove(seat);
  link.principal = undefined;
  link.seat = door.channels.add(peer, undefined, mode);
};

/** A client that polls shows who it is with each request, and has shown a later authority of the same owner perhaps. */
const goesOn = (door: Door, link: Link): boolean => {
  const { principal, polled } = link;
  const shown = polled?.principal;
  if (principal === undefined || shown === undefined || shown.owner !== principal.owner) return false;
  if (shown.expiresAtMillis <= principal.expiresAtMillis) return false;
  link.principal = shown;
  watchAuthority(door, link);
  return true;
};

/** Ends a socket whose authority was taken back. In every mode: its client may come back as somebody unknown where that may be. */
export const revoke = (door: Door, link: Link, principal: Principal): void => {
  link.denials = [...link.denials, { would: 'deny', reason: endOf(principal, 'revoked'), detail: DETAIL }];
  turnOut(door, link);
};

/** The owners for whom a socket is counted although it is theirs no longer: until it closes. */
const stillCounted = new WeakMap<Link, Set<Owner>>();

/** Counts a socket that was somebody unknown's for its owner, once; throws `sockets-limited` when there are too many. */
export const countFor = (door: Door, link: Link, owner: Owner): void => {
  const counted = stillCounted.get(link) ?? new Set();
  if (counted.has(owner)) return;
  if (!door.byOwner.take(owner)) throw new Rejection('sockets-limited', `sockets of owner ${owner}`);
  stillCounted.set(link, counted.add(owner));
  link.duplex.once('close', () => door.byOwner.give(owner));
};

/** Judges an open socket by the rollout as it is now. */
export const rejudge = (door: Door, link: Link): void => {
  if (link.seat === undefined || link.ended) return;
  const mode = door.modeOf(link.principal);
  if (link.principal === undefined && mode === 'enforce') turnOut(door, link);
  else door.channels.move(link.seat, mode);
};

/** Ends a socket for the reason that it would have been refused for, so that its client comes back, with a token or not. */
export const turnOut = (door: Door, link: Link): void => {
  const { reason = 'token-missing', detail = 'no token in the handshake' } = link.denials.at(-1) ?? {};
  door.record.link(link, { outcome: 'refused', reason, detail });
  leave(door, link, reason);
};
