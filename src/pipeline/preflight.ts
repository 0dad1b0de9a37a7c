/**
 * THE LIFE OF A PREFLIGHT: a browser asks whether a page of another origin may send a request. It is answered before anybody
 * is authenticated, because browsers show no credentials with it, and is never forwarded.
 */
import type { OwnAnswer } from '../model/own.ts';
import type { CanonicalRequest, RawRequest } from '../model/request.ts';
import type { FilteredResponse } from '../model/response.ts';
import type { Limit } from '../ratelimit/limit.ts';
import { enter, type Life } from './life.ts';

export interface PreflightStages {
  canonical(raw: RawRequest): CanonicalRequest;
  readonly limit: Pick<Limit, 'visitor'>;
  /** Returns the answer, or throws a Rejection. */
  answer(request: CanonicalRequest): OwnAnswer;
  filtered(answer: OwnAnswer): FilteredResponse;
}

/** Returns the life: it resolves to the answer, or rejects with a Rejection. */
export const preflightLife =
  ({ canonical, limit, answer, filtered }: PreflightStages) =>
  async (life: Life): Promise<FilteredResponse> => {
    const request = canonical(life.raw);
    life.request = request;
    enter(life, 'match');
    life.own = { id: 'cors.preflight', owner: undefined };
    // What is refused here is counted where every refusal before the limits is.
    const answered = answer(request);
    enter(life, 'limit');
    await limit.visitor(request.address);
    enter(life, 'respond');
    return filtered(answered);
  };
