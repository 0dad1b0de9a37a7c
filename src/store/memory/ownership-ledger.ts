/** The ledger without a disk: for tests, and for explaining a decision. It forgets everything when the process ends. */
import type { Claim, ClaimOutcome, OwnershipLedger, Settlement } from '../../authz/ownership.ts';
import type { Owner } from '../../model/principal.ts';
import { type OwnershipRecord, type OwnershipState, type ResourceRef, resourceKey } from '../../model/resource.ts';

interface Entry {
  record: OwnershipRecord;
  /** The requests that lean on it while it is pending. */
  readonly leans: Set<string>;
}

type Entries = Map<string, Entry>;

/** Returns an empty ledger. */
export function memoryLedger(options: { readonly now?: () => number } = {}): OwnershipLedger {
  const now = options.now ?? Date.now;
  const entries: Entries = new Map();
  return {
    find: async (refs) => refs.map((ref) => entries.get(resourceKey(ref))?.record),
    claim: async (claims, owner, requestId) => claimAll(entries, claims, { owner, requestId, at: now() }),
    settle: async (refs, requestId, settlement) => settleAll(entries, refs, { requestId, settlement }),
    learn: async (learned, owner) => learnOne(entries, learned, { owner, at: now() }),
    release: async (ref, owner) => releaseAll(entries, ref, owner),
    ping: async () => undefined,
    close: async () => undefined,
  };
}

function isLiveOf(entry: Entry | undefined, owner: Owner): boolean {
  return entry !== undefined && entry.record.state !== 'deleted' && entry.record.owner === owner;
}

function move(entry: Entry, state: OwnershipState): void {
  entry.record = { ...entry.record, state };
  entry.leans.clear();
}

function claimAll(
  entries: Entries,
  claims: readonly Claim[],
  claimer: { readonly owner: Owner; readonly requestId: string; readonly at: number },
): ClaimOutcome {
  const { owner, requestId } = claimer;
  for (const { ref, verb } of claims) {
    const record = entries.get(resourceKey(ref))?.record;
    if (record?.state === 'deleted') return { claimed: false, ref, because: 'deleted' };
    if (record !== undefined && record.owner !== owner) return { claimed: false, ref, because: 'foreign' };
    if (record?.state === 'owned' && verb === 'create') return { claimed: false, ref, because: 'owned' };
  }
  const inBatch = new Set(claims.map(({ ref }) => resourceKey(ref)));
  for (const { ref, parent } of claims) {
    if (parent === undefined || inBatch.has(resourceKey(parent))) continue;
    if (!isLiveOf(entries.get(resourceKey(parent)), owner)) return { claimed: false, ref, because: 'parent' };
  }
  const leaning = new Map<string, ResourceRef>();
  for (const { ref, parent } of claims) {
    const key = resourceKey(ref);
    let entry = entries.get(key);
    if (entry === undefined) {
      const { kind, id } = ref;
      const record = {
        kind,
        id,
        owner,
        parent,
        state: 'pending',
        origin: 'request',
        createdAtMillis: claimer.at,
      } as const;
      entry = { record, leans: new Set() };
      entries.set(key, entry);
    }
    if (entry.record.state === 'owned') continue;
    entry.leans.add(requestId);
    leaning.set(key, ref);
  }
  return { claimed: true, refs: [...leaning.values()] };
}

function settleAll(
  entries: Entries,
  refs: readonly ResourceRef[],
  { requestId, settlement }: { readonly requestId: string; readonly settlement: Settlement },
): void {
  if (settlement === 'unknown') return;
  for (const ref of refs) {
    const key = resourceKey(ref);
    const entry = entries.get(key);
    if (entry === undefined || !entry.leans.delete(requestId)) continue;
    if (settlement === 'kept') move(entry, 'owned');
    else if (entry.leans.size === 0) entries.delete(key);
  }
}

function learnOne(
  entries: Entries,
  learned: Parameters<OwnershipLedger['learn']>[0],
  { owner, at }: { readonly owner: Owner; readonly at: number },
): 'learned' | 'known' | 'conflict' {
  const { ref, parent, origin } = learned;
  const key = resourceKey(ref);
  const entry = entries.get(key);
  if (entry !== undefined) {
    if (!isLiveOf(entry, owner)) return 'conflict';
    move(entry, 'owned');
    return 'known';
  }
  const above = parent === undefined ? undefined : entries.get(resourceKey(parent))?.record;
  const orphan = above?.state === 'deleted';
  if (!orphan && above !== undefined && above.owner !== owner) return 'conflict';
  const state = orphan ? 'deleted' : 'owned';
  const { kind, id } = ref;
  entries.set(key, { record: { kind, id, owner, parent, state, origin, createdAtMillis: at }, leans: new Set() });
  return orphan ? 'conflict' : 'learned';
}

function releaseAll(entries: Entries, ref: ResourceRef, owner: Owner): ResourceRef[] {
  if (!isLiveOf(entries.get(resourceKey(ref)), owner)) return [];
  const reached = new Set([resourceKey(ref)]);
  // A set yields what is added to it while it is walked: this reaches every generation, and a circle once.
  for (const key of reached) {
    for (const [childKey, { record }] of entries) {
      if (record.owner === owner && record.parent !== undefined && resourceKey(record.parent) === key) {
        reached.add(childKey);
      }
    }
  }
  const released: ResourceRef[] = [];
  for (const key of reached) {
    const entry = entries.get(key);
    if (entry === undefined || entry.record.state === 'deleted') continue;
    move(entry, 'deleted');
    released.push({ kind: entry.record.kind, id: entry.record.id });
  }
  return released;
}
