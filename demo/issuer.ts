/**
 * The demonstration's issuer of tokens: a key pair in a folder, and nothing that listens. Whoever can read the folder
 * can be anybody; it is for trying the gateway out.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** Its alias in the demonstration's gateway.yaml. */
export const DEMO_ALIAS = 'demo';
export const DEMO_ISSUER = 'http://demo-issuer.localhost';
export const DEMO_AUDIENCE = 'jaaz';

const ALGORITHM = 'RS256';

export interface TokenOptions {
  readonly user: string;
  readonly roles?: readonly string[];
  readonly expiresInSeconds: number;
  /** Unix time in milliseconds; now by default. */
  readonly issuedAtMillis?: number;
}

export interface DemoIssuer {
  /** The set of public keys, for `keys: { file }`. */
  readonly keysFile: string;
  /** Resolves with a signed access token (RFC 9068). */
  issueToken(options: TokenOptions): Promise<string>;
}

/** Opens the issuer whose keys are below a data directory; makes them when there are none. */
export async function openDemoIssuer(dataDir: string): Promise<DemoIssuer> {
  const folder = resolve(dataDir, 'demo-issuer');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const privateFile = join(folder, 'private-key.json');
  const keysFile = join(folder, 'keys.json');
  const jwk = readKey(privateFile) ?? (await makeKey(privateFile));
  const { kid = '', kty, n, e } = jwk;
  replaceFile(keysFile, `${JSON.stringify({ keys: [{ kty, n, e, kid, alg: ALGORITHM, use: 'sig' }] }, null, 2)}\n`);
  const key = await importJWK(jwk, ALGORITHM);

  async function issueToken({ user, roles = [], expiresInSeconds, issuedAtMillis = Date.now() }: TokenOptions) {
    const now = Math.floor(issuedAtMillis / 1000);
    return await new SignJWT(roles.length === 0 ? {} : { roles: [...roles] })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'at+jwt' })
      .setIssuer(DEMO_ISSUER)
      .setAudience(DEMO_AUDIENCE)
      .setSubject(user)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + expiresInSeconds)
      .sign(key);
  }

  return { keysFile, issueToken };
}

function readKey(file: string): JWK | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JWK;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`The demo issuer's key cannot be read: ${file}. Remove it to have a new one made.`, {
      cause: error,
    });
  }
}

/** Two processes may come here at once: the link is made by one of them only, and both go on with its key. */
async function makeKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk) }), { mode: 0o600 });
  try {
    linkSync(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as JWK;
}

function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
