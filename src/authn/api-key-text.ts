/**
 * An API key as its holder has it: `jgk_<id>_<secret><checksum>`. Its beginning tells scanners of source code what it is,
 * and its checksum tells them, and us, a key from a text that only looks like one.
 */
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

export interface ApiKeyText {
  readonly id: string;
  /** The key itself. */
  readonly text: string;
}

const ID_BYTES = 6;
const SECRET_BYTES = 32;
const PREFIX = 'jgk_';
const FORM = /^(jgk_([0-9a-f]{12})_[A-Za-z0-9_-]{43})([0-9a-f]{8})$/;

/** Returns a key that nobody has. */
export const newApiKey = (): ApiKeyText => {
  const id = randomBytes(ID_BYTES).toString('hex');
  const unchecked = `${PREFIX}${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, text: unchecked + checksum(unchecked) };
};

/** Returns whether a token is meant to be an API key, a misspelt one included: no issuer is ever asked about it. */
export const looksLikeApiKey = (token: string): boolean => token.slice(0, PREFIX.length).toLowerCase() === PREFIX;

/** Returns the id in an API key, or undefined where the text is none, or was misspelt or cut. */
export const apiKeyId = (token: string): string | undefined => {
  const [, unchecked = '', id, found] = FORM.exec(token) ?? [];
  return found === checksum(unchecked) ? id : undefined;
};

/**
 * Returns what is kept of a key. One round of SHA-256 suffices, where a password would need a slow and salted one: there is
 * no list of 2^256 secrets to try.
 */
export const apiKeyDigest = (token: string): Buffer => hash('sha256', token, 'buffer');

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');
