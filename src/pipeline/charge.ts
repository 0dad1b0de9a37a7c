/** What a refusal costs that came before the limits: if it cost nothing, refusals would be a way round them. */
import { isFailedAttempt } from '../model/failed-attempt.ts';
import type { Rejection } from '../model/rejection.ts';
import type { Limit } from '../ratelimit/limit.ts';
import type { Life } from './life.ts';

/** Counts a refusal that no limit has counted yet; rejects when there were too many. */
export const charge = async (limit: Limit, { raw, request, match }: Life, refusal: Rejection): Promise<void> => {
  const { principal } = refusal;
  if (principal !== undefined && request !== undefined && match !== undefined) {
    await limit.admit(request, match, principal);
    return;
  }
  const address = request?.address ?? raw.remoteAddress;
  await (isFailedAttempt(refusal) ? limit.failed(address) : limit.visitor(address));
};
