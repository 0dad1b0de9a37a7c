/**
 * RESPONSE, OUTBOUND: what the caller may see of an answer. A route without a rule streams untouched; an answer that a
 * rule cannot read as expected is refused, and nothing of it is shown.
 */
import { noteThrown } from '../model/evidence.ts';
import type { Grant, GrantInShadow } from '../model/grant.ts';
import type { OwnAnswer } from '../model/own.ts';
import { Rejection } from '../model/rejection.ts';
import type { BodySource, FilteredResponse, UpstreamAnswer } from '../model/response.ts';
import type { AnswerRule, FixedAnswer, Route, RouteMatch } from '../model/route.ts';
import { copied } from './copy.ts';
import { answerHeaders, headersAsTheyCame } from './headers.ts';
import { isJson, parseAnswer, readAnswer, writeAnswer } from './json.ts';
import { judgeAnswer } from './judge.ts';
import { type LearnId, learnFrom } from './learned.ts';
import { keepOwn, type OwnersOf } from './list.ts';
import { isPage, MAX_PAGE_BYTES, withScript } from './page.ts';
import { relativeBody } from './relative.ts';
import { keepRows } from './rows.ts';

export interface FilterOptions {
  readonly ownersOf: OwnersOf;
  /** Called before the answer leaves. */
  readonly learn: LearnId;
  /** The path of a script that is put first into pages; undefined: they stay as they are. */
  readonly pageScript?: string | undefined;
}

export type Filter = (
  answer: UpstreamAnswer,
  grant: Grant,
  match: RouteMatch,
) => FilteredResponse | Promise<FilteredResponse>;

interface Case {
  readonly answer: UpstreamAnswer;
  readonly grant: Grant;
  readonly match: RouteMatch;
  readonly rule: Exclude<AnswerRule, { kind: 'stream' }>;
}

/** Returns the stage: it returns the FilteredResponse, or throws a Rejection with the answer given up. */
export const filter = ({ ownersOf, learn, pageScript }: FilterOptions): Filter => {
  const readAndFilter = async ({ answer, grant, match, rule }: Case): Promise<FilteredResponse> => {
    const { owner } = grant;
    if (!isJson(answer)) {
      answer.body.abort();
      throw new Rejection('answer-unreadable', 'the answer is not application/json');
    }
    if (owner === undefined && (rule.kind === 'rows' || rule.keep.length + rule.learn.length > 0)) {
      // A policy whose public route shows what is owned does not load; this is law 7 for a mistake of ours.
      answer.body.abort();
      throw new Rejection('answer-unreadable', 'the answer is judged by its owner, but nobody is known');
    }
    if (rule.kind === 'rows') {
      return readBack(answer, match, await keepRows(answer.body, { ...rule, owner: owner ?? '', ownersOf }));
    }
    let value = parseAnswer(await readAnswer(answer, rule.maxBytes));
    if (owner !== undefined) {
      for (const keep of rule.keep) await keepOwn(value, keep, { owner, ownersOf });
      await learnFrom(value, rule.learn, { learn, owner });
    }
    for (const operation of rule.operations) value = operation(value, owner, grant.principal);
    return readBack(answer, match, writeAnswer(value));
  };

  return (answer, grant, match) => {
    const { answer: rule } = match.route;
    if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
      answer.body.abort();
      throw new Rejection('answer-unreadable', `the upstream redirects (${answer.status})`);
    }
    if (pageScript !== undefined && match.route.access === 'page' && isPage(answer)) {
      return readAnswer(answer, MAX_PAGE_BYTES).then((page) => readBack(answer, match, withScript(page, pageScript)));
    }
    if (rule.kind === 'stream') return stream(answer, match, rule.relative);
    if (answer.status === 200) return readAndFilter({ answer, grant, match, rule });
    // Not what the rule is for: the status is passed on, not a byte of the body.
    answer.body.abort();
    if (answer.status < 400) throw new Rejection('answer-unreadable', `200 was expected, found ${answer.status}`);
    return {
      status: answer.status,
      headers: ['cache-control', 'no-store'],
      body: undefined,
    } as unknown as FilteredResponse;
  };
};

interface Passed {
  readonly response: FilteredResponse;
  /** Resolves when the answer has passed and all is in the Grant's evidence. Never rejects. */
  readonly judged: Promise<void> | undefined;
  /** Ends both: nobody will read the rest. */
  readonly giveUp: () => void;
}

export type FilterInShadow = (answer: UpstreamAnswer, grant: GrantInShadow, match: RouteMatch | undefined) => Passed;

/** Returns the stage for where nothing is refused: the answer passes as it comes. Without a match nothing is judged. */
export const filterInShadow =
  (options: FilterOptions): FilterInShadow =>
  (answer, grant, match) => {
    const passing = (body: BodySource): FilteredResponse =>
      ({
        status: answer.status,
        headers: headersAsTheyCame(answer),
        body,
        asItCame: true,
      }) as unknown as FilteredResponse;
    if (match === undefined) {
      return { response: passing(answer.body), judged: undefined, giveUp: () => answer.body.abort() };
    }
    const { passing: body, copy, broken } = copied(answer.body);
    const judged = judgeAnswer(options, { answer: { ...answer, body: copy }, grant, match })
      .catch((error: unknown) => {
        if (!broken()) noteThrown(grant.shadow.evidence, error);
      })
      .finally(() => copy.abort());
    return { response: passing(body), judged, giveUp: () => body.abort() };
  };

const stream = (answer: UpstreamAnswer, { route }: RouteMatch, relative: readonly string[]): FilteredResponse => {
  const changed = relative.length > 0;
  const body = changed ? relativeBody(answer.body, relative) : answer.body;
  return { status: answer.status, headers: answerHeaders(answer, route, changed), body } as unknown as FilteredResponse;
};

/** The answer to a body that was read here: its length and its validators are no longer the upstream's. */
const readBack = (answer: UpstreamAnswer, { route }: RouteMatch, body: Buffer | BodySource): FilteredResponse => {
  const headers = answerHeaders(answer, route, true);
  if (Buffer.isBuffer(body)) headers.push('content-length', String(body.length));
  return { status: answer.status, headers, body } as unknown as FilteredResponse;
};

/** Returns the answer that a hidden resource gets: foreign and missing look the same. */
export const hiddenResponse = ({ route }: RouteMatch): FilteredResponse | undefined =>
  route.hidden && ownResponse(route, { ...route.hidden, contentType: 'application/json' });

/** Returns the answer of a route for which nothing is forwarded. */
export const fixedResponse = ({ route }: RouteMatch): FilteredResponse | undefined =>
  route.fixed && ownResponse(route, route.fixed);

/** Returns the answer of an endpoint of the gateway's own. */
export const ownAnswer = ({ status, headers: given, body }: OwnAnswer): FilteredResponse => {
  const headers = [...given, 'x-content-type-options', 'nosniff'];
  // Of what has no body, no length is told (RFC 9110, section 8.6).
  if (body !== undefined) headers.push('content-length', String(body.length));
  else if (status !== 304 && status !== 204) headers.push('content-length', '0');
  return { status, headers, body } as unknown as FilteredResponse;
};

const ownResponse = (route: Route, { status, contentType, body }: FixedAnswer): FilteredResponse => {
  const headers = [
    'content-type',
    contentType,
    'content-length',
    String(body.length),
    'x-content-type-options',
    'nosniff',
  ];
  for (const [name, value] of route.answerHeaders) headers.push(name, value);
  return { status, headers, body } as unknown as FilteredResponse;
};
