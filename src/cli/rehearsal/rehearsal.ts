/**
 * One request or event, judged by the very stages that the gateway runs, without a socket: what `explain` and `test` show.
 * The upstream is a script, the caller’s token is of a stand-in issuer; everything between the two is the real thing.
 */
import { authenticate } from '../../authn/authenticate.ts';
import type { IssuerSettings } from '../../authn/issuer.ts';
import { type Learn, learn as learner } from '../../authz/learn.ts';
import { ownershipLookup } from '../../authz/lookup.ts';
import type { OwnershipLedger } from '../../authz/ownership.ts';
import type { PendingCalls } from '../../authz/pending.ts';
import { writeJson } from '../../body/json-write.ts';
import { encodeMultipart } from '../../body/multipart.ts';
import { type Read, read as readStage } from '../../body/read.ts';
import { requestPlane } from '../../gateway-requests.ts';
import type { AuditRecord } from '../../model/audit.ts';
import type { Policy } from '../../model/policy.ts';
import type { Principal } from '../../model/principal.ts';
import type { ReadRequest } from '../../model/request.ts';
import type { ResourceRef } from '../../model/resource.ts';
import type { RouteMatch } from '../../model/route.ts';
import type { Reply } from '../../pipeline/decide.ts';
import { beginLife, type Life } from '../../pipeline/life.ts';
import { limit as limitStage } from '../../ratelimit/limit.ts';
import { runs as runsStage } from '../../ratelimit/runs.ts';
import { shares as sharesStage } from '../../ratelimit/shares.ts';
import type { RewriteOptions } from '../../rewrite/rewrite.ts';
import { canonical } from '../../server/canonical.ts';
import { memoryLimiter } from '../../store/memory/limiter.ts';
import { nearOwnershipCache } from '../../store/memory/near-ownership-cache.ts';
import { memorySlots } from '../../store/memory/slots.ts';
import { type Forwarded, type ScriptedAnswer, scriptedOrigin } from './origin.ts';
import { keepingReply, type Shown } from './reply.ts';
import { type Caller, standIns } from './stand-in.ts';

export interface RehearsalOptions {
  readonly policy: Policy;
  /** The aliases of the issuers whose users call. */
  readonly issuers: readonly string[];
  readonly ledger: OwnershipLedger;
  /** The calls that wait for an answer; undefined: none. */
  readonly calls?: PendingCalls | undefined;
  /** What the upstream has, by target: catalogues, and what probes find. */
  readonly has: ReadonlyMap<string, ScriptedAnswer>;
  /** The hosts that are served; undefined: any. */
  readonly hosts?: readonly string[] | undefined;
  /** True: people can log in, so a page asks for a session. */
  readonly login?: boolean;
}

/** A request as a client sends it. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  /** Names and values alternating, besides Host, the framing and the token. */
  readonly headers: readonly string[];
  readonly body: Buffer | undefined;
  /** Undefined: nobody, who presents no token. */
  readonly caller: Caller | undefined;
  /** What the upstream answers, once the route is known; undefined: nothing is sent. */
  readonly answer: (match: RouteMatch) => ScriptedAnswer | undefined;
}

/** What became of a request. */
export interface Rehearsed {
  /** Says what was decided, and which stages it went through. */
  readonly record: AuditRecord;
  readonly match: RouteMatch | undefined;
  readonly principal: Principal | undefined;
  /** Undefined where it was refused before. */
  readonly read: ReadRequest | undefined;
  readonly forwarded: Forwarded | undefined;
  /** What the upstream answered. */
  readonly answered: ScriptedAnswer | undefined;
  /** The look-ups of the gateway’s own that the script has no answer to: the id, or the catalogue, was taken as absent. */
  readonly unscripted: readonly string[];
  readonly releases: readonly ResourceRef[];
  readonly learned: readonly ResourceRef[];
  /** The call that it answers, which waited for it. */
  readonly confirms: string | undefined;
  readonly shown: Shown;
}

export interface Rehearsal {
  /** Lives one request to its end; what it changed holds for the next one. */
  request(asked: Asked): Promise<Rehearsed>;
}

const ADDRESS = '127.0.0.1';

/** Returns a rehearsal in which nobody has called yet. */
export const rehearsal = (options: RehearsalOptions): Rehearsal => {
  const { hosts: [host = 'localhost'] = [], issuers } = options;
  const people = standIns(issuers);
  const live = plumb(options, people.settings);
  return {
    async request(asked) {
      const { reply, shown } = keepingReply();
      const life = lifeOf(asked, host, asked.caller && people.token(asked.caller));
      const notes = await live(life, asked, reply);
      const seen = shown();
      if (seen === undefined || notes.record === undefined) throw new TypeError('A life ended without an answer.');
      const { match, principal, grant } = life;
      const granted = { releases: grant?.releases ?? [], confirms: grant?.confirms?.call };
      return { ...notes, record: notes.record, match, principal, ...granted, shown: seen };
    },
  };
};

