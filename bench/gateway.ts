/** The contender that this is all about: the gateway as it is delivered, with the delivered policy, limits lifted. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALIAS, AUDIENCE, ISSUER } from './identities.ts';
import { freePort, type Running, start, untilItWorks } from './processes.ts';

const ROOT = join(import.meta.dirname, '..');

export interface GatewayOptions {
  /** A folder of its own. */
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly keysFile: string;
  readonly ledgerFile: string;
  readonly redisPort: number | undefined;
  /** Where users log in, which is then the issuer. */
  readonly provider?: string | undefined;
  /** Node's own, before the program's name. */
  readonly flags?: readonly string[];
}

export interface StartedGateway {
  readonly process: Running;
  /** From the start of the process until /readyz answered 200. */
  readonly readyMillis: number;
}

/** Every limit by number is lifted, so that what is measured is counting and not refusing. */
const policyText = (): string =>
  readFileSync(join(ROOT, 'policies/jaaz.yaml'), 'utf8').replace(/points: \d+/g, 'points: 1000000000');

/** JSON is YAML. */
const configText = (options: GatewayOptions, adminPort: number): string =>
  JSON.stringify({
    listen: { host: '127.0.0.1', port: options.port },
    admin: { host: '127.0.0.1', port: adminPort },
    upstream: { url: `http://127.0.0.1:${options.upstreamPort}` },
    issuers: [
      {
        name: ALIAS,
        issuer: options.provider ?? ISSUER,
        audience: AUDIENCE,
        algorithms: ['RS256'],
        keys: { file: options.keysFile },
        claims: { user: 'sub', roles: 'roles' },
        ...(options.provider === undefined ? {} : { login: { 'client-id': 'gateway' } }),
      },
    ],
    ledger: { sqlite: 'ownership.db' },
    // All clients of the bench come from one.
    sockets: { 'per-address': 100_000 },
    ...(options.redisPort === undefined ? {} : { redis: { url: `redis://127.0.0.1:${options.redisPort}` } }),
    policies: ['policy.yaml'],
    audit: { file: 'audit.ndjson' },
  });

/** Starts a gateway on core 0, and resolves when it says that it is ready. */
export const startGateway = async (options: GatewayOptions): Promise<StartedGateway> => {
  const { folder, ledgerFile, flags = [] } = options;
  const adminPort = await freePort();
  mkdirSync(folder);
  copyFileSync(ledgerFile, join(folder, 'ownership.db'));
  writeFileSync(join(folder, 'policy.yaml'), policyText());
  const config = join(folder, 'gateway.yaml');
  writeFileSync(config, configText(options, adminPort));
  const gateway = start(0, [process.execPath, ...flags, join(ROOT, 'src/main.ts'), 'serve', '--config', config]);
  await untilItWorks(gateway, async () => {
    const { status } = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    if (status !== 200) throw new Error(`/readyz answered ${status}`);
  });
  return { process: gateway, readyMillis: performance.now() - gateway.startedAt };
};
