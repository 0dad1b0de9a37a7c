/** Who asks for what: 1,000 users with a token each and 10,000 canvases, ten to a user, all on file before the start. */
import { createPublicKey, hash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type { Claim } from '../src/authz/ownership.ts';
import { openSqliteFile } from '../src/store/sqlite/file.ts';
import { openSqliteLedger } from '../src/store/sqlite/ownership-ledger.ts';
import { sqliteSessions } from '../src/store/sqlite/sessions.ts';
import type { LoadRequest } from './load.ts';
import { sessionOf } from './socket-events.ts';

const USERS = 1000;
const CANVASES_PER_USER = 10;

export const ISSUER = 'https://login.bench.example';
export const AUDIENCE = 'jaaz';
export const ALIAS = 'bench';

const userOf = (user: number): string => `user-${user}`;
const canvasOf = (user: number, canvas: number): string => `canvas-${user}-${canvas}`;

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

export interface Identities {
  /** A JWK set with the issuer's key. */
  readonly keysFile: string;
  /** The same key as PEM. */
  readonly publicKeyFile: string;
  /** The users' tokens, in the order of their numbers. */
  readonly tokensFile: string;
  /** The load's requests, in rotation: neighbours are of different users. */
  readonly requestsFile: string;
}

/** Returns what all users ask for, in rotation: neighbours are of different users. */
export const requestsOf = (credentials: readonly string[]): LoadRequest[] =>
  range(CANVASES_PER_USER).flatMap((canvas) =>
    credentials.map((credential, user) => ({ path: `/api/canvas/${canvasOf(user, canvas)}`, credential })),
  );

/** Makes the issuer's RS256 key of 2048 bits, the tokens and the requests, as files in a folder. */
export const makeIdentities = async (folder: string, issuer: string = ISSUER): Promise<Identities> => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  const tokens = await Promise.all(
    range(USERS).map((user) =>
      new SignJWT({ roles: [] })
        .setProtectedHeader({ alg: 'RS256', kid: 'bench', typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(userOf(user))
        .setIssuedAt()
        .setExpirationTime('2h')
        .sign(privateKey),
    ),
  );
  const requests = requestsOf(tokens.map((token) => `authorization: Bearer ${token}`));
  const files = {
    keysFile: join(folder, 'keys.json'),
    publicKeyFile: join(folder, 'public.pem'),
    tokensFile: join(folder, 'tokens.json'),
    requestsFile: join(folder, 'requests.json'),
  };
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256', use: 'sig' };
  writeFileSync(files.keysFile, JSON.stringify({ keys: [jwk] }));
  writeFileSync(
    files.publicKeyFile,
    createPublicKey(await exportSPKI(publicKey)).export({ type: 'spki', format: 'pem' }),
  );
  writeFileSync(files.tokensFile, JSON.stringify(tokens));
  writeFileSync(files.requestsFile, JSON.stringify(requests));
  return files;
};

const seed = async (path: string, claimsOf: (user: number) => readonly Claim[]): Promise<void> => {
  const ledger = openSqliteLedger({ path });
  await Promise.all(
    range(USERS).map(async (user) => {
      const outcome = await ledger.claim(claimsOf(user), `${ALIAS}|${userOf(user)}`, `seed-${user}`);
      if (!outcome.claimed) throw new Error(`the ledger refused an id: ${outcome.because}`);
      await ledger.settle(outcome.refs, `seed-${user}`, 'kept');
    }),
  );
  await ledger.close();
};

const canvasClaim = (user: number, canvas: number): Claim => ({
  ref: { kind: 'canvas', id: canvasOf(user, canvas) },
  parent: undefined,
  verb: 'create',
});

/** Records every canvas as its user's in a new ledger. */
export const seedLedger = (path: string): Promise<void> =>
  seed(path, (user) => range(CANVASES_PER_USER).map((canvas) => canvasClaim(user, canvas)));

/** Records a canvas and a session on it as each user's in a new ledger. */
export const seedSessions = (path: string): Promise<void> =>
  seed(path, (user) => {
    const canvas = canvasClaim(user, 0);
    const ref = { kind: 'session', id: sessionOf(user) };
    return [canvas, { ref, parent: canvas.ref, verb: 'create' }];
  });

const DAY_MILLIS = 86_400_000;

/** Logs every user in, in a ledger that is there, and resolves with the values of their cookies. */
export const seedLogins = async (path: string): Promise<readonly string[]> => {
  const file = openSqliteFile({ path });
  const sessions = sqliteSessions(file);
  const nowMillis = Date.now();
  const values = range(USERS).map(() => randomBytes(32).toString('base64url'));
  await Promise.all(
    values.map((value, user) =>
      sessions.insert(hash('sha256', value, 'base64url'), {
        id: `bench-${user}`,
        issuer: ALIAS,
        user: userOf(user),
        roles: [],
        tenant: undefined,
        providerSessionId: undefined,
        startedAtMillis: nowMillis,
        endsAtMillis: nowMillis + DAY_MILLIS,
        usedAtMillis: nowMillis,
        refreshAtMillis: undefined,
        sealedTokens: undefined,
        version: 0,
      }),
    ),
  );
  sessions.close();
  file.close();
  return values;
};
