/**
 * The part of the composition that knows who is calling: readers of tokens, sessions of those who log in, service accounts,
 * and the signed word about them all that goes to the upstream.
 */
import { type ApiKeys, openApiKeys } from './authn/api-keys.ts';
import type { Assertions } from './authn/assertion/assertion.ts';
import { type Authenticator, authenticate } from './authn/authenticate.ts';
import type { Introspection } from './authn/introspection/introspection.ts';
import { SERVICE_ALIAS } from './authn/issuer.ts';
import { type ResourceMetadata, resourceMetadata } from './authn/metadata.ts';
import type { Revocations } from './authn/revocation.ts';
import { sealer } from './authn/seal.ts';
import { parseStrictJson } from './body/json.ts';
import type { Config } from './config/config.ts';
import type { People, Seals } from './gateway-people.ts';
import { sealingSecrets } from './gateway-secrets.ts';
import type { Stores } from './gateway-stores.ts';
import type { AuditSink } from './model/audit.ts';
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

interface Notice {
  readonly kind: string;
}

/** Which of what is told are faults of a store of ours, and which are none. */
const FAULTS_HERE = new Set(['api-keys-unreadable', 'sessions-unreadable', 'session-not-removed']);
const GOOD_NEWS = new Set([
  ...['keys-changed', 'api-keys-readable', 'introspection-works', 'sessions-readable', 'provider-back'],
  ...['session-ended', 'refresh-refused', 'signing-keys-changed'],
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
    const people =
      seals && hasLogin(config)
        ? (await import('./gateway-people.ts')).openPeople({ ...options, seals, notice })
        : undefined;
    if (people !== undefined) open.push(people);
    const signing = seals && (await openAssertions({ ...options, seals, notice }));
    if (signing !== undefined) open.push(signing);
    const opaque = await openIntrospection(config, notice);
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

/** Returns nothing where nothing is to be sealed: then no secret is made either. */
const sealsOf = async (config: Config): Promise<Seals | undefined> => {
  if (config.upstream.assertion === undefined && !hasLogin(config)) return undefined;
  const secrets = await sealingSecrets(config);
  return { sealer: sealer(secrets), secret: secrets[0] ?? Buffer.alloc(0) };
};

interface Sealed extends IdentityOptions {
  readonly seals: Seals;
  readonly notice: (notice: Notice) => void;
}

const hasLogin = ({ issuers }: Config): boolean => issuers.some(({ login }) => login !== undefined);

const openIntrospection = async ({ issuers }: Config, notice: Sealed['notice']): Promise<Introspection | undefined> =>
  issuers.some((issuer) => issuer.introspection !== undefined)
    ? (await import('./authn/introspection/introspection.ts')).introspection({ issuers, notice })
    : undefined;

const openAssertions = async ({ config, stores, seals, notice }: Sealed): Promise<Assertions | undefined> => {
  const { assertion } = config.upstream;
  if (assertion === undefined) return undefined;
  const { assertions } = await import('./authn/assertion/assertion.ts');
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
