/** What became of a rehearsed request, and why, as data: what `explain` writes as text or as JSON. */
import { locate } from '../authz/locate.ts';
import { valuesAt } from '../model/field-path.ts';
import type { Finding } from '../model/finding.ts';
import type { RateLimit } from '../model/limits.ts';
import type { Mode } from '../model/mode.ts';
import type { Policy } from '../model/policy.ts';
import { type ReasonCode, STAGES, type Stage } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { ReadRequest } from '../model/request.ts';
import { type ResourceRef, resourceKey, type Verb } from '../model/resource.ts';
import type { Location, ResourceUse, RouteMatch } from '../model/route.ts';
import type { RoutePlace } from '../policy/places.ts';
import { answerWords, UNTOUCHED } from './answer-words.ts';
import { nearestRoutes } from './nearest-routes.ts';
import type { LedgerReader } from './rehearsal/belongings.ts';
import type { Forwarded } from './rehearsal/origin.ts';
import type { Rehearsed } from './rehearsal/rehearsal.ts';
import { headersOf } from './rehearsal/reply.ts';

type JudgingStage = Exclude<Stage, 'respond' | 'event'>;

/** The stages that judge a request, in order. */
export const JUDGING_STAGES = STAGES.filter((stage): stage is JudgingStage => stage !== 'respond' && stage !== 'event');

export interface StageVerdict {
  readonly stage: JudgingStage;
  readonly verdict: 'passed' | 'refused' | 'not-reached';
}

export interface RouteWords {
  readonly id: string;
  readonly match: string;
  readonly access: 'public' | 'page' | 'user' | 'denied';
  /** One of them is needed; empty: none is. */
  readonly roles: readonly string[];
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** An id that the request names: where, what for, and whose it is. */
export interface NamedResource {
  readonly verb: Verb | 'cite';
  readonly kind: string;
  /** Null where there is none, or none that an id could be. */
  readonly id: string | null;
  readonly at: string;
  readonly whose: 'yours' | 'another’s' | 'nobody’s' | 'deleted' | 'no id';
  readonly owner: string | null;
}

export interface Explanation {
  readonly request: { readonly method: string; readonly target: string; readonly as: string | null };
  /** Allowed: it would be forwarded, or answered by the gateway itself. */
  readonly verdict: 'allowed' | 'refused';
  readonly reason: ReasonCode | null;
  readonly detail: string | null;
  readonly mode: Mode;
  /** Outside of `enforce`: what the policy would have done. */
  readonly findings: readonly Finding[];
  readonly stages: readonly StageVerdict[];
  readonly route: RouteWords | null;
  /** The nearest routes, where none matches. */
  readonly nearest: readonly RouteWords[];
  readonly caller: { readonly owner: string; readonly roles: readonly string[] } | null;
  readonly limits: ReadonlyArray<Pick<RateLimit, 'name' | 'points' | 'perMillis' | 'by'>>;
  readonly resources: readonly NamedResource[];
  /** The call that the request answers; null where its route answers none. */
  readonly confirms: { readonly call: string | null; readonly at: string; readonly waits: boolean } | null;
  /** The look-ups that the gateway would have made; here what they ask for counts as absent. */
  readonly unasked: readonly string[];
  /** As `kind:id`: what becomes the caller's, and what a success deletes. */
  readonly claims: readonly string[];
  readonly releases: readonly string[];
  readonly forwarded: {
    readonly method: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  } | null;
  /** What becomes of the answer. */
  readonly answer: readonly string[];
  /** What the caller is shown without the server having a part in it. */
  readonly shown: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  } | null;
}

export interface Subject {
  readonly as: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly policy: Policy;
  readonly places: ReadonlyMap<string, RoutePlace>;
  readonly ledger: LedgerReader;
  readonly rehearsed: Rehearsed;
}

/** Resolves to the explanation of a request to which the upstream gave no answer. */
export const explanation = async (subject: Subject): Promise<Explanation> => {
  const { method, target, as = null, policy, places, rehearsed } = subject;
  const { record, match, principal, forwarded, shown } = rehearsed;
  const reason = forwarded === undefined ? (record.reason ?? null) : null;
  const [path = ''] = target.split('?', 1);
  // As it was recorded, and not worked out again. What is no request in form is refused in every mode.
  const mode = record.mode ?? 'enforce';
  const written = match && places.get(match.route.id)?.written;
  const words = (ids: readonly string[]): RouteWords[] => ids.flatMap((id) => routeWords(places.get(id)));
  return {
    request: { method, target, as },
    verdict: reason === null ? 'allowed' : 'refused',
    reason,
    detail: reason === null ? null : (record.detail ?? null),
    mode,
    findings: record.findings ?? [],
    stages: stageVerdicts(rehearsed, reason),
    route: words(match === undefined ? [] : [match.route.id])[0] ?? null,
    nearest: words(match === undefined ? nearestRoutes(policy.routes, method, path) : []),
    caller: principal === undefined ? null : { owner: principal.owner, roles: principal.roles },
    limits: limitsOf(match, principal !== undefined),
    resources: await namedResources(subject),
    confirms: confirmed(rehearsed),
    unasked: rehearsed.unscripted.map((path) => `GET ${path}`),
    claims: record.claims.map(resourceKey),
    releases: rehearsed.releases.map(resourceKey),
    forwarded: forwarded === undefined ? null : outbound(forwarded),
    answer: written === undefined || written.access === 'denied' ? [] : answerIn(mode, answerWords(written)),
    shown: forwarded === undefined ? { status: shown.status, headers: shown.headers, body: text(shown.body) } : null,
  };
};

