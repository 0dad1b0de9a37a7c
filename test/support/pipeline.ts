/** The whole life of a request without a socket on the client's side: real stages, real stores, a script as upstream. */
import { authorize } from '../../src/authz/authorize.ts';
import { claims as claimStage, type Presence } from '../../src/authz/claim.ts';
import type { Learn } from '../../src/authz/learn.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import type { NearOwnershipCache, OwnershipLedger, SharedOwnershipCache } from '../../src/authz/ownership.ts';
import type { PendingCalls } from '../../src/authz/pending.ts';
import { writeJson } from '../../src/body/json-write.ts';
import { encodeMultipart } from '../../src/body/multipart.ts';
import { read } from '../../src/body/read.ts';
import { filter, fixedResponse, hiddenResponse } from '../../src/filter/filter.ts';
import { shadowStages } from '../../src/gateway-shadow.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { answered, decide, type Reply, type Sent } from '../../src/pipeline/decide.ts';
import { beginLife, type Life } from '../../src/pipeline/life.ts';
import { type RequestStages, requestLife } from '../../src/pipeline/request.ts';
import type { ShadowStages } from '../../src/pipeline/shadow.ts';
import { limit } from '../../src/ratelimit/limit.ts';
import type { Limiter } from '../../src/ratelimit/limiter.ts';
import { runs } from '../../src/ratelimit/runs.ts';
import { shares } from '../../src/ratelimit/shares.ts';
import type { Slots } from '../../src/ratelimit/slots.ts';
import { type RewriteOptions, rewrite } from '../../src/rewrite/rewrite.ts';
import { canonical } from '../../src/server/canonical.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { catalogueReader } from '../../src/upstream/catalogue.ts';
import { origin as openOrigin } from '../../src/upstream/forward.ts';
import { type SharedCopies, shareCopies } from '../../src/upstream/shared-copy.ts';
import { jaazPolicy } from './policies.ts';
import { principalOf } from './stages.ts';

export interface Asked {
  readonly method: string;
  readonly target: string;
  /** Undefined: nobody. `forged`: a token that is refused. */
  readonly user?: string;
  /** Bytes go as they are, everything else as JSON. */
  readonly body?: unknown;
  /** Besides Host and what the above needs: names and values alternating. */
  readonly headers?: readonly string[];
}

export interface Told {
  readonly status: number;
  readonly headers: readonly string[];
  readonly text: string;
  /** Undefined for an answer, the reason of a refusal. */
  readonly reason: string | undefined;
  readonly record: AuditRecord;
}

interface PipelineStores {
  readonly near: NearOwnershipCache;
  readonly common: SharedOwnershipCache;
  readonly limiter: Limiter;
  readonly slots: Slots;
}

export interface PipelineOptions {
  readonly url: string;
  readonly policy?: Policy;
  readonly ledger?: Partial<OwnershipLedger>;
  /** Instead of those of one process alone. */
  readonly stores?: Partial<PipelineStores>;
  /** Whether the upstream has an id that the ledger does not know; unless told, it has none. */
  readonly presence?: Presence;
  /** The calls that wait; unless told, none. */
  readonly calls?: PendingCalls;
  /** Replaces stages, to let them fail. */
  readonly stages?: Partial<RequestStages>;
  /** Replaces the transport's side of an answer. */
  readonly reply?: Partial<Reply>;
}

/** The Authorization header is the user's name. */
const byName: RequestStages['authenticate'] = ({ headers }, { route }) => {
  const user = headers.get('authorization');
  if (route.access === 'public' || route.access === 'page') return undefined;
  if (user === undefined) throw new Rejection('token-missing', 'x');
  return named(user);
};

const named = (user: string | undefined): Principal | undefined => {
  if (user === 'forged') throw new Rejection('token-signature', 'x');
  return user === undefined ? undefined : principalOf(user);
};

const identify: ShadowStages['identify'] = ({ headers }) => named(headers.get('authorization'));

const never = (): never => {
  throw new TypeError('tokens are names here');
};

const rewritingWith = (copies: SharedCopies): RewriteOptions => ({
  catalogue: catalogueReader(copies),
  writeJson: async (value) => [writeJson(value)],
  writeMultipart: encodeMultipart,
});

