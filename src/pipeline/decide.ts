/**
 * Around every life: whatever is thrown becomes one decision, what was claimed is settled, and one record is written.
 * Nothing leaves without passing here.
 */
import type { Claims } from '../authz/claim.ts';
import type { Settlement } from '../authz/ownership.ts';
import type { PendingCalls } from '../authz/pending.ts';
import type { AuditRecord, AuditSink, Outcome } from '../model/audit.ts';
import type { ReasonCode, Stage } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { FilteredResponse } from '../model/response.ts';
import type { RouteMatch } from '../model/route.ts';
import type { Limit } from '../ratelimit/limit.ts';
import type { Run, RunOutcome, Runs } from '../ratelimit/runs.ts';
import type { Shares } from '../ratelimit/shares.ts';
import type { Listeners } from '../realtime/listeners.ts';
import { charge } from './charge.ts';
import { beginLife, beginStages, enter, type Life, type Passing } from './life.ts';
import { endWithAuthority } from './live-answer.ts';
import { turns } from './turn.ts';

/** The transport's side of an answer. */
export interface Reply {
  /** Returns the status sent and whether all of it went out, at once where it did. Never rejects. */
  send(response: FilteredResponse, extra: readonly string[]): Sent | Promise<Sent>;
  /** Renders a refusal. */
  refuse(rejection: Rejection, requestId: string | undefined, extra: readonly string[]): Sent | Promise<Sent>;
}

export interface Sent {
  readonly status: number;
  readonly outcome: 'complete' | 'client-gone' | 'upstream-broken';
}

export interface DecideOptions {
  readonly live: (life: Life) => Promise<FilteredResponse>;
  readonly claims: Claims;
  readonly calls?: Pick<PendingCalls, 'giveBack'> | undefined;
  readonly runs: Runs;
  readonly limit: Limit;
  readonly shares: Shares;
  /** What a hidden resource looks like on its route; undefined: a plain refusal. */
  readonly hidden: (match: RouteMatch) => FilteredResponse | undefined;
  readonly audit: AuditSink;
  /** Who listens to an answer that has no end of its own. */
  readonly listeners?: Pick<Listeners, 'add'> | undefined;
  /** Told of every failure that is not a refusal. */
  readonly report: (error: unknown, what: string) => void;
}

/** Returns the function that lives one request to its end; it never rejects. */
export const decide = (options: DecideOptions) => {
  const { live, hidden, audit, report } = options;
  const itsTurn = turns();

  const refuse = async (life: Life, reply: Reply, rejection: Rejection): Promise<Sent> => {
    await settleRefused(options, life, rejection);
    const shown = rejection.reason === 'resource-hidden' && life.match !== undefined ? hidden(life.match) : undefined;
    enter(life, 'respond');
    return shown === undefined
      ? reply.refuse(rejection, life.request?.id, life.limitHeaders)
      : reply.send(shown, withRequestId(life));
  };

  return async (life: Life, reply: Reply): Promise<void> => {
    let rejection: Rejection | undefined;
    let sent: Sent | undefined;
    let untouched = false;
    await itsTurn();
    beginStages(life);
    try {
      const response = await live(life);
      const letGo = endWithAuthority(options.listeners, life, response);
      const sending = reply.send(response, withRequestId(life));
      sent = sending instanceof Promise ? await sending : sending;
      letGo?.();
    } catch (error) {
      life.passing?.giveUp?.();
      rejection = await rejectionOf(options, life, error);
      // Asked before the refusal: that enters another stage.
      untouched = nothingSent(life, rejection);
      try {
        sent = await refuse(life, reply, rejection);
      } catch (failure) {
        report(failure, 'a refusal could not be sent');
      }
    }
    if (life.run !== undefined) await finishRun(options, life, { run: life.run, untouched, sent });
    if (life.passing !== undefined) await judgedToTheEnd(life.passing, report);
    if (life.share !== undefined) options.shares.giveBack(life.share);
    audit(recordOf(life, rejection, sent));
  };

  function withRequestId(life: Life): readonly string[] {
    return life.request === undefined ? life.limitHeaders : [...life.limitHeaders, 'x-request-id', life.request.id];
  }
};

