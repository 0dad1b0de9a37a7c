/** The composition root: builds stores, stages and servers, and hands them to one another. Nothing is decided here. */

import type { Server } from 'node:http';
import { type FanOut, fanOut } from './audit/fan-out.ts';
import { auditLine } from './audit/record.ts';
import { fileSink, type LineSink } from './audit/sinks/file.ts';
import type { Authenticator } from './authn/authenticate.ts';
import type { Revocations } from './authn/revocation.ts';
import { claims as claimStage } from './authz/claim.ts';
import { learn as learner } from './authz/learn.ts';
import { ownershipLookup } from './authz/lookup.ts';
import { pendingCalls } from './authz/pending.ts';
import { writeJson, writeJsonInSlices } from './body/json-write.ts';
import { encodeMultipart } from './body/multipart.ts';
import { read } from './body/read.ts';
import { urlOf } from './config/admin.ts';
import type { Config } from './config/config.ts';
import { browserDoor } from './gateway-browsers.ts';
import { adminKeys, type Identity, identityPlane } from './gateway-identity.ts';
import { livePlane } from './gateway-live.ts';
import { ownPlane } from './gateway-own.ts';
import { type PolicyPlane, policyPlane } from './gateway-policy.ts';
import { requestPlane } from './gateway-requests.ts';
import { adminRevocations, endRevoked, knownRevocations } from './gateway-revocations.ts';
import { openStores, type Stores } from './gateway-stores.ts';
import type { AuditSink } from './model/audit.ts';
import { LOGIN_PATHS } from './model/login.ts';
import type { Policy } from './model/policy.ts';
import { decideAtDoor } from './pipeline/decide.ts';
import type { LivePolicy } from './policy/live.ts';
import { limit as limitStage } from './ratelimit/limit.ts';
import { runs as runsStage } from './ratelimit/runs.ts';
import { shares as sharesStage } from './ratelimit/shares.ts';
import { type Lifetime, lifetime } from './realtime/lifetime.ts';
import { type Listeners, listeners } from './realtime/listeners.ts';
import type { RewriteOptions } from './rewrite/rewrite.ts';
import { admin } from './server/admin.ts';
import { app } from './server/app.ts';
import { canonical } from './server/canonical.ts';
import { listen, shutDown } from './server/shutdown.ts';
import type { Log } from './telemetry/log.ts';
import { type Metrics, metrics } from './telemetry/metrics.ts';
import { origin as openOrigin } from './upstream/forward.ts';
import type { Orders, Origin } from './upstream/origin.ts';
import { probe } from './upstream/probe.ts';
import { type SharedCopies, shareCopies } from './upstream/shared-copy.ts';

export interface GatewayOptions {
  readonly config: Config;
  readonly policy: Policy;
  /** Given where the policy may change while the gateway runs; `policy` is then its view. */
  readonly live?: LivePolicy | undefined;
  readonly log: Log;
}

export interface Gateway {
  /** Where the public listener is, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly adminUrl: string;
  /** Loads the policy anew, where it may change. The log says what became of it. */
  reloadPolicy(): void;
  /** Lets what is under way finish within `graceMillis`, then closes everything. */
  close(graceMillis?: number): Promise<void>;
}

/** Bodies above this size are written in slices that do not hold others up. */
const LARGE_BODY_BYTES = 256 * 1024;

/** What one user, and all of them, may hold at once. The upstream's pool holds as many connections as may be open. */
const SHARES = {
  maxOpenPerKey: 100,
  maxOpen: 4_000,
  maxBytesPerKey: 192 * 1024 * 1024,
  maxBytes: 1024 * 1024 * 1024,
};

/** Resolves when both listeners are bound, or rejects with what could not be opened; then nothing is left open. */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const parts = await build(options);
  const { config } = options;
  try {
    const bound = await listen(parts.app, config.listen);
    const adminBound = await listen(parts.admin, config.admin);
    await parts.plane?.open();
    return {
      url: urlOf(bound),
      adminUrl: urlOf(adminBound),
      reloadPolicy: () => parts.plane?.reload(),
      close: parts.close,
    };
  } catch (error) {
    await parts.close(0);
    throw error;
  }
};

interface Parts {
  readonly app: Server;
  readonly admin: Server;
  readonly plane: PolicyPlane | undefined;
  readonly close: (graceMillis?: number) => Promise<void>;
}

/** What every part below is made of. */
interface Ground extends GatewayOptions {
  readonly stores: Stores;
  readonly sink: LineSink | undefined;
  readonly counts: Metrics;
  readonly audit: FanOut;
  readonly identity: Identity;
  readonly authenticator: Authenticator;
  readonly revocations: Revocations;
  readonly origin: Origin & SharedCopies;
  readonly orders: Orders;
  readonly lifetime: Lifetime;
  /** Those who hear an answer that has no end of its own. */
  readonly listeners: Listeners;
}

