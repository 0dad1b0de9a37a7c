/** The part of the composition that looks on: the stages for requests for which the policy is not in effect. */
import type { Authenticator } from './authn/authenticate.ts';
import { credential } from './authn/credentials.ts';
import { authorizeInShadow } from './authz/authorize.ts';
import type { ClaimDependencies } from './authz/claim.ts';
import { foresight } from './authz/foresee.ts';
import type { PendingCalls } from './authz/pending.ts';
import { type Read, readInShadow } from './body/read.ts';
import { type FilterOptions, filterInShadow } from './filter/filter.ts';
import type { Policy } from './model/policy.ts';
import type { ShadowStages } from './pipeline/shadow.ts';
import { likelyRoutes } from './pipeline/unmatched.ts';
import { changes } from './rewrite/changes.ts';
import { passingOn, type RewriteOptions } from './rewrite/rewrite.ts';

interface ShadowOptions extends ClaimDependencies {
  readonly calls?: Pick<PendingCalls, 'take'> | undefined;
  readonly policy: Policy;
  readonly identify: Authenticator['identify'];
  readonly read: Read;
  readonly rewriting: RewriteOptions;
  readonly learn: FilterOptions['learn'];
}

/** Returns the stages; they are made of the same parts as those that refuse. */
export const shadowStages = (options: ShadowOptions): ShadowStages => {
  const { policy, identify, read, lookup, calls, rewriting, learn } = options;
  const foreseen = foresight(options);
  return {
    policy,
    identify: (request) => identify(request, credential(request)),
    read: readInShadow(read),
    authorize: authorizeInShadow({ lookup, foresight: foreseen, calls }),
    foresight: foreseen,
    changes: changes(rewriting),
    passOn: passingOn({
      ...rewriting,
      mayHoldToken: (request) => likelyRoutes(policy, request).some(({ tokenInQuery }) => tokenInQuery === true),
    }),
    filter: filterInShadow({ ownersOf: lookup.ownersOf, learn }),
  };
};
