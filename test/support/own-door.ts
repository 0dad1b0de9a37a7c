/** The gateway's own endpoints on a free port: the real door, the real life and the real record, and a login that is a script. */
import { request as send } from 'node:http';
import { returnPath } from '../../src/authn/login/return.ts';
import { claims as claimStage } from '../../src/authz/claim.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import { readForm } from '../../src/body/form.ts';
import { hiddenResponse, ownAnswer } from '../../src/filter/filter.ts';
import type { AuditRecord } from '../../src/model/audit.ts';
import { cookieIn, SESSION_COOKIE } from '../../src/model/cookie.ts';
import type { LoginCame, Logins } from '../../src/model/login.ts';
import type { OwnEndpoint } from '../../src/model/own.ts';
import type { Principal } from '../../src/model/principal.ts';
import { Rejection } from '../../src/model/rejection.ts';
import { decide } from '../../src/pipeline/decide.ts';
import { ownLife } from '../../src/pipeline/own.ts';
import { limit } from '../../src/ratelimit/limit.ts';
import { runs as runsStage } from '../../src/ratelimit/runs.ts';
import { shares as sharesStage } from '../../src/ratelimit/shares.ts';
import { app } from '../../src/server/app.ts';
import { canonical } from '../../src/server/canonical.ts';
import { type LoginEndpointsOptions, loginEndpoints } from '../../src/server/login-endpoints.ts';
import { listen } from '../../src/server/shutdown.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { principalOf } from './stages.ts';

const HELD = { maxOpenPerKey: 1000, maxOpen: 1000, maxBytesPerKey: 2 ** 30, maxBytes: 2 ** 30 };

/** What an own life claims, runs and holds: nothing, but the record is made of it. */
const settling = () => {
  const ledger = memoryLedger();
  const near = nearOwnershipCache({ maxEntries: 10, maxAgeMillis: 60_000 });
  const lookup = ownershipLookup({ ledger, near, common: undefined });
  return {
    claims: claimStage({ ledger, lookup, presence: async () => false }),
    runs: runsStage({ slots: memorySlots() }),
    shares: sharesStage(HELD),
    hidden: hiddenResponse,
  };
};

export interface OwnDoorOptions {
  readonly endpoints: readonly OwnEndpoint[];
  readonly visitors?: number;
  readonly failures?: number;
  readonly trustedProxies?: readonly string[];
}

/** Opens the door; every other path is answered with 404 by a life of another kind. */
export const ownDoor = async ({ endpoints, visitors = 1000, failures = 1000, ...options }: OwnDoorOptions) => {
  const records: AuditRecord[] = [];
  const reports: unknown[] = [];
  const rate = { perMillis: 60_000, by: 'address' } as const;
  const policy = {
    visitorLimits: [{ ...rate, name: 'visitors', points: visitors, onFailedAuthentication: false }],
    failureLimits: [{ ...rate, name: 'failures', points: failures, onFailedAuthentication: true }],
  };
  const limits = limit({ policy, limiter: memoryLimiter({ maxEntries: 100 }) });
  const decided = {
    ...settling(),
    limit: limits,
    audit: (record: AuditRecord) => void records.push(record),
    report: (error: unknown) => void reports.push(error),
  };
  const own = ownLife({
    endpoints,
    folders: ['/auth/'],
    canonical: canonical({ hosts: undefined, trustedProxies: options.trustedProxies ?? [] }),
    limit: limits,
    readForm,
    filtered: ownAnswer,
  });
  const elsewhere = async (): Promise<never> => {
    throw new Rejection('route-unknown', 'another life');
  };
  const server = app({
    live: decide({ ...decided, live: elsewhere }),
    own: { match: own.match, live: decide({ ...decided, live: own.live }) },
    upgrade: undefined,
    socketPath: undefined,
    refused: () => undefined,
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    records,
    reports,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
};

export const STATE = 'state-of-a-login-0123456789';
export const SESSION = 'value-of-a-session';

/** A login that succeeds for whoever comes back with its cookie, and what it was asked. */
export const scriptedLogins = (script: Partial<Logins> = {}) => {
  const asked = { begun: [] as unknown[], came: [] as LoginCame[], out: [] as unknown[], behind: [] as unknown[] };
  let returnTo = '/';
  const logins: Logins = {
    providers: [{ name: 'test', title: 'Test' }],
    async begin(login) {
      asked.begun.push(login);
      returnTo = returnPath(login.returnTo);
      return { location: `https://id.example/authorize?for=${login.provider}`, state: STATE, note: 'sealed-note' };
    },
    async finish(came) {
      asked.came.push(came);
      if (came.note !== 'sealed-note') throw new Rejection('login-failed', 'the secret detail');
      return { session: SESSION, maxAgeSeconds: 3600, returnTo, owner: 'test|alice' };
    },
    async logOut(session, origin) {
      asked.out.push([session, origin]);
      return session === SESSION ? { owner: 'test|alice', location: undefined } : undefined;
    },
    async logOutBehind(provider, token) {
      asked.behind.push([provider, token]);
      return 1;
    },
    ...script,
  };
  return { logins, asked };
};

export const ALICE: Principal = {
  ...principalOf('alice', ['artist']),
  tenant: undefined,
  sessionId: 'a-session-id',
  expiresAtMillis: Date.UTC(2030, 0, 1),
};

/** Alice is known by her cookie. */
const byCookie: LoginEndpointsOptions['identify'] = async ({ headers }) =>
  cookieIn(headers.get('cookie'), SESSION_COOKIE) === SESSION ? ALICE : undefined;

export const LOGIN_OPTIONS: Omit<LoginEndpointsOptions, 'logins'> = {
  identify: byCookie,
  publicUrl: undefined,
  formTargets: ['https:'],
  key: Buffer.alloc(32, 7),
};

/** Opens a door at which people log in by a script. */
export const loginDoor = async (
  script: Partial<Logins> = {},
  options: Partial<LoginEndpointsOptions & OwnDoorOptions> = {},
) => {
  const { logins, asked } = scriptedLogins(script);
  const endpoints = loginEndpoints({ ...LOGIN_OPTIONS, logins, ...options });
  return { ...(await ownDoor({ ...options, endpoints })), asked };
};

/** What a browser sends with a page that its user opens. */
export const NAVIGATION = {
  'sec-fetch-site': 'none',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  accept: 'text/html,application/xhtml+xml',
};

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly cookies: readonly string[];
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request with these headers and no others, and follows nothing. */
export const ask = (url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Got> =>
  new Promise((resolve, reject) => {
    const framing = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = send(url, { method, headers: { ...framing, ...headers }, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const { statusCode: status = 0, headers: told } = answer;
        resolve({ status, headers: told, cookies: told['set-cookie'] ?? [], text: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
