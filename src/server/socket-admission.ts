/** May this connection come in, and whose is it? Asked once, when its client connects to the namespace. */
import type { Principal } from '../model/principal.ts';
import { reasons } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import { type Arrival, checkStill, type Door, whoIs } from './socket-door.ts';
import { tokenInAuth, tokenOf } from './socket-handshake.ts';
import { type Denial, denialOf, endLink, type Link, outcomeOf, type Polled, rejectionOf } from './socket-link.ts';
import { resumption } from './socket-resume.ts';

/** Lets a connection in, or refuses it with a CONNECT_ERROR and ends the transport. Never rejects. */
export const admit = async (door: Door, { link, socket }: Arrival, next: (error?: Error) => void): Promise<void> => {
  if (link === undefined) return next(new Error('gone'));
  const { duplex } = link;
  try {
    const found = await identify(door, link, socket.handshake.auth);
    if (duplex.destroyed || link.ended) return next(new Error('gone'));
    if (!('denial' in found)) enrol(door, link, found);
    if (link.limited !== undefined && door.modeOf(link.principal) === 'enforce') throw link.limited;
    link.denials = [...(link.limited ? [denialOf(link.limited)] : []), ...('denial' in found ? [found.denial] : [])];
    await resumption(door, { link, socket });
    if (duplex.destroyed || link.ended) return next(new Error('gone'));
    next();
  } catch (error) {
    const rejection = rejectionOf(error);
    const { reason, message: detail, status } = rejection;
    door.record.link(link, { outcome: outcomeOf(rejection), reason, detail, status });
    // A CONNECT_ERROR is final for the client's own reconnection, so what is our fault ends the transport only.
    if (status >= 500) endLink(link, reason);
    const { message, shownAs: code = reason }: { message: string; shownAs?: string } = reasons[reason];
    next(Object.assign(new Error(message), { data: { code, message } }));
    setImmediate(endLink, link, reason);
  }
};

/** Returns who it is, or why that is not known where somebody unknown may come in, or throws a Rejection. */
const identify = async (door: Door, link: Link, auth: unknown): Promise<Principal | { denial: Denial }> => {
  const { request, polled } = link;
  try {
    return polled === undefined
      ? await whoIs(door, request, tokenOf(door.options.rule, request, auth))
      : await identifyPolled(door, link, { polled, auth });
  } catch (error) {
    if (door.modeOf(undefined) === 'enforce') throw error;
    return { denial: denialOf(rejectionOf(error)) };
  }
};

interface Claimed {
  readonly polled: Polled;
  readonly auth: unknown;
}

/** Whose a session is was settled when it was opened: by `auth` it becomes nobody else's, and nobody's nobody's. */
const identifyPolled = async (door: Door, { request }: Link, { polled, auth }: Claimed): Promise<Principal> => {
  const { principal, denial } = polled;
  if (principal === undefined) throw new Rejection(denial?.reason ?? 'token-missing', denial?.detail ?? 'nobody polls');
  const token = tokenInAuth(door.options.rule, auth);
  if (token === undefined) {
    checkStill(door, principal);
    return principal;
  }
  // The cookie of the request that opened the session stands beside the token.
  const shown = await whoIs(door, request, token);
  if (shown.owner !== principal.owner) throw new Rejection('token-other-owner', `${shown.owner} in auth`);
  return shown;
};

/** What an owner may have open protects the process, so it holds in every mode. */
const enrol = (door: Door, link: Link, principal: Principal): void => {
  checkStill(door, principal);
  const { owner } = principal;
  if (!door.byOwner.take(owner)) throw new Rejection('sockets-limited', `sockets of owner ${owner}`);
  link.duplex.once('close', () => door.byOwner.give(owner));
  link.principal = principal;
};
