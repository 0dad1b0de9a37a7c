/** The part of the composition by which tokens are taken back: who may ask for it, and what ends with them. */
import { SERVICE_ALIAS } from './authn/issuer.ts';
import { openRevocations, type RevocationStore, type Revocations } from './authn/revocation.ts';
import { parseStrictJson } from './body/json.ts';
import type { Config } from './config/config.ts';
import type { AuditSink } from './model/audit.ts';
import type { Principal } from './model/principal.ts';
import type { AdminAccess } from './server/admin-guard.ts';
import type { AdminRevocations } from './server/admin-revocations.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** Resolves when all that is revoked is known, or rejects: a gateway that does not know it must not start. */
export const knownRevocations = (store: RevocationStore, log: Log): Promise<Revocations> =>
  openRevocations({
    store,
    notice: ({ kind, detail }) =>
      kind === 'revocations-readable' ? log.info({ detail }, kind) : log.error({ detail }, kind),
  });

/** Ends those whose principals match, and returns their number. */
type End = (matches: (principal: Principal) => boolean) => number;

/** Has what lives by revoked tokens ended as soon as they are known to be. */
export const endRevoked = (revocations: Revocations, counts: Metrics, ends: readonly End[]): void => {
  const isRevoked = (principal: Principal): boolean => revocations.revokes(principal) !== undefined;
  revocations.onRevoked((sinceMillis) => {
    const ended = ends.reduce((sum, end) => sum + end(isRevoked), 0);
    const late = Math.max(0, Date.now() - sinceMillis);
    for (let each = 0; each < ended; each += 1) counts.authorityLag('revocation', late);
    return ended;
  });
};

interface Surroundings {
  readonly config: Config;
  readonly access: AdminAccess;
  readonly audit: AuditSink;
}

/** Returns the admin API's part. */
export const adminRevocations = (
  { list, add, remove }: Revocations,
  { config, access: { host, token }, audit }: Surroundings,
): AdminRevocations => ({
  ...{ host, token, list, add, remove },
  issuers: [...config.issuers.map(({ name }) => name), SERVICE_ALIAS],
  readJson: parseStrictJson,
  onDecision: audit,
});