/** What is noted of the request under way. */
interface Notes {
  record: AuditRecord | undefined;
  read: ReadRequest | undefined;
  forwarded: Forwarded | undefined;
  answered: ScriptedAnswer | undefined;
  unscripted: readonly string[];
  readonly learned: ResourceRef[];
}

/** The one request under way. */
interface Desk {
  life: Life | undefined;
  asked: Asked | undefined;
  notes: Notes;
}

/** Gives the gateway’s own composition places to write to that nobody else sees. */
const plumb = (options: RehearsalOptions, issuers: readonly IssuerSettings[]) => {
  const { policy, ledger, calls, hosts } = options;
  const desk: Desk = { life: undefined, asked: undefined, notes: blank() };
  const origin = scriptedOrigin({
    kinds: policy.resources.values(),
    has: options.has,
    answer: () => desk.life?.match && desk.asked?.answer(desk.life.match),
  });
  const audit = (record: AuditRecord): void => {
    desk.notes.record = record;
  };
  let requests = 0;
  const live = requestPlane({
    ...WRITERS,
    policy,
    ledger,
    calls,
    lookup: ownershipLookup({ ledger, near: nearOwnershipCache(NEAR), common: undefined }),
    authenticator: authenticate({ issuers, source: noSource, sessions: options.login ? NOBODY_LOGGED_IN : undefined }),
    canonical: canonical({ hosts, trustedProxies: [], newId: () => `rehearsal-${++requests}` }),
    limit: limitStage({ policy, limiter: memoryLimiter({ maxEntries: 10_000, now: stoppedClock }) }),
    shares: sharesStage(UNBOUNDED),
    runs: runsStage({ slots: memorySlots({ now: stoppedClock }), now: stoppedClock }),
    origin,
    read: notingRead(desk),
    learn: notingLearn(desk, ledger),
    audit,
    report,
  });
  return async (life: Life, asked: Asked, reply: Reply): Promise<Notes> => {
    Object.assign(desk, { life, asked, notes: blank() });
    await live(life, reply);
    return Object.assign(desk.notes, origin.taken());
  };
};

const blank = (): Notes => ({
  record: undefined,
  read: undefined,
  forwarded: undefined,
  answered: undefined,
  unscripted: [],
  learned: [],
});

/** A rehearsal takes no time: points do not come back, and nothing that is remembered grows old. */
const stoppedClock = (): number => 0;

const NEAR = { maxEntries: 10_000, maxAgeMillis: 60_000, now: stoppedClock };
/** The same one always, so that what is forwarded can be compared. */
const BOUNDARY = 'rehearsal-boundary';
const WRITERS: Pick<RewriteOptions, 'writeJson' | 'writeMultipart'> = {
  writeJson: async (value) => [writeJson(value)],
  writeMultipart: (parts) => encodeMultipart(parts, () => BOUNDARY),
};
const NO_BOUND = Number.MAX_SAFE_INTEGER;
const UNBOUNDED = { maxOpenPerKey: NO_BOUND, maxOpen: NO_BOUND, maxBytesPerKey: NO_BOUND, maxBytes: NO_BOUND };

/** Callers of a rehearsal show tokens; a cookie opens nothing. */
const NOBODY_LOGGED_IN = { principalOf: () => undefined, prolong: () => undefined };

const noSource = (): never => {
  throw new TypeError('A stand-in issuer has no public keys.');
};

/** What is no refusal is a fault of ours, and ends the rehearsal. */
const report = (error: unknown): void => {
  throw error;
};

const notingRead = (desk: Desk): Read => {
  const readBody = readStage();
  return async (request, match, source) => {
    const read = await readBody(request, match, source);
    // The rewriting changes a body in place; noted is what came.
    const { body } = read;
    desk.notes.read = body.kind === 'json' ? { ...read, body: { ...body, value: structuredClone(body.value) } } : read;
    return read;
  };
};

const notingLearn = (desk: Desk, ledger: OwnershipLedger): Learn => {
  const learn = learner(ledger);
  return async (learned, owner) => {
    const outcome = await learn(learned, owner);
    if (outcome === 'learned') desk.notes.learned.push(learned.ref);
    return outcome;
  };
};

const lifeOf = ({ method, target, headers, body }: Asked, host: string, token: string | undefined): Life => {
  const named = new Set(headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
  const rawHeaders = [...headers];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && !named.has(name)) rawHeaders.push(name, value);
  };
  add('host', host);
  add('authorization', token && `Bearer ${token}`);
  add('content-length', body && String(body.length));
  return beginLife({
    raw: { method, target, rawHeaders, remoteAddress: ADDRESS },
    source: body === undefined ? undefined : once(body),
    cancellation: { cancelled: false, onCancel: undefined },
  });
};

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
