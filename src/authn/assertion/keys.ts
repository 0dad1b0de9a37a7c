/**
 * The gateway's own signing keys: sealed in the ledger's database, the same for all processes on it, and each in use for a
 * time. Nothing here ever hands out a private half.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Sealer } from '../seal.ts';
import { type Circumstances, isNothing, type KeyTimesOfOurs, planKeys, signerAt } from './plan.ts';
import type { SigningKeyChange, SigningKeyStore, StoredSigningKey } from './store.ts';

export type AssertionAlgorithm = 'ES256' | 'EdDSA';

export interface SigningKeysOptions {
  readonly store: SigningKeyStore;
  readonly sealer: Sealer;
  readonly algorithm: AssertionAlgorithm;
  readonly times: KeyTimesOfOurs;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** Between two looks whether something is due; a third of the lead, at most a minute, unless told. */
  readonly everyMillis?: number;
  readonly notice?: (notice: SigningKeyNotice) => void;
}

export interface SigningKeyNotice {
  /** Of `unusable` the detail names keys that are there and cannot be opened: with another secret, or altered. */
  readonly kind: 'signing-keys-changed' | 'signing-keys-unavailable' | 'signing-keys-unusable';
  readonly detail: string;
}

export interface SigningKey {
  readonly id: string;
  readonly algorithm: AssertionAlgorithm;
  readonly privateKey: KeyObject;
}

export interface SigningKeys {
  /** The key that signs now. */
  current(): SigningKey;
  /** The public halves of all that were in use, are or will be: a JWK set (RFC 7517). */
  published(): Buffer;
  close(): void;
}

/** What is sealed for one purpose opens for no other one. */
const PURPOSE = 'signing-key';

/** Resolves when there is a key to sign with, or rejects with the store's error. */
export const openSigningKeys = async (options: SigningKeysOptions): Promise<SigningKeys> => {
  const { store, times, now = Date.now, notice = () => undefined } = options;
  const opener = keyOpener(options.sealer);
  let usable: readonly UsableKey[] = [];
  let published: Buffer = Buffer.of();
  let told = '';

  const take = (stored: readonly StoredSigningKey[]): void => {
    opener.forgetAllBut(stored);
    usable = stored.flatMap((key) => opener.open(key) ?? []);
    published = Buffer.from(JSON.stringify({ keys: usable.map(({ jwk }) => jwk) }));
    const ids = usable.map(({ id }) => id).join(', ');
    const unusable = stored.filter((key) => opener.open(key) === undefined).map(({ id }) => id);
    if (told === `${ids}; ${unusable}`) return;
    told = `${ids}; ${unusable}`;
    notice({ kind: 'signing-keys-changed', detail: ids });
    if (unusable.length > 0) notice({ kind: 'signing-keys-unusable', detail: unusable.join(', ') });
  };

  const plan = (keys: readonly StoredSigningKey[]) => {
    const opens: Circumstances['opens'] = (key) => opener.open(key) !== undefined;
    return planKeys(keys, { nowMillis: now(), algorithm: options.algorithm, opens, times });
  };
  /** Inside of the store's transaction: what another process did a moment ago is seen there. */
  const decide = (keys: readonly StoredSigningKey[]): SigningKeyChange => {
    const { signsFromMillis, retire, remove } = plan(keys);
    const make = signsFromMillis === undefined ? [] : [newKey(options, { signsFromMillis, madeAtMillis: now() })];
    return { make, retire, remove };
  };
  const refresh = async (): Promise<void> => {
    const stored = await store.all();
    take(isNothing(plan(stored)) ? stored : await store.change(decide));
  };
  const again = oneAtATime(refresh, (error) => notice({ kind: 'signing-keys-unavailable', detail: String(error) }));

  store.onChange(again);
  await refresh();
  const timer = setInterval(again, options.everyMillis ?? Math.min(60_000, times.leadMillis / 3)).unref();
  return {
    current() {
      const key = signerAt(usable, now());
      if (key === undefined) throw new TypeError('There is no key to sign with.');
      return key;
    },
    published: () => published,
    close: () => clearInterval(timer),
  };
};

/** Returns a function that has the work done once more, after the one under way; what is known goes on holding when it fails. */
const oneAtATime = (work: () => Promise<void>, failed: (error: unknown) => void) => {
  let underWay = false;
  let wanted = false;
  const run = async (): Promise<void> => {
    underWay = true;
    do {
      wanted = false;
      await work().catch(failed);
    } while (wanted);
    underWay = false;
  };
  return (): void => {
    wanted = true;
    if (!underWay) void run();
  };
};

interface UsableKey extends SigningKey, Pick<StoredSigningKey, 'signsFromMillis'> {
  /** The public half with what a reader has to know of it. */
  readonly jwk: object;
}

/** Returns what opens stored keys, each once. */
const keyOpener = (sealer: Sealer) => {
  const opened = new Map<string, UsableKey | undefined>();
  const identity = ({ id, sealed }: StoredSigningKey): string => `${id} ${sealed}`;
  return {
    open(key: StoredSigningKey): UsableKey | undefined {
      const known = opened.get(identity(key));
      if (known !== undefined || opened.has(identity(key))) return known;
      const usable = openKey(sealer, key);
      opened.set(identity(key), usable);
      return usable;
    },
    forgetAllBut(keys: readonly StoredSigningKey[]): void {
      const kept = new Set(keys.map(identity));
      for (const name of opened.keys()) if (!kept.has(name)) opened.delete(name);
    },
  };
};

/** Its public half is made of the private one: what else stands in the database, anybody could have put there who can write it. */
const openKey = (
  sealer: Sealer,
  { id, algorithm, sealed, signsFromMillis }: StoredSigningKey,
): UsableKey | undefined => {
  const text = sealer.open(PURPOSE, sealed);
  if (text === undefined || !isAlgorithm(algorithm)) return undefined;
  const privateKey = createPrivateKey({ key: Buffer.from(text, 'base64url'), format: 'der', type: 'pkcs8' });
  const shape = publicShape(privateKey);
  if (thumbprint(shape) !== id || shape.crv !== CURVES[algorithm]) return undefined;
  return { id, algorithm, privateKey, signsFromMillis, jwk: { ...shape, kid: id, alg: algorithm, use: 'sig' } };
};

const CURVES: Readonly<Record<AssertionAlgorithm, string>> = { ES256: 'P-256', EdDSA: 'Ed25519' };

const isAlgorithm = (text: string): text is AssertionAlgorithm => Object.hasOwn(CURVES, text);

const newKey = (
  { sealer, algorithm }: Pick<SigningKeysOptions, 'sealer' | 'algorithm'>,
  times: Pick<StoredSigningKey, 'signsFromMillis' | 'madeAtMillis'>,
): StoredSigningKey => {
  const { privateKey } =
    algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const shape = publicShape(privateKey);
  const sealed = sealer.seal(PURPOSE, privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url'));
  const publicJwk = JSON.stringify(shape);
  return { id: thumbprint(shape), algorithm, publicJwk, sealed, ...times, retiredAtMillis: undefined };
};

interface PublicShape {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y?: string;
}

/** The public members and no others, in the order of a thumbprint. */
const publicShape = (privateKey: KeyObject): PublicShape => {
  const { crv = '', kty = '', x = '', y } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { crv, kty, x, ...(y !== undefined && { y }) };
};

/** RFC 7638: no two keys have one name. */
const thumbprint = (shape: PublicShape): string =>
  createHash('sha256').update(JSON.stringify(shape)).digest('base64url');
