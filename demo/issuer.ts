/**
 * The demonstration's issuer of tokens: a key pair in a folder, with which the provider signs and `npm run token` too.
 * Whoever can read the folder can be anybody; it is for trying the gateway out.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { keptText, replaceFile, textOf } from './kept.ts';

/** Its alias in the demonstration's gateway.yaml. */
export const DEMO_ALIAS = 'demo';
export const DEMO_AUDIENCE = 'jaaz';
/** Where the provider listens unless that is taken: beside the port that is Jaaz's own. */
export const DEMO_PROVIDER_PORT = 57_989;

const ALGORITHM = 'RS256';

export interface TokenOptions {
  readonly user: string;
  readonly roles?: readonly string[];
  readonly expiresInSeconds: number;
  /** Unix time in milliseconds; now by default. */
  readonly issuedAtMillis?: number;
}

export interface DemoIssuer {
  /** The `iss` of its tokens, which is the address of its provider. */
  readonly url: string;
  /** The set of public keys, for `keys: { file }`. */
  readonly keysFile: string;
  /** The private key. */
  readonly signingKey: Readonly<Record<string, unknown>>;
  /** Resolves with a signed access token (RFC 9068). */
  issueToken(options: TokenOptions): Promise<string>;
}

/** Returns the folder of its files below a data directory; makes it when there is none. */
export function issuerFolder(dataDir: string): string {
  const folder = resolve(dataDir, 'demo-issuer');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/**
 * Opens the issuer whose keys are below a data directory; makes them when there are none. Its address is the given one,
 * or else the remembered one.
 */
export async function openDemoIssuer(dataDir: string, address?: string): Promise<DemoIssuer> {
  const folder = issuerFolder(dataDir);
  const url = address ?? rememberedAddress(dataDir) ?? `http://localhost:${DEMO_PROVIDER_PORT}`;
  const keysFile = join(folder, 'keys.json');
  const jwk = readKey(join(folder, 'private-key.json'), await keptText(join(folder, 'private-key.json'), makeKey));
  const { kid = '', kty, n, e } = jwk;
  replaceFile(keysFile, `${JSON.stringify({ keys: [{ kty, n, e, kid, alg: ALGORITHM, use: 'sig' }] }, null, 2)}\n`);
  const key = await importJWK(jwk, ALGORITHM);

  async function issueToken({ user, roles = [], expiresInSeconds, issuedAtMillis = Date.now() }: TokenOptions) {
    const now = Math.floor(issuedAtMillis / 1000);
    return await new SignJWT(roles.length === 0 ? {} : { roles: [...roles] })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'at+jwt' })
      .setIssuer(url)
      .setAudience(DEMO_AUDIENCE)
      .setSubject(user)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + expiresInSeconds)
      .sign(key);
  }

  return { url, keysFile, signingKey: { ...jwk, alg: ALGORITHM, use: 'sig' }, issueToken };
}

/** The address of the provider when it last ran; its port may have been another one than the usual. */
export const rememberedAddress = (dataDir: string): string | undefined => textOf(addressFile(dataDir))?.trim();

/** Keeps the address for the tokens that are made while nothing runs, and for the next start. */
export const rememberAddress = (dataDir: string, url: string): void => replaceFile(addressFile(dataDir), `${url}\n`);

const addressFile = (dataDir: string): string => join(issuerFolder(dataDir), 'address.txt');

function readKey(file: string, text: string): JWK {
  try {
    return JSON.parse(text) as JWK;
  } catch (error) {
    throw new Error(`The demo issuer's key cannot be read: ${file}. Remove it to have a new one made.`, {
      cause: error,
    });
  }
}

async function makeKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk) });
}