/** The record tells what an answer would have lost, and that is known only after it has passed. */
const judgedToTheEnd = async ({ judging, evidence }: Passing, report: DecideOptions['report']): Promise<void> => {
  await Promise.all(judging);
  for (const fault of evidence.faults) report(fault, 'a bug while a request was judged that passed');
};

type Settling = Pick<DecideOptions, 'claims' | 'calls' | 'report'>;

/** Records what was refused before it was a request, and counts it; there is no client left to tell of a limit. */
export const decideAtDoor =
  ({ audit, limit, report }: Pick<DecideOptions, 'audit' | 'limit' | 'report'>) =>
  ({ rejection, method, remoteAddress }: { rejection: Rejection; method: string; remoteAddress: string }): void => {
    const raw = { method, target: '', rawHeaders: [], remoteAddress };
    const life = beginLife({ raw, source: undefined, cancellation: { cancelled: true, onCancel: undefined } });
    audit(recordOf(life, rejection, { status: rejection.status, outcome: 'complete' }));
    limit.visitor(remoteAddress).catch((error: unknown) => {
      if (!(error instanceof Rejection)) report(error, 'a refusal at the door could not be counted');
    });
  };

/** Settles claims, releases and the answer to a call by the upstream's status: the stage between forward and filter. */
export const answered =
  (settling: Settling) =>
  async (life: Life, status: number): Promise<void> => {
    const { grant } = life;
    if (grant === undefined) return;
    await settle(settling, life, settlementOf(status));
    if (grant.releases.length > 0 && status >= 200 && status < 300 && grant.owner !== undefined) {
      await settling.claims.release(grant.releases, grant.owner);
    }
  };

/** A 4xx comes before any side effect; after a 5xx the agent may be running (contract, section 3, create). */
const settlementOf = (status: number): Settlement => {
  if (status >= 200 && status < 300) return 'kept';
  return status >= 400 && status < 500 ? 'undone' : 'unknown';
};

/** With these the upstream has not seen a byte of the request. */
const NOTHING_SENT: ReadonlySet<ReasonCode> = new Set(['upstream-unreachable', 'upstream-resting']);

const nothingSent = (life: Life, rejection: Rejection): boolean =>
  life.upstreamStatus === undefined &&
  (life.stage !== 'forward' || NOTHING_SENT.has(rejection.reason) || leftBeforeStart(life, rejection));

/** Whoever forwards asks to hear of a client that leaves when a connection takes the request, and not sooner. */
const leftBeforeStart = ({ cancellation }: Life, { reason }: Rejection): boolean =>
  reason === 'client-gone' && cancellation.onCancel === undefined;

const settle = async ({ claims, calls, report }: Settling, life: Life, settlement: Settlement): Promise<void> => {
  const { grant, request } = life;
  if (grant === undefined || request === undefined) return;
  if (grant.confirms !== undefined && settlement === 'undone') calls?.giveBack(grant.confirms, request.id);
  if (grant.claims.length === 0) return;
  try {
    await claims.settle(grant.claims, request.id, settlement);
  } catch (error) {
    // The claim stays pending, and so its owner's: safe, if untidy.
    report(error, 'a claim could not be settled');
  }
};

const settleRefused = async (options: DecideOptions, life: Life, rejection: Rejection): Promise<void> => {
  if (life.upstreamStatus !== undefined) return;
  await settle(options, life, nothingSent(life, rejection) ? 'undone' : 'unknown');
};

interface Ending {
  readonly run: Run;
  /** The upstream has certainly seen nothing of the request. */
  readonly untouched: boolean;
  readonly sent: Sent | undefined;
}

