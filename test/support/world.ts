/** A whole system on free ports: the stand-in Jaaz, the gateway in front of it, an issuer, and a folder of their own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StandIn, startStandIn } from '../../demo/jaaz/server.ts';
import type { Config } from '../../src/config/config.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import type { Policy } from '../../src/model/policy.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { type TestIssuer, testIssuer } from './issuer.ts';

export interface World {
  readonly directory: string;
  readonly upstream: StandIn;
  readonly gateway: Gateway;
  readonly issuer: TestIssuer;
  readonly config: Config;
  /** The audit records so far, oldest first. */
  audit(): ReadonlyArray<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly policy?: Policy;
  readonly redisUrl?: string;
  readonly upstreamUrl?: string;
  readonly config?: Partial<Config>;
  readonly stepMillis?: number;
}

export const SOCKETS: Config['sockets'] = {
  perUser: 50,
  perAddress: 200,
  packetsPerSecond: 50,
  burst: 100,
  waitingBytes: 64 << 20,
  connectMillis: 10_000,
};

/** Returns the policy of a file; throws with its faults. */
export const policyOf = (...files: string[]): Policy => {
  const loaded = loadPolicy(files);
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
  return loaded.policy;
};

export const startWorld = async (options: WorldOptions = {}): Promise<World> => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-world-'));
  const upstream = await startStandIn({
    dataDir: join(directory, 'jaaz'),
    stepMillis: options.stepMillis ?? 2,
    recordRequests: true,
  });
  const issuer = await testIssuer(directory);
  const config: Config = {
    file: join(directory, 'gateway.yaml'),
    listen: { host: '127.0.0.1', port: 0, hosts: undefined, trustedProxies: [], url: undefined, origins: [] },
    admin: { host: '127.0.0.1', port: 0 },
    upstream: { url: options.upstreamUrl ?? upstream.url, assertion: undefined },
    issuers: [issuer.settings],
    ledger: { sqlite: join(directory, 'ownership.db') },
    redis: options.redisUrl === undefined ? undefined : { url: options.redisUrl },
    sockets: SOCKETS,
    sessions: { idleMillis: 3_600_000, lifetimeMillis: 86_400_000, store: 'ledger', secrets: [] },
    policies: ['policies/jaaz.yaml'],
    audit: { file: join(directory, 'audit.ndjson') },
    log: { level: 'warn' },
    ...options.config,
  };
  const log = createLog({ level: 'warn', file: join(directory, 'gateway.log') });
  const policy = options.policy ?? policyOf('policies/jaaz.yaml');
  const gateway = await startGateway({ config, policy, log });
  return {
    directory,
    upstream,
    gateway,
    issuer,
    config,
    audit: () => readLines(config.audit?.file),
    async close() {
      await gateway.close(200);
      await upstream.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

const readLines = (file: string | undefined): Array<Record<string, unknown>> =>
  file === undefined
    ? []
    : readFileSync(file, 'utf8')
        .split('\n')
        // The last line may still be being written; behind a whole one there is nothing.
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