const build = async (options: GatewayOptions): Promise<Parts> => {
  const ground = await openGround(options);
  const { stores, sink, counts, audit, identity, revocations, origin, log } = ground;
  const { requests, own, browsers, refused, live, runs } = await plumb(ground);
  const plane = options.live && policyPlane({ ...ground, live: options.live, swapped: live.rejudge });
  endRevoked(revocations, counts, [live.end, ground.listeners.end]);
  const publicServer = app({ live: requests, own, refused, ...browsers, ...live.door });
  const adminServer = admin({
    checks: {
      ledger: () => stores.ledger.ping(),
      upstream: live.upstreamConnected ?? origin.healthy,
      keys: identity.healthy,
      audit: () => sink?.healthy() ?? true,
      revocations: () => revocations.healthy() && identity.apiKeys.healthy(),
      redis: stores.redisUsable,
    },
    scrape() {
      audit.flush();
      return counts.scrape();
    },
    policy: plane?.admin,
    keys: plane && adminKeys(identity.apiKeys, { access: plane.admin, audit: audit.record }),
    revocations:
      plane && adminRevocations(revocations, { config: options.config, access: plane.admin, audit: audit.record }),
  });
  counts.observe({
    ...live.gauges,
    runs: runs.open,
    upstreamConnected: live.upstreamConnected ?? (() => false),
    auditDropped: () => sink?.dropped() ?? 0,
    revocations: () => revocations.list().length,
    policy: plane?.numbers,
  });

  const close = async (graceMillis = 10_000): Promise<void> => {
    plane?.close();
    const ended = [shutDown(publicServer, graceMillis), shutDown(adminServer, 0)];
    await live.close();
    await Promise.all(ended);
    await origin.close();
    ground.identity.close();
    revocations.close();
    ground.lifetime.close();
    audit.flush();
    await closeStores(stores, sink);
    log.flush();
  };
  return { app: publicServer, admin: adminServer, plane, close };
};

const openGround = async (options: GatewayOptions): Promise<Ground> => {
  const { config, log } = options;
  const counts = metrics();
  const stores = await openStores({ config, log });
  let sink: LineSink | undefined;
  try {
    sink = config.audit === undefined ? undefined : await auditFile(config.audit.file, log);
    const revocations = await knownRevocations(stores.revocations, log);
    const identity = await identityPlane({ config, stores, revocations, log });
    const { authenticator } = identity;
    const orders = openOrigin({ url: config.upstream.url });
    const origin = shareCopies(orders);
    const watched = lifetime({
      prolong: authenticator.prolong,
      late: (millis, because) => counts.authorityLag(because, millis),
    });
    const heard = { lifetime: watched, listeners: listeners(watched) };
    return {
      ...options,
      ...heard,
      stores,
      sink,
      counts,
      audit: fanOut(takersOf(sink, counts)),
      identity,
      authenticator,
      revocations,
      origin,
      orders,
    };
  } catch (error) {
    await closeStores(stores, sink);
    throw error;
  }
};

/** Puts together what judges requests and what judges events, on common ground. */
const plumb = async (ground: Ground) => {
  const { config, policy, log, stores } = ground;
  const audit = ground.audit.record;
  const lookup = ownershipLookup(stores);
  const learn = learner(stores.ledger);
  const runs = runsStage({ slots: stores.slots });
  const limit = limitStage({ policy, limiter: stores.limiter });
  const judgeTarget = canonical({ hosts: config.listen.hosts, trustedProxies: config.listen.trustedProxies });
  const report = (error: unknown, what: string): void => log.error({ err: error }, what);
  const assertion = ground.identity.assertions;
  const common = {
    ...ground,
    assertion,
    audit,
    canonical: judgeTarget,
    lookup,
    learn,
    runs,
    limit,
    calls: pendingCalls(),
  };
  const shares = sharesStage(SHARES);
  const requests = requestPlane({
    ...common,
    ...WRITERS,
    listeners: ground.listeners,
    ledger: stores.ledger,
    shares,
    read: read(),
    pageScript: ground.identity.people && LOGIN_PATHS.script,
    report,
  });
  const live = await livePlane({ ...common, ledger: stores.ledger });
  const claims = claimStage({ ledger: stores.ledger, lookup, presence: probe(ground.origin) });
  const own = ownPlane({ ...common, claims, shares, report });
  const browsers = browserDoor({ ...common, claims, shares, report });
  return { requests, own, browsers, refused: decideAtDoor({ audit, limit, report }), live, runs };
};

const WRITERS: Pick<RewriteOptions, 'writeJson' | 'writeMultipart'> = {
  writeJson: async (value, size) => (size > LARGE_BODY_BYTES ? writeJsonInSlices(value) : [writeJson(value)]),
  writeMultipart: encodeMultipart,
};

const closeStores = async (stores: Stores, sink: LineSink | undefined): Promise<void> => {
  await stores.close();
  await sink?.close();
};

const auditFile = (path: string, log: Log): Promise<LineSink> =>
  fileSink({ path, onFault: (error) => log.error({ err: error }, 'the audit file cannot be written') });

const takersOf = (sink: LineSink | undefined, counts: Metrics): readonly AuditSink[] =>
  sink === undefined ? [counts.record] : [counts.record, (record) => sink.write(auditLine(record))];
