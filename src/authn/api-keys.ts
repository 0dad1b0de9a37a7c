/**
 * API keys of service accounts. They are few, so all of them are in memory: a key is judged without asking anybody, and
 * those that are known go on while the store cannot be read.
 */
import { timingSafeEqual } from 'node:crypto';
import type { ApiKey, ApiKeyWanted } from '../model/api-key.ts';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import { apiKeyDigest, apiKeyId, looksLikeApiKey, newApiKey } from './api-key-text.ts';
import { refusal } from './challenge.ts';
import { principalOf } from './claims.ts';
import type { TokenReader } from './credential-token.ts';
import { SERVICE_ALIAS } from './issuer.ts';
import { latest } from './latest.ts';
import type { Revocations } from './revocation.ts';

/** A key as it is kept. */
export interface KeptApiKey extends ApiKey {
  /** SHA-256 of the key, in base64url. */
  readonly digest: string;
}

/** The port: where keys are kept. What rejects has changed nothing. */
export interface ApiKeyStore {
  /** Oldest first, those that have expired included. */
  all(): Promise<readonly KeptApiKey[]>;
  /** Durable before it resolves, as `remove` is; resolves with false, and adds nothing, where there are `most` already. */
  add(key: KeptApiKey, most: number): Promise<boolean>;
  /** Resolves with false when there is none of this id. */
  remove(id: string): Promise<boolean>;
  /** Removes those that expired before a moment (Unix time in milliseconds). */
  purge(beforeMillis: number): Promise<void>;
  /** Calls back when another process may have changed something, within the bound; again while that cannot be told. */
  onChange(listener: () => void): void;
}

export interface MadeApiKey {
  readonly key: ApiKey;
  /** The key itself, told this once. */
  readonly text: string;
}

export interface RevokedApiKey {
  readonly key: ApiKey;
  /** How many sockets were ended here. */
  readonly ended: number;
}

export interface ApiKeys extends TokenReader {
  verify(token: string): Principal;
  /** Good, here, when it resolves. Rejects: api-keys-full, api-keys-unavailable. */
  make(wanted: ApiKeyWanted): Promise<MadeApiKey>;
  /**
   * Ends a key, and what lives by it, everywhere; undefined: there is none of this id. Rejects: revocations-unavailable,
   * api-keys-unavailable.
   */
  revoke(id: string): Promise<RevokedApiKey | undefined>;
  /** Oldest first, those that have expired lately included. */
  list(): readonly ApiKey[];
  /** False while what another process changes cannot be read; what was known goes on holding. */
  healthy(): boolean;
  close(): void;
}

export interface ApiKeyNotice {
  readonly kind: 'api-keys-unreadable' | 'api-keys-readable';
  readonly detail: string;
}

export interface ApiKeysOptions {
  readonly store: ApiKeyStore;
  readonly revocations: Pick<Revocations, 'add' | 'revokes'>;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** Hears of each change once. */
  readonly notice?: (notice: ApiKeyNotice) => void;
  /** How many there may be. */
  readonly most?: number;
}

const MOST = 10_000;

/** No revocation is of a moment further ahead (server/revocation-form), or was when it was made. */
const MOST_AHEAD_MILLIS = 601_000;

/** An expired key is shown for so long, so that who wonders why it is refused finds it. */
const SHOWN_MILLIS = 30 * 86_400_000;