export const pipeline = ({ url, policy = jaazPolicy(), calls, ...options }: PipelineOptions) => {
  const ledger: OwnershipLedger = { ...memoryLedger(), ...options.ledger };
  const {
    near = nearOwnershipCache({ maxEntries: 1000, maxAgeMillis: 60_000 }),
    common,
    limiter = memoryLimiter({ maxEntries: 1000 }),
    slots = memorySlots(),
  } = options.stores ?? {};
  const lookup = ownershipLookup({ ledger, near, common });
  const claiming = { ledger, lookup, presence: options.presence ?? (async () => false) };
  const claims = claimStage(claiming);
  const running = runs({ slots });
  const limits = limit({ policy, limiter });
  const held = shares({ maxOpenPerKey: 1000, maxOpen: 1000, maxBytesPerKey: 2 ** 30, maxBytes: 2 ** 30 });
  const origin = shareCopies(openOrigin({ url }));
  const records: AuditRecord[] = [];
  const reports: unknown[] = [];
  const report = (error: unknown): void => void reports.push(error);
  const learn: Learn = (learned, owner) => ledger.learn(learned, owner);
  const rewriting = rewritingWith(origin);
  const stages: RequestStages = {
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    match: policy.match,
    authenticate: byName,
    limit: limits,
    shares: held,
    read: read(),
    runs: running,
    authorize: authorize({ lookup, claims, calls }),
    fixed: fixedResponse,
    rewrite: rewrite(rewriting),
    origin,
    filter: filter({ ownersOf: lookup.ownersOf, learn }),
    answered: answered({ claims, calls, report }),
    shadow: {
      ...shadowStages({ ...claiming, calls, policy, identify: never, read: read(), rewriting, learn }),
      identify,
    },
    ...options.stages,
  };
  const live = decide({
    live: requestLife(stages),
    claims,
    calls,
    runs: running,
    limit: limits,
    shares: held,
    hidden: hiddenResponse,
    audit: (record) => void records.push(record),
    report,
  });

  const ask = asking(live, records, options.reply);
  return { ask, begin, ledger, near, runs: running, shares: held, records, reports, close: () => origin.close() };
};

/** Asks, and fails unless exactly one record was written. */
const asking = (
  live: (life: Life, reply: Reply) => Promise<void>,
  records: readonly AuditRecord[],
  changed: Partial<Reply> | undefined,
) => {
  return async (asked: Asked, life = begin(asked)): Promise<Told> => {
    const { told, reply } = collecting();
    const before = records.length;
    await live(life, { ...reply, ...changed });
    const [record, ...more] = records.slice(before);
    if (record === undefined || more.length > 0) throw new Error(`${more.length + 1} records`);
    return { ...told, record };
  };
};

async function* once(sent: Buffer): AsyncGenerator<Buffer> {
  yield sent;
}

const begin = (asked: Asked): Life => {
  const { body, headers = [] } = asked;
  const sent = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const rawHeaders = ['Host', 'x', ...headers, ...(asked.user === undefined ? [] : ['Authorization', asked.user])];
  if (sent !== undefined) rawHeaders.push('Content-Type', 'application/json', 'Content-Length', String(sent.length));
  return beginLife({
    raw: { method: asked.method, target: asked.target, rawHeaders, remoteAddress: '192.0.2.1' },
    source: sent === undefined ? undefined : once(sent),
    cancellation: { cancelled: false, onCancel: undefined },
  });
};

/** The transport's side of one answer, which keeps what it was told. */
const collecting = () => {
  const told = { status: 0, headers: [] as readonly string[], text: '', reason: undefined as string | undefined };
  const reply: Reply = {
    async send({ status, headers, body }, extra) {
      Object.assign(told, { status, headers: [...headers, ...extra] });
      if (body === undefined || Buffer.isBuffer(body)) {
        told.text = body?.toString() ?? '';
        return { status, outcome: 'complete' };
      }
      return new Promise<Sent>((resolve) =>
        body.pipe({
          write: (chunk) => {
            told.text += chunk.toString();
            return true;
          },
          end: () => resolve({ status, outcome: 'complete' }),
          fail: () => resolve({ status, outcome: 'upstream-broken' }),
        }),
      );
    },
    async refuse(rejection, _requestId, extra) {
      const { status, reason } = rejection;
      Object.assign(told, { status, reason, headers: [...rejection.headers, ...extra] });
      return { status, outcome: 'complete' };
    },
  };
  return { told, reply };
};
