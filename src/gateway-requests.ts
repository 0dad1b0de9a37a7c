/** The part of the composition that judges requests: the gateway and its rehearsals have this one, and no other. */
import type { Authenticator } from './authn/authenticate.ts';
import { authorize } from './authz/authorize.ts';
import { claims as claimStage } from './authz/claim.ts';
import type { OwnershipLookup } from './authz/lookup.ts';
import type { OwnershipLedger } from './authz/ownership.ts';
import type { PendingCalls } from './authz/pending.ts';
import type { Read } from './body/read.ts';
import { type FilterOptions, filter, fixedResponse, hiddenResponse } from './filter/filter.ts';
import { shadowStages } from './gateway-shadow.ts';
import type { Policy } from './model/policy.ts';
import { answered, type DecideOptions, decide, type Reply } from './pipeline/decide.ts';
import type { Life } from './pipeline/life.ts';
import { type RequestStages, requestLife } from './pipeline/request.ts';
import { type RewriteOptions, rewrite } from './rewrite/rewrite.ts';
import { catalogueReader } from './upstream/catalogue.ts';
import type { Origin } from './upstream/origin.ts';
import { probe } from './upstream/probe.ts';
import type { SharedCopies } from './upstream/shared-copy.ts';

/** What differs between a gateway and a rehearsal: where facts live, who is told, and what is on the other side. */
export interface RequestPlaneOptions
  extends Pick<RequestStages, 'canonical' | 'limit' | 'shares' | 'runs'>,
    Pick<RewriteOptions, 'writeJson' | 'writeMultipart' | 'assertion'>,
    Pick<DecideOptions, 'audit' | 'listeners' | 'report'> {
  readonly policy: Policy;
  readonly ledger: OwnershipLedger;
  readonly lookup: OwnershipLookup;
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'identify' | 'recheck'>;
  readonly origin: Origin & SharedCopies;
  readonly read: Read;
  readonly learn: FilterOptions['learn'];
  /** Where the script is that a page is given; undefined: pages are given none. */
  readonly pageScript?: string | undefined;
  /** Calls that wait for their owner's answer; undefined where no live event is heard. */
  readonly calls?: PendingCalls | undefined;
}

/** Returns what lives one request to its end: the stages, handed to one another in the order in which they are met. */
export const requestPlane = (options: RequestPlaneOptions): ((life: Life, reply: Reply) => Promise<void>) => {
  const { policy, lookup, authenticator, origin, read, learn, writeJson, writeMultipart } = options;
  const { canonical, limit, shares, runs, audit, listeners, calls, report } = options;
  const claiming = { ledger: options.ledger, lookup, presence: probe(origin) };
  const claims = claimStage(claiming);
  const { assertion } = options;
  const rewriting = { catalogue: catalogueReader(origin), writeJson, writeMultipart, assertion };
  const live = requestLife({
    canonical,
    match: policy.match,
    authenticate: authenticator.authenticate,
    recheck: authenticator.recheck,
    limit,
    shares,
    read,
    runs,
    authorize: authorize({ lookup, claims, calls }),
    fixed: fixedResponse,
    rewrite: rewrite(rewriting),
    origin,
    filter: filter({ ownersOf: lookup.ownersOf, learn, pageScript: options.pageScript }),
    answered: answered({ claims, calls, report }),
    shadow: shadowStages({ ...claiming, calls, policy, identify: authenticator.identify, read, rewriting, learn }),
  });
  return decide({ live, claims, calls, runs, limit, shares, hidden: hiddenResponse, audit, listeners, report });
};