const finishRun = async ({ runs, report }: DecideOptions, life: Life, ending: Ending): Promise<void> => {
  try {
    await runs.finish(ending.run, outcomeOfRun(life, ending));
  } catch (error) {
    report(error, 'a run could not be finished');
  }
};

const outcomeOfRun = ({ upstreamStatus }: Life, { untouched, sent }: Ending): RunOutcome => {
  if (untouched) return 'nothing';
  if (upstreamStatus !== undefined && upstreamStatus >= 400 && upstreamStatus < 500) return 'nothing';
  const complete = sent?.outcome === 'complete' && upstreamStatus !== undefined && upstreamStatus < 300;
  return complete ? 'answered' : 'unknown';
};

/** Everything that is thrown becomes a Rejection. What no limit has counted yet is counted, and may become another one. */
const rejectionOf = async ({ limit, report }: DecideOptions, life: Life, error: unknown): Promise<Rejection> => {
  if (!(error instanceof Rejection)) {
    report(error, `a bug in the stage ${life.stage}`);
    return new Rejection('internal-error', `${life.stage}: ${String(error)}`, { cause: error });
  }
  if (!BEFORE_LIMITS.has(life.stage)) return error;
  life.principal = error.principal;
  try {
    await charge(limit, life, error);
    return error;
  } catch (limited) {
    return limited instanceof Rejection ? limited : error;
  }
};

const BEFORE_LIMITS: ReadonlySet<Stage> = new Set(['canonical', 'match', 'authenticate']);

const outcomeOf = (life: Life, rejection: Rejection | undefined, sent: Sent | undefined): Outcome => {
  if (life.endedBy !== undefined) return 'aborted';
  if (rejection?.reason === 'client-gone') return 'aborted';
  if (rejection !== undefined) return rejection.status >= 500 ? 'failed' : 'refused';
  if (sent?.outcome === 'complete') return 'allowed';
  return sent?.outcome === 'upstream-broken' ? 'failed' : 'aborted';
};

const reasonOf = (life: Life, rejection: Rejection | undefined, sent: Sent | undefined): ReasonCode | undefined => {
  if (life.endedBy !== undefined) return life.endedBy;
  if (rejection !== undefined) return rejection.reason;
  return sent === undefined || sent.outcome === 'complete' ? undefined : sent.outcome;
};

let lastMillis = 0;
let lastText = '';

/** The text of a time is wanted for each record, and there are many in a millisecond. */
const timeText = (millis: number): string => {
  if (millis !== lastMillis) {
    lastMillis = millis;
    lastText = new Date(millis).toISOString();
  }
  return lastText;
};

const recordOf = (life: Life, rejection: Rejection | undefined, sent: Sent | undefined): AuditRecord => {
  enter(life, 'respond');
  const { request, match, own, grant, raw, stages } = life;
  const record = {
    time: timeText(Date.now()),
    kind: 'request' as const,
    requestId: request?.id ?? '',
    outcome: outcomeOf(life, rejection, sent),
    reason: reasonOf(life, rejection, sent),
    detail: rejection?.message,
    method: raw.method,
    path: request?.path,
    route: match?.route.id ?? own?.id,
    owner: life.principal?.owner ?? own?.owner,
    address: request?.address ?? raw.remoteAddress,
    resources: grant?.resources ?? [],
    claims: life.passing?.recorded ?? grant?.claims ?? [],
    status: sent?.status,
    upstreamStatus: life.upstreamStatus,
    stages,
    millis: performance.now() - life.startedAt,
  };
  return life.passing === undefined ? record : { ...record, ...evidenceOf(life.passing, request) };
};

const MAX_CLIENT_LENGTH = 120;

const evidenceOf = ({ mode, evidence }: Passing, request: CanonicalRequest | undefined): Partial<AuditRecord> => {
  const client = request?.headers
    .get('user-agent')
    ?.replace(/[^ -~]/g, '?')
    .slice(0, MAX_CLIENT_LENGTH);
  return { mode, findings: evidence.findings, ...(client === undefined ? {} : { client }) };
};
