/**
 * Texts that leave our hands, into a database or a browser, and that only we can read and only we can have made: AES-256-GCM
 * under keys derived from the operator's secrets.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface Sealer {
  /** Returns a text, base64url, that shows nothing but the length of what is in it. */
  seal(purpose: string, text: string): string;
  /** Returns what was sealed for this purpose; undefined where anything about it is not right. */
  open(purpose: string, sealed: string): string | undefined;
}

/** As much as the key that is derived from it. */
const MIN_SECRET_BYTES = 32;

const VERSION = 1;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + SALT_BYTES;

/** Returns a sealer of which the first secret seals and all open; throws a TypeError for none, or one that is too short. */
export const sealer = (secrets: readonly Buffer[]): Sealer => {
  const [first] = secrets;
  if (first === undefined) throw new TypeError('There must be a secret to seal with.');
  if (secrets.some((secret) => secret.length < MIN_SECRET_BYTES))
    throw new TypeError(`A secret to seal with must be of ${MIN_SECRET_BYTES} bytes or more.`);

  return {
    seal(purpose, text) {
      const head = Buffer.concat([Buffer.of(VERSION), randomBytes(SALT_BYTES)]);
      const { key, nonce } = derived(first, head, purpose);
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(bound(head, purpose));
      const body = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([head, ...body, cipher.getAuthTag()]).toString('base64url');
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      // Node's decoder passes over what is not of the alphabet: one text must not have two spellings.
      if (bytes.length < HEAD_BYTES + TAG_BYTES || bytes[0] !== VERSION || bytes.toString('base64url') !== sealed)
        return undefined;
      for (const secret of secrets) {
        const text = openWith(secret, purpose, bytes);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
};

const openWith = (secret: Buffer, purpose: string, bytes: Buffer): string | undefined => {
  const head = bytes.subarray(0, HEAD_BYTES);
  const { key, nonce } = derived(secret, head, purpose);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(head, purpose));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
};

/** A key for each text: random nonces under one key would wear out (NIST SP 800-38D, section 8.3). */
const derived = (secret: Buffer, head: Buffer, purpose: string): { readonly key: Buffer; readonly nonce: Buffer } => {
  const bytes = Buffer.from(
    hkdfSync('sha256', secret, head.subarray(1), `jaaz-gateway ${purpose}`, KEY_BYTES + NONCE_BYTES),
  );
  return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) };
};

const bound = (head: Buffer, purpose: string): Buffer => Buffer.concat([head, Buffer.from(purpose)]);
