/**
 * Who is at the other end: the peer, or, where the peer is a proxy that the operator trusts, whom that proxy names. By
 * default nobody is trusted, and forwarding headers change nothing (oauth2-proxy CVE-2026-76835).
 */
import { BlockList, isIP, SocketAddress } from 'node:net';

export interface Client {
  readonly address: string;
  readonly secure: boolean;
}

/** Returns a function that names the client. Throws a TypeError for what is neither an address nor a CIDR. */
export function clientAddress(
  trustedProxies: readonly string[],
): (peer: string, headers: ReadonlyMap<string, string>) => Client {
  const trusted = trustedProxies.length === 0 ? undefined : blockList(trustedProxies);

  return function findClient(peer, headers) {
    const address = plainAddress(peer);
    if (trusted === undefined || !includes(trusted, address)) return { address, secure: false };
    const forwarded = headers.get('x-forwarded-for');
    return {
      address: forwarded === undefined ? address : walk(forwarded, address, trusted),
      secure: headers.get('x-forwarded-proto') === 'https',
    };
  };
}

/** From the right: each hop is believed only as far as the one that reported it. Stops at what is not an address. */
function walk(forwarded: string, peer: string, trusted: BlockList): string {
  let client = peer;
  for (const entry of forwarded.split(',').reverse()) {
    const address = reportedAddress(entry.trim());
    if (address === undefined) break;
    client = address;
    if (!includes(trusted, address)) break;
  }
  return client;
}

const withPort = /^(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?$/;

/** Some proxies report a port as well. IPv6 is brought to its one spelling, so that limits by address count right. */
function reportedAddress(entry: string): string | undefined {
  const found = withPort.exec(entry);
  const text = plainAddress(found?.[1] ?? found?.[2] ?? entry);
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined;
  return family === 4 ? text : plainAddress(new SocketAddress({ address: text, family: 'ipv6' }).address);
}

const mapped = /^::ffff:([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)$/i;

/** Returns the IPv4 address out of one that is mapped into IPv6, and anything else as it is. */
const plainAddress = (address: string): string =>
  address.startsWith('::') ? (mapped.exec(address)?.[1] ?? address) : address;

function includes(list: BlockList, address: string): boolean {
  const bare = address.includes('%') ? address.slice(0, address.indexOf('%')) : address;
  const family = isIP(bare);
  return family !== 0 && list.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    const most = family === 4 ? 32 : 128;
    if (family === 0 || rest.length > 0 || (prefix !== undefined && !/^[0-9]{1,3}$/.test(prefix)) || bits > most) {
      throw new TypeError(`neither an address nor a CIDR: ${entry}`);
    }
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
