/** HOW OFTEN: the points of a user where one is known, of an address where none is, and of failed authentications. */
import type { RateLimit } from '../model/limits.ts';
import type { Policy } from '../model/policy.ts';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { Rejection } from '../model/rejection.ts';
import type { CanonicalRequest } from '../model/request.ts';
import type { RouteMatch } from '../model/route.ts';
import type { Limiter, LimitVerdict } from './limiter.ts';

/** Headers for the answer, names and values alternating (draft-ietf-httpapi-ratelimit-headers-11). */
export type LimitHeaders = readonly string[];

export interface Limit {
  /** Returns the headers that tell what is left, or throws `rate-limited`. */
  admit(
    request: CanonicalRequest,
    match: RouteMatch,
    principal: Principal | undefined,
  ): LimitHeaders | Promise<LimitHeaders>;
  /** Counts a refusal of somebody unknown; throws `rate-limited` when there were too many. */
  visitor(address: string): Promise<void>;
  /** Counts a failed authentication; throws `failures-limited` when there were too many. */
  failed(address: string): Promise<void>;
}

interface LimitOptions {
  readonly limiter: Limiter;
  /** Read at each request: another policy may have become live. */
  readonly policy: Pick<Policy, 'visitorLimits' | 'failureLimits'>;
}

export const limit = ({ limiter, policy }: LimitOptions): Limit => {
  const policies = new WeakMap<RateLimit, string>();
  const policyOf = (rule: RateLimit): string => {
    let text = policies.get(rule);
    if (text === undefined) {
      text = `"${rule.name}";q=${rule.points};w=${Math.ceil(rule.perMillis / 1000)}`;
      policies.set(rule, text);
    }
    return text;
  };

  const judge = (verdict: LimitVerdict, reason: ReasonCode): LimitHeaders => {
    const { limit: rule, remaining, resetMillis } = verdict;
    const headers = [
      'ratelimit-policy',
      policyOf(rule),
      'ratelimit',
      `"${rule.name}";r=${remaining};t=${Math.ceil(resetMillis / 1000)}`,
    ];
    if (verdict.allowed) return headers;
    headers.push('retry-after', String(Math.max(1, Math.ceil(verdict.retryAfterMillis / 1000))));
    throw new Rejection(reason, `limit ${rule.name}: ${rule.points} in ${rule.perMillis} ms`, { headers });
  };

  const count = async (rules: readonly RateLimit[], key: string, reason: ReasonCode): Promise<void> => {
    if (rules.length > 0) judge(await limiter.take(rules.map((rule) => ({ limit: rule, key }))), reason);
  };

  return {
    admit(request, match, principal) {
      const { user, address } = match.route.limits;
      const rules = principal === undefined ? address : user;
      if (rules.length === 0) return [];
      const key = principal?.owner ?? request.address;
      const verdict = limiter.take(rules.map((rule) => ({ limit: rule, key })));
      return verdict instanceof Promise
        ? verdict.then((late) => judge(late, 'rate-limited'))
        : judge(verdict, 'rate-limited');
    },

    visitor: (address) => count(policy.visitorLimits, address, 'rate-limited'),
    failed: (address) => count(policy.failureLimits, address, 'failures-limited'),
  };
};
