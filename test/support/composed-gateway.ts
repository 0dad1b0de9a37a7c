/**
 * The same stages as the gateway's, put together by a test so that one of them can be changed: to lie, or to fail. It
 * exists to show that the tests of isolation would notice, and that a failure is never taken for a yes.
 */
import type { AddressInfo } from 'node:net';
import { authenticate } from '../../src/authn/authenticate.ts';
import { authorize } from '../../src/authz/authorize.ts';
import { type Claims, claims as claimStage } from '../../src/authz/claim.ts';
import { type Learn, learn as learner } from '../../src/authz/learn.ts';
import { type OwnershipLookup, ownershipLookup } from '../../src/authz/lookup.ts';
import { writeJson } from '../../src/body/json-write.ts';
import { encodeMultipart } from '../../src/body/multipart.ts';
import { read } from '../../src/body/read.ts';
import { filter, fixedResponse, hiddenResponse } from '../../src/filter/filter.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Owner } from '../../src/model/principal.ts';
import type { OwnershipRecord } from '../../src/model/resource.ts';
import { answered, decide } from '../../src/pipeline/decide.ts';
import { type RequestStages, requestLife } from '../../src/pipeline/request.ts';
import { limit as limitStage } from '../../src/ratelimit/limit.ts';
import { runs as runsStage } from '../../src/ratelimit/runs.ts';
import { shares as sharesStage } from '../../src/ratelimit/shares.ts';
import { rewrite } from '../../src/rewrite/rewrite.ts';
import { app } from '../../src/server/app.ts';
import { canonical } from '../../src/server/canonical.ts';
import { keySource } from '../../src/store/keys/source.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { catalogueReader } from '../../src/upstream/catalogue.ts';
import { origin as openOrigin } from '../../src/upstream/forward.ts';
import { probe } from '../../src/upstream/probe.ts';
import { shareCopies } from '../../src/upstream/shared-copy.ts';
import type { TestIssuer } from './issuer.ts';

export interface Parts {
  readonly lookup: OwnershipLookup;
  readonly claims: Claims;
  readonly learn: Learn;
}

export interface ComposedOptions {
  readonly upstreamUrl: string;
  readonly policy: Policy;
  readonly issuer: TestIssuer;
  /** Returns the stages to run on. */
  readonly change: (stages: RequestStages, parts: Parts) => RequestStages;
}

/** Starts it on a free port, with a ledger in memory. It has no sockets. */
export const startComposedGateway = async ({ upstreamUrl, policy, issuer, change }: ComposedOptions) => {
  const origin = shareCopies(openOrigin({ url: upstreamUrl }));
  const ledger = memoryLedger();
  const lookup = ownershipLookup({
    ledger,
    near: nearOwnershipCache({ maxEntries: 10, maxAgeMillis: 1 }),
    common: undefined,
  });
  const claims = claimStage({ ledger, lookup, presence: probe(origin) });
  const learn = learner(ledger);
  const authenticator = authenticate({ issuers: [issuer.settings], source: keySource });
  const runs = runsStage({ slots: memorySlots() });
  const limit = limitStage({ policy, limiter: memoryLimiter({ maxEntries: 1000 }) });
  const noReport = (): void => undefined;
  const shares = sharesStage({ maxOpenPerKey: 1000, maxOpen: 1000, maxBytesPerKey: 2 ** 28, maxBytes: 2 ** 28 });
  const stages: RequestStages = {
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    match: policy.match,
    authenticate: authenticator.authenticate,
    limit,
    shares,
    read: read(),
    runs,
    authorize: authorize({ lookup, claims }),
    fixed: fixedResponse,
    rewrite: rewrite({
      catalogue: catalogueReader(origin),
      writeJson: async (value) => [writeJson(value)],
      writeMultipart: encodeMultipart,
    }),
    origin,
    filter: filter({ ownersOf: lookup.ownersOf, learn }),
    answered: answered({ claims, report: noReport }),
  };
  const live = requestLife(change(stages, { lookup, claims, learn }));
  const server = app({
    live: decide({ live, claims, runs, limit, shares, hidden: hiddenResponse, audit: noReport, report: noReport }),
    refused: noReport,
    upgrade: undefined,
    socketPath: undefined,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      authenticator.close();
      await origin.close();
    },
  };
};

/** A change: whatever is looked up is the caller's, in checks, in claims and in lists. */
export const everythingIsMine: ComposedOptions['change'] = (stages, { lookup, claims, learn }) => ({
  ...stages,
  authorize: (request, match, principal) =>
    authorize({ lookup: allOf(principal?.owner ?? '', lookup), claims })(request, match, principal),
  filter: (answer, grant, match) =>
    filter({ ownersOf: allOf(grant.owner ?? '', lookup).ownersOf, learn })(answer, grant, match),
});

const allOf = (owner: Owner, lookup: OwnershipLookup): OwnershipLookup => ({
  ...lookup,
  ownersOf: (refs) => refs.map(() => owner),
  records: async (refs) =>
    refs.map(
      (ref): OwnershipRecord => ({
        ...ref,
        owner,
        parent: undefined,
        state: 'owned',
        origin: 'request',
        createdAtMillis: 0,
      }),
    ),
});
