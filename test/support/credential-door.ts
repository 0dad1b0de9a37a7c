/**
 * The gateway's door for requests on a free port, in front of an upstream that keeps every byte: with an issuer, with
 * sessions that a test gives out, and with an audit file that a test may search.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLine } from '../../src/audit/record.ts';
import { fileSink } from '../../src/audit/sinks/file.ts';
import type { AuthenticateOptions } from '../../src/authn/authenticate.ts';
import { resourceMetadata } from '../../src/authn/metadata.ts';
import { ownershipLookup } from '../../src/authz/lookup.ts';
import { writeJson } from '../../src/body/json-write.ts';
import { encodeMultipart } from '../../src/body/multipart.ts';
import { read } from '../../src/body/read.ts';
import { type RequestPlaneOptions, requestPlane } from '../../src/gateway-requests.ts';
import { limit as limitStage } from '../../src/ratelimit/limit.ts';
import { runs as runsStage } from '../../src/ratelimit/runs.ts';
import { shares as sharesStage } from '../../src/ratelimit/shares.ts';
import { app } from '../../src/server/app.ts';
import { canonical } from '../../src/server/canonical.ts';
import { memoryLimiter } from '../../src/store/memory/limiter.ts';
import { nearOwnershipCache } from '../../src/store/memory/near-ownership-cache.ts';
import { memoryLedger } from '../../src/store/memory/ownership-ledger.ts';
import { memorySlots } from '../../src/store/memory/slots.ts';
import { origin as openOrigin } from '../../src/upstream/forward.ts';
import { shareCopies } from '../../src/upstream/shared-copy.ts';
import { heldSessions } from './cookies.ts';
import { recordingUpstream } from './recording-upstream.ts';
import { policyFrom } from './stages.ts';
import { issuerSettings, keyServer, authenticator as openAuthenticator, signer } from './token-issuer.ts';
import { exchange, requestText, type WireAnswer } from './wire.ts';

export interface CredentialDoorOptions {
  readonly policy: string;
  /** Further origins whose pages may use the gateway. */
  readonly origins?: readonly string[];
  readonly authn?: Partial<AuthenticateOptions>;
}

const HELD = { maxOpenPerKey: 100, maxOpen: 100, maxBytesPerKey: 2 ** 28, maxBytes: 2 ** 28 };

export const openCredentialDoor = async ({ policy: text, origins = [], authn = {} }: CredentialDoorOptions) => {
  const directory = mkdtempSync(join(tmpdir(), 'credential-door-'));
  const auditPath = join(directory, 'audit.ndjson');
  const faults: unknown[] = [];
  const sink = await fileSink({ path: auditPath, onFault: (error) => faults.push(error) });
  const upstream = await recordingUpstream();
  const key = await signer('k1');
  const keys = await keyServer(key.jwk);
  const sessions = heldSessions();
  const issuers = [issuerSettings(keys.url)];
  const metadata = resourceMetadata({ issuers, url: undefined });
  const site = { url: undefined, origins };
  const authenticator = openAuthenticator(issuers, { sessions, site, metadata, ...authn });
  const origin = shareCopies(openOrigin({ url: upstream.url }));
  const live = stagesFor({
    policy: policyFrom(text),
    authenticator,
    origin,
    audit: (record) => sink.write(auditLine(record)),
    report: (error) => faults.push(error),
  });
  const server = app({ live, refused: () => undefined, upgrade: undefined, socketPath: undefined });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    sessions,
    /** Gives out what has reached the upstream since it was last asked. */
    arrived: upstream.take,
    token: (user: string, claims: Readonly<Record<string, unknown>> = {}) => key.sign({ sub: user, ...claims }),
    /** Sends one request without a body, byte for byte, and resolves with its answer. */
    async ask(line: string, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
      const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      const { answers } = await exchange(port, requestText(`${line} HTTP/1.1`, lines), { answers: 1 });
      const [answer] = answers;
      if (answer === undefined) throw new Error(`no answer to ${line}`);
      return answer;
    },
    auditText: () => readFileSync(auditPath, 'utf8'),
    /** Bugs and what could not be written: there must be none. */
    faults,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      authenticator.close();
      await keys.close();
      await origin.close();
      await upstream[Symbol.asyncDispose]();
      await sink.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

type Given = Pick<RequestPlaneOptions, 'policy' | 'authenticator' | 'origin' | 'audit' | 'report'>;

const stagesFor = (given: Given) => {
  const { policy } = given;
  const ledger = memoryLedger();
  return requestPlane({
    ...given,
    ledger,
    lookup: ownershipLookup({
      ledger,
      near: nearOwnershipCache({ maxEntries: 9, maxAgeMillis: 9 }),
      common: undefined,
    }),
    canonical: canonical({ hosts: undefined, trustedProxies: [] }),
    limit: limitStage({ policy, limiter: memoryLimiter({ maxEntries: 100 }) }),
    shares: sharesStage(HELD),
    runs: runsStage({ slots: memorySlots() }),
    read: read(),
    writeJson: async (value) => [writeJson(value)],
    writeMultipart: encodeMultipart,
    learn: async () => 'learned',
  });
};

export type CredentialDoor = Awaited<ReturnType<typeof openCredentialDoor>>;