/** Resolves when all are known, or rejects with the store's error: a gateway that does not know them must not start. */
export const openApiKeys = async (options: ApiKeysOptions): Promise<ApiKeys> => {
  const { store, revocations, now = Date.now, notice = () => undefined, most = MOST } = options;
  let known = new Map<string, KnownKey>();
  const reading = latest({
    read: () => store.all(),
    take(all) {
      known = new Map(all.map((kept) => [kept.id, knownKey(kept)]));
    },
    notice: (readable, detail) => notice({ kind: readable ? 'api-keys-readable' : 'api-keys-unreadable', detail }),
  });
  await store.purge(now() - SHOWN_MILLIS).catch(untilNextTime);
  // The store tells of a change once, so it is listened to before it is read.
  store.onChange(reading.again);
  await reading.first();

  /**
   * A moment that no revocation of the account covers: one made a moment ago holds for all of its second, and one of what was
   * issued before a moment may name one that is ahead, for the clocks of issuers.
   */
  const beginning = (wanted: ApiKeyWanted): number => {
    const nowMillis = now();
    let madeAtMillis = nowMillis;
    const isRevoked = () => revocations.revokes(principalFor({ ...wanted, id: '', madeAtMillis })) !== undefined;
    while (madeAtMillis < nowMillis + MOST_AHEAD_MILLIS && isRevoked())
      madeAtMillis = (Math.floor(madeAtMillis / 1000) + 1) * 1000;
    return madeAtMillis;
  };

  return {
    reads: looksLikeApiKey,
    verify: (token) => holderOf(token, known, now()),
    async make(wanted) {
      const { id, text } = newApiKey();
      const key: ApiKey = { ...wanted, id, madeAtMillis: beginning(wanted) };
      const kept: KeptApiKey = { ...key, digest: apiKeyDigest(text).toString('base64url') };
      await store.purge(now() - SHOWN_MILLIS).catch(untilNextTime);
      if (!(await written(store.add(kept, most)))) throw new Rejection('api-keys-full', `there are ${most} API keys`);
      reading.spoil();
      known.set(id, knownKey(kept));
      return { key, text };
    },
    async revoke(id) {
      const found = known.get(id);
      if (found === undefined) return undefined;
      const { key } = found;
      // First this: it reaches open sockets and other processes, and holds even if the row should stay.
      const { ended } = await revocations.add({
        ...{ by: 'token', issuer: SERVICE_ALIAS, tokenId: id },
        ...{ untilMillis: key.expiresAtMillis, note: `API key of ${key.account}` },
      });
      await written(store.remove(id));
      reading.spoil();
      known.delete(id);
      return { key, ended };
    },
    list: () => [...known.values()].map(({ key }) => key),
    healthy: reading.healthy,
    close: reading.close,
  };
};

/** What cannot be purged now is refused all the same. */
const untilNextTime = (): void => undefined;

const written = async <T>(change: Promise<T>): Promise<T> => {
  try {
    return await change;
  } catch (cause) {
    throw new Rejection('api-keys-unavailable', `API keys: ${String(cause)}`, { cause });
  }
};

interface KnownKey {
  readonly key: ApiKey;
  readonly digest: Buffer;
  readonly principal: Principal;
}

const principalFor = (key: Omit<ApiKey, 'note'>): Principal =>
  principalOf(
    SERVICE_ALIAS,
    { user: key.account, roles: [...key.roles], tenant: undefined },
    { tokenId: key.id, issuedAtMillis: key.madeAtMillis, expiresAtMillis: key.expiresAtMillis },
  );

const DIGEST_BYTES = 32;

const knownKey = ({ digest: text, ...key }: KeptApiKey): KnownKey => {
  const digest = Buffer.from(text, 'base64url');
  if (digest.length !== DIGEST_BYTES) throw new TypeError(`the digest of the API key ${key.id} is none`);
  return { key, digest, principal: principalFor(key) };
};

/** Compared where there is no such key, so that it takes no less time to say so. */
const NOBODY = Buffer.alloc(DIGEST_BYTES);

/** Returns whose key it is, or throws a Rejection: token-malformed, token-key-unknown or token-expired. */
const holderOf = (token: string, known: ReadonlyMap<string, KnownKey>, nowMillis: number): Principal => {
  const id = apiKeyId(token);
  if (id === undefined) throw refusal('token-malformed', 'an API key that is misspelt or cut');
  const found = known.get(id);
  const isSame = timingSafeEqual(apiKeyDigest(token), found?.digest ?? NOBODY);
  // One reason for both: which keys there are is told to nobody who has none.
  if (found === undefined) throw refusal('token-key-unknown', `there is no API key ${id}`);
  if (!isSame) throw refusal('token-key-unknown', `not the secret of the API key ${id}`);
  if (nowMillis >= found.principal.expiresAtMillis) throw refusal('token-expired', `the API key ${id} has expired`);
  return found.principal;
};
