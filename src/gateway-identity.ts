/**
 * The part of the composition that knows who is calling: readers of tokens, sessions of those who log in, service accounts,
 * and the signed word about them all that goes to the upstream.
 */
import { type ApiKeys, openApiKeys } from './authn/api-keys.ts';
import { type Assertions, assertions } from './authn/assertion/assertion.ts';
import { type Authenticator, authenticate } from './authn/authenticate.ts';
import { introspection } from './authn/introspection/introspection.ts';
import { SERVICE_ALIAS } from './authn/issuer.ts';
import { logins } from './authn/login/login.ts';
import { type ResourceMetadata, resourceMetadata } from './authn/metadata.ts';
import { openProviders } from './authn/oidc/providers.ts';
import type { Revocations } from './authn/revocation.ts';
import { type Sealer, sealer } from './authn/seal.ts';
import { openSessions, type Sessions } from './authn/session/sessions.ts';
import { parseStrictJson } from './body/json.ts';
import type { Config } from './config/config.ts';
import { sealingSecrets } from './gateway-secrets.ts';
import type { Stores } from './gateway-stores.ts';
import type { AuditSink } from './model/audit.ts';
import type { Logins } from './model/login.ts';
import type { AdminAccess } from './server/admin-guard.ts';
import type { AdminKeys } from './server/admin-keys.ts';
import { keySource } from './store/keys/source.ts';
import type { Log } from './telemetry/log.ts';

export interface IdentityOptions {
  readonly config: Config;
  readonly stores: Pick<Stores, 'apiKeys' | 'sessions' | 'signingKeys'>;
  readonly revocations: Revocations;
  readonly log: Log;
}

export interface Identity {
  readonly authenticator: Authenticator;
  readonly apiKeys: ApiKeys;
  /** Undefined where nobody can log in. */
  readonly people: People | undefined;
  /** Undefined where the upstream is told nothing that is signed. */
  readonly assertions: Assertions | undefined;
  readonly metadata: ResourceMetadata | undefined;
  /** Returns false while a token that is good might be refused, because somebody cannot be asked. */
  healthy(): boolean;
  close(): void;
}

/** Those who log in. */
export interface People {
  readonly logins: Logins;
  readonly sessions: Sessions;
  /** The secret that seals. */
  readonly secret: Buffer;
  close(): void;
}

interface Notice {
  readonly kind: string;
}

/** Which of what is told are faults of a store of ours, and which are none. */
const FAULTS_HERE = new Set(['api-keys-unreadable', 'sessions-unreadable', 'session-not-removed']);
const GOOD_NEWS = new Set([
  ...['keys-changed', 'api-keys-readable', 'introspection-works', 'sessions-readable', 'provider-back'],
  ...['session-ended', 'signing-keys-changed'],
]);

/** Resolves with everything open, or rejects with what could not be; then nothing is left open. */
export const identityPlane = async (options: IdentityOptions): Promise<Identity> => {
  const { config, stores, revocations, log } = options;
  const notice = ({ kind, ...fields }: Notice): void => {
    if (GOOD_NEWS.has(kind)) log.info(fields, kind);
    else if (FAULTS_HERE.has(kind)) log.error(fields, kind);
    else log.warn(fields, kind);
  };
  const open: Array<{ close(): void }> = [];
  try {
    const seals = await sealsOf(config);
    const apiKeys = await openApiKeys({ store: stores.apiKeys, revocations, notice });
    open.push(apiKeys);
    const people = seals && openPeople({ ...options, seals, notice });
    if (people !== undefined) open.push(people);
    const signing = seals && (await openAssertions({ ...options, seals, notice }));
    if (signing !== undefined) open.push(signing);
    const opaque = config.issuers.some((issuer) => issuer.introspection !== undefined)
      ? introspection({ issuers: config.issuers, notice })
      : undefined;
    const metadata = resourceMetadata({ issuers: config.issuers, url: config.listen.url });
    const authenticator = authenticate({
      issuers: config.issuers,
      revocations,
      source: keySource,
      notice,
      sessions: people?.sessions,
      sessionLifetimeMillis: config.sessions.lifetimeMillis,
      readers: [apiKeys, ...(opaque === undefined ? [] : [opaque])],
      site: { url: config.listen.url, origins: config.listen.origins },
      metadata,
    });
    open.push(authenticator);
    const close = (): void => closeAll(open);
    return {
      ...{ authenticator, apiKeys, people, assertions: signing, metadata },
      healthy: () => authenticator.healthy() && (opaque?.healthy() ?? true),
      close,
    };
  } catch (error) {
    closeAll(open);
    throw error;
  }
};

/** The last one that was opened leans on those before. */
const closeAll = (open: ReadonlyArray<{ close(): void }>): void => {
  for (const each of open.toReversed()) each.close();
};

interface Seals {
  readonly sealer: Sealer;
  readonly secret: Buffer;
}

/** Returns nothing where nothing is to be sealed: then no secret is made either. */
const sealsOf = async (config: Config): Promise<Seals | undefined> => {
  const isNeeded = config.upstream.assertion !== undefined || config.issuers.some(({ login }) => login !== undefined);
  if (!isNeeded) return undefined;
  const secrets = await sealingSecrets(config);
  return { sealer: sealer(secrets), secret: secrets[0] ?? Buffer.alloc(0) };
};

interface Sealed extends IdentityOptions {
  readonly seals: Seals;
  readonly notice: (notice: Notice) => void;
}

const openPeople = ({ config, stores, revocations, seals, notice }: Sealed): People | undefined => {
  const { issuers } = config;
  if (!issuers.some(({ login }) => login !== undefined)) return undefined;
  const { idleMillis, lifetimeMillis } = config.sessions;
  const providers = openProviders({ issuers, source: keySource, notice });
  const sessions = openSessions({
    ...{ idleMillis, lifetimeMillis },
    store: stores.sessions(),
    sealer: seals.sealer,
    issuers,
    refresh: providers.refresh,
    revocations,
    notice,
  });
  return {
    logins: logins({ providers, sessions, sealer: seals.sealer }),
    sessions,
    secret: seals.secret,
    close() {
      sessions.close();
      providers.close();
    },
  };
};

const openAssertions = async ({ config, stores, seals, notice }: Sealed): Promise<Assertions | undefined> => {
  const { assertion } = config.upstream;
  if (assertion === undefined) return undefined;
  return await assertions({
    ...assertion,
    issuer: config.listen.url ?? 'jaaz-gateway',
    store: stores.signingKeys,
    sealer: seals.sealer,
    notice,
  });
};

interface Surroundings {
  readonly access: AdminAccess;
  readonly audit: AuditSink;
}

/** Returns the admin API's part for service accounts. */
export const adminKeys = (
  { list, make, revoke }: ApiKeys,
  { access: { host, token }, audit }: Surroundings,
): AdminKeys => ({
  ...{ host, token, list, make, revoke },
  alias: SERVICE_ALIAS,
  readJson: parseStrictJson,
  onDecision: audit,
});
