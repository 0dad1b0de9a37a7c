/**
 * RESPONSE, OUTBOUND: what the caller may see of an answer. A route without a rule streams untouched; an answer that a
 * rule cannot read as expected is refused, and nothing of it is shown.
 */
import { valuesAt } from '../model/field-path.ts';
import type { Grant } from '../model/grant.ts';
import type { JsonValue } from '../model/json.ts';
import type { Owner } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { ResourceRef } from '../model/resource.ts';
import type { BodySource, FilteredResponse, UpstreamAnswer } from '../model/response.ts';
import type { AnswerRule, LearnRule, RouteMatch } from '../model/route.ts';
import { answerHeaders } from './headers.ts';
import { parseAnswer, readAnswer, writeAnswer } from './json.ts';
import { keepOwn, type OwnersOf } from './list.ts';
import { relativeBody } from './relative.ts';
import { keepRows } from './rows.ts';

export interface FilterOptions {
  readonly ownersOf: OwnersOf;
  /** Records an id that the server made as the caller's, before the answer leaves. */
  readonly learn: (
    learned: { readonly ref: ResourceRef; readonly parent: undefined; readonly origin: 'response' },
    owner: Owner,
  ) => Promise<'learned' | 'known' | 'conflict'>;
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
export const filter = ({ ownersOf, learn }: FilterOptions): Filter => {
  const learnFrom = async (value: JsonValue, rules: readonly LearnRule[], owner: Owner): Promise<void> => {
    for (const { resource, path } of rules) {
      const ids = valuesAt(value, path);
      if (ids.length === 0) throw new Rejection('answer-unreadable', `the answer names no ${resource.name}`);
      for (const id of ids) {
        if (typeof id !== 'string' || !resource.pattern.test(id)) {
          throw new Rejection('answer-unreadable', `the answer’s ${resource.name} id is not of the expected form`);
        }
        const ref = { kind: resource.name, id };
        const outcome = await learn({ ref, parent: undefined, origin: 'response' }, owner);
        if (outcome === 'conflict') throw new Rejection('learn-conflict', `${resource.name}:${id} is another owner’s`);
      }
    }
  };

  const readAndFilter = async ({ answer, grant, match, rule }: Case): Promise<FilteredResponse> => {
    const { owner } = grant;
    const type = answer.headers['content-type'];
    if (typeof type !== 'string' || !/^application\/json\s*(?:;|$)/i.test(type)) {
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
      await learnFrom(value, rule.learn, owner);
    }
    for (const operation of rule.operations) value = operation(value);
    return readBack(answer, match, writeAnswer(value));
  };

  return (answer, grant, match) => {
    const { answer: rule } = match.route;
    if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
      answer.body.abort();
      throw new Rejection('answer-unreadable', `the upstream redirects (${answer.status})`);
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
export const hiddenResponse = ({ route }: RouteMatch): FilteredResponse | undefined => {
  if (route.hidden === undefined) return undefined;
  const { status, body } = route.hidden;
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(body.length),
    'x-content-type-options',
    'nosniff',
  ];
  for (const [name, value] of route.answerHeaders) headers.push(name, value);
  return { status, headers, body } as unknown as FilteredResponse;
};
