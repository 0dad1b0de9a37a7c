/** How a connection is taken in, whatever carries it: counted by its address, limited, and known until it closes. */
import type { IncomingMessage } from 'node:http';
import { ENFORCED, modeFor, type Rollout } from '../model/mode.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { SocketLifeOptions } from './socket-door.ts';
import { type Carrier, type Decisions, type Link, rejectionOf } from './socket-link.ts';
import type { Tally } from './socket-tally.ts';

export interface EntryOptions extends SocketLifeOptions {
  /** Throws a Rejection when this address may not connect now. */
  readonly limit?: (address: string) => void | Promise<void>;
}

export interface Entry {
  readonly options: EntryOptions;
  readonly record: Decisions;
  /** Open links by the request that opened them. */
  readonly links: Map<object, Link>;
  readonly byAddress: Tally;
  /** Called when the last link has closed. */
  closed: (() => void) | undefined;
  closing: boolean;
}

/** Takes a place for a connection until what carries it closes. Returns the limit that would have refused it. */
export const enter = async ({ options, byAddress }: Entry, { address }: CanonicalRequest, carrier: Carrier) => {
  const { limit, rollout = () => ENFORCED } = options;
  const keepPlace = (giveBack: () => void): void => void carrier.once('close', giveBack);
  const limited = await takePlace({ byAddress, limit, rollout }, address, { carrier, keepPlace });
  if (carrier.destroyed) throw new Rejection('client-gone', 'during the handshake');
  return limited;
};

/** How many may come from one address, and how often. */
export interface AddressLimits {
  readonly byAddress: Tally;
  readonly limit: EntryOptions['limit'];
  readonly rollout: () => Rollout;
}

interface Comer {
  readonly carrier: Pick<Carrier, 'destroyed'>;
  /** Given what gives the place back. */
  readonly keepPlace: (giveBack: () => void) => void;
}

/**
 * Takes a place for one that comes from an address, or rejects. What is counted protects the process, so it holds in every
 * mode; a limit of the policy refuses where the policy is in effect, and is returned where it is not. Who is calling is not
 * known yet.
 */
export const takePlace = async (
  { byAddress, limit, rollout }: AddressLimits,
  address: string,
  { carrier, keepPlace }: Comer,
): Promise<Rejection | undefined> => {
  if (carrier.destroyed) throw new Rejection('client-gone', 'before the handshake');
  if (!byAddress.take(address)) throw new Rejection('sockets-limited', `connections of address ${address}`);
  keepPlace(() => byAddress.give(address));
  try {
    await limit?.(address);
    return undefined;
  } catch (error) {
    if (modeFor(rollout(), undefined) === 'enforce') throw error;
    return rejectionOf(error);
  }
};

/** Keeps the link that a request opens until what carries it closes. */
export const keep = (
  entry: Entry,
  incoming: object,
  opened: Pick<Link, 'request' | 'limited' | 'duplex' | 'polled'>,
): Link => {
  const { links, options, record } = entry;
  const unknown = {
    conn: undefined,
    peer: undefined,
    principal: undefined,
    seat: undefined,
    unwatch: undefined,
    denials: [],
  };
  const startedMillis = (options.now ?? Date.now)();
  const link: Link = { ...opened, judge: options.inbound(), startedMillis, ...unknown, ended: false };
  links.set(incoming, link);
  opened.duplex.once('close', () => {
    links.delete(incoming);
    if (link.conn === undefined) {
      record.link(link, { outcome: 'refused', reason: 'request-malformed', detail: 'no Engine.IO handshake' });
    }
    if (links.size === 0) entry.closed?.();
  });
  return link;
};

export const rawRequest = ({ method = '', url = '', rawHeaders, socket }: IncomingMessage): RawRequest => ({
  method,
  target: url,
  rawHeaders,
  remoteAddress: socket.remoteAddress ?? '',
});
