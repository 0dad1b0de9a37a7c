/** An issuer of tokens for tests: one RSA key pair for the process, its public half in a JWKS file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { IssuerSettings } from '../../src/authn/issuer.ts';

export interface TokenOptions {
  readonly roles?: readonly string[];
  readonly expiresInSeconds?: number;
}

export interface TestIssuer {
  readonly settings: IssuerSettings;
  token(user: string, options?: TokenOptions): Promise<string>;
}

const pair = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });

/** Writes `keys.json` into the directory. Owners are `<name>|<user>`. */
export const testIssuer = async (directory: string, name = 'test'): Promise<TestIssuer> => {
  const issuer = `https://${name}.example`;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: `${name}-1`, alg: 'RS256', use: 'sig' };
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}-keys.json`);
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  return {
    settings: {
      name,
      issuer,
      audience: 'jaaz',
      algorithms: ['RS256'],
      keys: { file },
      claims: { user: 'sub', roles: 'roles' },
      types: ['jwt', 'at+jwt'],
      clockToleranceSeconds: 5,
    },
    token: (user, { roles = [], expiresInSeconds = 3600 } = {}) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ roles: [...roles] })
        .setProtectedHeader({ alg: 'RS256', kid: `${name}-1`, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience('jaaz')
        .setSubject(user)
        .setIssuedAt(now)
        .setExpirationTime(now + expiresInSeconds)
        .sign(pair.privateKey);
    },
  };
};
