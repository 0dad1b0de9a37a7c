/** API keys as a store keeps them, and the opened keys of a gateway with the revocations beside them. */

import { apiKeyDigest } from '../../src/authn/api-key-text.ts';
import { type ApiKeyStore, type ApiKeysOptions, type KeptApiKey, openApiKeys } from '../../src/authn/api-keys.ts';
import { openRevocations } from '../../src/authn/revocation.ts';
import { memoryApiKeys } from '../../src/store/memory/api-keys.ts';
import { memoryRevocations } from '../../src/store/memory/revocations.ts';
import { NOON_MILLIS } from './revocations.ts';

export const DAY = 86_400_000;

let made = 0;

/** A key as a store keeps it; nobody has its text. */
export const keptKey = (more: Partial<KeptApiKey> = {}): KeptApiKey => {
  made += 1;
  return {
    id: made.toString(16).padStart(12, '0'),
    digest: apiKeyDigest(`key ${made}`).toString('base64url'),
    account: 'ci',
    roles: [],
    madeAtMillis: NOON_MILLIS,
    expiresAtMillis: NOON_MILLIS + 90 * DAY,
    note: undefined,
    ...more,
  };
};

export const wanted = (more: Partial<KeptApiKey> = {}) => {
  const { account, roles, expiresAtMillis, note } = keptKey(more);
  return { account, roles, expiresAtMillis, note };
};

/** Opens the keys of one gateway; `end` closes everything. */
export const openKeys = async (store: ApiKeyStore = memoryApiKeys(), options: Partial<ApiKeysOptions> = {}) => {
  const now = options.now ?? (() => NOON_MILLIS);
  const revocations = await openRevocations({ store: memoryRevocations(now), now });
  const keys = await openApiKeys({ store, revocations, now, ...options });
  const end = (): void => {
    keys.close();
    revocations.close();
  };
  return { keys, revocations, end };
};