const confirmed = ({ match, read, confirms }: Rehearsed): Explanation['confirms'] => {
  const rule = match?.route.confirms;
  if (rule === undefined) return null;
  const [named] = read?.body.kind === 'json' ? valuesAt(read.body.value, rule.call) : [];
  const call = typeof named === 'string' ? named : null;
  return { call, at: `the body’s ${rule.text}`, waits: confirms !== undefined };
};

const answerIn = (mode: Mode, words: readonly string[]): readonly string[] => {
  if (mode === 'enforce') return words;
  return [UNTOUCHED, ...words.filter((word) => word !== UNTOUCHED).map((word) => `with the policy in effect: ${word}`)];
};

const routeWords = (place: RoutePlace | undefined): RouteWords[] => {
  if (place === undefined) return [];
  const { written, file, line, column } = place;
  const { id, match, access, roles = [] } = written;
  return [{ id, match, access, roles, file, line, column }];
};

const stageVerdicts = ({ record, forwarded }: Rehearsed, reason: ReasonCode | null): StageVerdict[] => {
  // The stages are recorded in the order in which they were entered, and a refusal enters the last of all.
  const entered = Object.keys(record.stages).filter((stage) => stage !== 'respond');
  const last = entered.at(-1);
  return JUDGING_STAGES.map((stage) => {
    if (!entered.includes(stage)) return { stage, verdict: 'not-reached' };
    if (stage === 'forward' && forwarded !== undefined) return { stage, verdict: 'not-reached' };
    return { stage, verdict: reason !== null && stage === last ? 'refused' : 'passed' };
  });
};

const limitsOf = (match: RouteMatch | undefined, known: boolean): Explanation['limits'] => {
  const limits = match?.route.limits[known ? 'user' : 'address'] ?? [];
  return limits.map(({ name, points, perMillis, by }) => ({ name, points, perMillis, by }));
};

const outbound = ({ method, target, headers, body }: Forwarded) => ({
  method,
  target,
  headers: headersOf(headers),
  body: body === undefined ? null : text(body),
});

const text = (bytes: Buffer): string => bytes.toString('utf8');

interface Named {
  readonly verb: NamedResource['verb'];
  readonly kind: string;
  readonly at: string;
  readonly ref: ResourceRef | undefined;
  /** A text that could be a name: of no interest unless it is one. */
  readonly perhaps: boolean;
}

const namedResources = async ({ rehearsed, ledger }: Subject): Promise<NamedResource[]> => {
  const { match, read, principal } = rehearsed;
  if (match === undefined || read === undefined) return [];
  const named = [...match.route.uses.map((use) => namedBy(use, read, match)), ...(await cited(read, match))];
  const refs = named.flatMap(({ ref }) => ref ?? []);
  const records = new Map((await ledger.find(refs)).map((record, index) => [refs[index], record]));
  return named.flatMap(({ ref, perhaps, ...words }) => {
    const record = records.get(ref);
    if (perhaps && record === undefined) return [];
    const owner = record?.owner ?? null;
    return [{ ...words, id: ref?.id ?? null, whose: whoseIs(ref, record, principal?.owner), owner }];
  });
};

const whoseIs = (
  ref: ResourceRef | undefined,
  record: Awaited<ReturnType<LedgerReader['find']>>[number],
  caller: string | undefined,
): NamedResource['whose'] => {
  if (ref === undefined) return 'no id';
  if (record === undefined) return 'nobody’s';
  if (record.state === 'deleted') return 'deleted';
  return record.owner === caller ? 'yours' : 'another’s';
};

const namedBy = (use: ResourceUse, read: ReadRequest, match: RouteMatch): Named => {
  const words = { verb: use.verb, kind: use.kind.name, at: placeOf(use.at) };
  return { ...words, ref: orRefused(() => locate(use, read, match)), perhaps: false };
};

const placeOf = (at: Location): string => (at.in === 'body' ? `the body’s ${at.text}` : `the ${at.in}`);

const cited = async ({ body }: ReadRequest, { route }: RouteMatch): Promise<Named[]> => {
  const scan = route.references;
  // A scan that refuses has found nothing that could be looked up; the refusal itself says why.
  const found = scan && (await Promise.resolve(orRefused(() => scan(body))).catch(orElse));
  const citation = (ref: ResourceRef, perhaps: boolean): Named => {
    return { verb: 'cite', kind: ref.kind, at: 'a text of the body', ref, perhaps };
  };
  const certain = (found?.mustOwn ?? []).map((ref) => citation(ref, false));
  return [...certain, ...(found?.mustNotBeForeign ?? []).map((ref) => citation(ref, true))];
};

const orRefused = <T>(find: () => T): T | undefined => {
  try {
    return find();
  } catch (error) {
    return orElse(error);
  }
};

const orElse = (error: unknown): undefined => {
  if (error instanceof Rejection) return undefined;
  throw error;
};
