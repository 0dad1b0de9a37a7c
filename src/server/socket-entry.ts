/** How a connection is taken in, whatever carries it: counted by its address, limited, and known until it closes. */
import type { IncomingMessage } from 'node:http';
import { ENFORCED, modeFor } from '../model/mode.ts';
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

/** What is counted protects the process, so it holds in every mode. Returns the limit that would have refused it. */
export const enter = async (entry: Entry, { address }: CanonicalRequest, carrier: Carrier) => {
  const { options, byAddress } = entry;
  if (carrier.destroyed) throw new Rejection('client-gone', 'before the handshake');
  if (!byAddress.take(address)) throw new Rejection('sockets-limited', `sockets of address ${address}`);
  carrier.once('close', () => byAddress.give(address));
  const limited = await limitedBy(options, address);
  if (carrier.destroyed) throw new Rejection('client-gone', 'during the handshake');
  return limited;
};

/** A limit of the policy refuses where the policy is in effect; who is calling is not known yet. */
const limitedBy = async ({ limit, rollout = () => ENFORCED }: EntryOptions, address: string) => {
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
