/** What is well and what is not, as /readyz tells it: a degraded gateway still serves, one that is not ready does not. */
export interface HealthChecks {
  /** Rejects when the ledger cannot be read. */
  readonly ledger: () => Promise<void>;
  readonly upstream: () => boolean;
  readonly keys: () => boolean;
  readonly audit: () => boolean;
  /** False while it cannot be read what others revoke; undefined where nothing can be revoked. */
  readonly revocations?: (() => boolean) | undefined;
  /** Undefined where no Redis is configured. */
  readonly redis: (() => boolean) | undefined;
}

export interface Health {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, 'fine' | 'degraded' | 'down'>>;
}

/** Judges by the design's failure table: ledger and upstream decide readiness, the rest degrades. */
export const health = async (checks: HealthChecks): Promise<Health> => {
  const ledger = await checks.ledger().then(
    () => true,
    () => false,
  );
  const upstream = checks.upstream();
  const parts: Record<string, 'fine' | 'degraded' | 'down'> = {
    ledger: ledger ? 'fine' : 'down',
    upstream: upstream ? 'fine' : 'down',
    keys: checks.keys() ? 'fine' : 'degraded',
    audit: checks.audit() ? 'fine' : 'degraded',
  };
  if (checks.revocations !== undefined) parts.revocations = checks.revocations() ? 'fine' : 'degraded';
  if (checks.redis !== undefined) parts.redis = checks.redis() ? 'fine' : 'degraded';
  return { ready: ledger && upstream, parts };
};
