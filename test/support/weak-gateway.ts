/**
 * The same stages as the gateway's, put together with one of them lying: every owner that is asked for is the caller. It
 * exists to show that the tests of isolation would notice.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate } from '../../src/authn/authenticate.ts';
import { authorize } from '../../src/authz/authorize.ts';
import { claims as claimStage } from '../../src/authz/claim.ts';
import { learn as learner } from '../../src/authz/learn.ts';
import { type OwnershipLookup, ownershipLookup } from '../../src/authz/lookup.ts';
import { writeJson } from '../../src/body/json-write.ts';
import { encodeMultipart } from '../../src/body/multipart.ts';
import { read } from '../../src/body/read.ts';
import { filter, hiddenResponse } from '../../src/filter/filter.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Owner } from '../../src/model/principal.ts';
import type { OwnershipRecord } from '../../src/model/resource.ts';
import { answered, decide } from '../../src/pipeline/decide.ts';
import { requestLife } from '../../src/pipeline/request.ts';
import { limit as limitStage } from '../../src/ratelimit/limit.ts';
import { runs as runsStage } from '../../src/ratelimit/runs.ts';
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
import type { TestIssuer } from './issuer.ts';

export interface WeakOptions {
  readonly upstreamUrl: string;
  readonly policy: Policy;
  readonly issuer: TestIssuer;
}

/** Starts it on a free port. It has no sockets. */
export const startWeakGateway = async ({ upstreamUrl, policy, issuer }: WeakOptions) => {
  const origin = openOrigin({ url: upstreamUrl });
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
  const limit = limitStage({ ...policy, limiter: memoryLimiter({ maxEntries: 1000 }) });
  const noReport = (): void => undefined;
  const live = requestLife({
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    match: policy.match,
    authenticate: authenticator.authenticate,
    limit,
    read: read(),
    runs,
    authorize: (request, match, principal) =>
      authorize({ lookup: allOf(principal?.owner ?? '', lookup), claims })(request, match, principal),
    rewrite: rewrite({
      catalogue: catalogueReader(origin),
      writeJson: async (value) => [writeJson(value)],
      writeMultipart: encodeMultipart,
    }),
    origin,
    filter: (answer, grant, match) => {
      const { ownersOf } = allOf(grant.owner ?? '', lookup);
      return filter({ ownersOf, learn })(answer, grant, match);
    },
    answered: answered(claims, noReport),
  });
  const server = app({
    live: decide({ live, claims, runs, limit, hidden: hiddenResponse, audit: noReport, report: noReport }),
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

/** A port where nobody listens. */
export const closedPort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};
