/** The forms of single settings, wherever they come from: a file, the environment or a flag. */
import { isIP } from 'node:net';
import { clientAddress } from '../server/client-address.ts';
import { hostChecker } from '../server/host.ts';

export const PORT_FORM = 'a port from 0 to 65535 (0: any free one)';
export const UPSTREAM_FORM = 'an http or https URL of scheme, host and port only';
export const REDIS_FORM = 'a redis or rediss URL';
export const PUBLIC_URL_FORM =
  'an origin such as https://jaaz.example.com, or http on this machine, without a slash at the end';
export const KEYS_URL_FORM = 'an https URL, or http on this machine, without a user or password';

/** Returns the number, or undefined when the text is no port. */
export function parsePort(text: string): number | undefined {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/** Returns the upstream's origin, without a slash at the end, or undefined when the text is none. */
export function parseUpstream(text: string): string | undefined {
  const url = parseUrl(text, ['http:', 'https:']);
  return url !== undefined && isBare(url) ? url.origin : undefined;
}

export function isRedisUrl(text: string): boolean {
  const url = parseUrl(text, ['redis:', 'rediss:']);
  return url !== undefined && url.hash === '' && /^(?:\/[0-9]{0,5})?$/.test(url.pathname);
}

/** Keys that come over a network in clear could be anybody's. */
export function isKeysUrl(text: string): boolean {
  const url = parseUrl(text, ['http:', 'https:']);
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || isLoopback(url.hostname);
}

/** Returns whether a text is exactly the origin of a page, as browsers send it. */
export function isOrigin(text: string): boolean {
  const url = parseUrl(text, ['http:', 'https:']);
  return url !== undefined && url.origin === text;
}

/** Cookies of a login travel by https, or not at all; on this machine browsers make an exception. */
export function isPublicUrl(text: string): boolean {
  const url = parseUrl(text, ['http:', 'https:']);
  return url !== undefined && url.origin === text && (url.protocol === 'https:' || isLoopback(url.hostname));
}

/** Returns whether a server can listen on it: an address, or a name. */
export function isListenHost(text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/.test(text);
}

export const isServedHost = (text: string): boolean => isTakenBy(() => hostChecker([text]));

export const isAddressRange = (text: string): boolean => isTakenBy(() => clientAddress([text]));

/** Returns whether a text could hold a password, so that it is better not repeated. */
export const mayHoldPassword = (value: unknown): boolean => typeof value === 'string' && value.includes('@');

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    (isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}

function isBare(url: URL): boolean {
  return url.pathname === '/' && url.username === '' && url.password === '' && !/[?#]/.test(url.href);
}

function parseUrl(text: string, protocols: readonly string[]): URL | undefined {
  // The parser drops white space and takes backslashes for slashes: what looks like one URL would be another.
  if (/[\s\\]/.test(text)) return undefined;
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol) && url.hostname !== '' ? url : undefined;
}

function isTakenBy(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
