/** From gateway.yaml, the environment and the flags to a Config. Flag goes before environment before file before default. */
import { dirname, resolve } from 'node:path';
import { durationMillis, sizeBytes } from '../policy/amounts.ts';
import { faultAt, readDocument, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import type { AssertionSettings, Config, SocketLimits } from './config.ts';
import { existingPolicies, inconsistencies, sessionSecrets } from './consistency.ts';
import { type Overrides, readOverrides, type Variables } from './environment.ts';
import { resolveIssuer } from './resolve-issuer.ts';
import { checkGatewayFile, type FileAssertion, type FileSockets, type GatewayFile } from './schema.ts';

export interface LoadOptions {
  readonly file: string;
  /** Already of the right form: a wrong flag is a wrong use of the command. */
  readonly flags?: Overrides;
  readonly variables: Variables;
}

export type LoadResult =
  | { readonly config: Config }
  /** With the policies that are named and there, so that their faults can be told as well. */
  | { readonly faults: readonly Fault[]; readonly policies: readonly string[] };

/** Returns the Config, or every fault of the file and of the environment. Starts nothing, creates nothing. */
export function loadConfig(options: LoadOptions): LoadResult {
  const { flags = {}, variables } = options;
  const environment = readOverrides(variables);
  const read = readDocument(options.file);
  if ('faults' in read) return { faults: [...read.faults, ...environment.faults], policies: [] };
  const { document } = read;
  const overrides = { ...environment.overrides, ...flags };
  const checked = checkGatewayFile(document);
  const faults = [
    ...('faults' in checked ? checked.faults : []),
    ...inconsistencies(document, variables),
    ...('value' in checked ? sharedPort(document, checked.value, overrides) : []),
    ...('value' in checked ? missingUpstream(document, checked.value, overrides) : []),
    ...('value' in checked ? missingRedis(document, checked.value, overrides) : []),
    ...environment.faults,
  ].sort(byPlace);
  if ('faults' in checked || faults.length > 0) return { faults, policies: existingPolicies(document) };
  return { config: resolveConfig(resolve(options.file), checked.value, { overrides, variables }) };
}

/** In the order of the file; what stands in no file comes last. */
function byPlace(a: Fault, b: Fault): number {
  const line = (fault: Fault): number => (fault.line === 0 ? Number.POSITIVE_INFINITY : fault.line);
  return line(a) === line(b) ? a.column - b.column : line(a) - line(b);
}

function missingUpstream(document: YamlDocument, file: GatewayFile, overrides: Overrides): Fault[] {
  if ((overrides.upstreamUrl ?? file.upstream?.url) !== undefined) return [];
  return [faultAt(document, [], { message: 'missing key "upstream"', expected: '{ url }' })];
}

function missingRedis(document: YamlDocument, file: GatewayFile, overrides: Overrides): Fault[] {
  if (file.sessions.store !== 'redis' || (overrides.redisUrl ?? file.redis?.url) !== undefined) return [];
  const message = 'sessions cannot be kept in Redis: none is configured';
  return [faultAt(document, ['sessions', 'store'], { message, found: 'redis', expected: 'ledger, or a redis.url' })];
}

/** Nothing administrative is ever reachable on the public listener. */
function sharedPort(document: YamlDocument, file: GatewayFile, overrides: Overrides): Fault[] {
  const port = overrides.port ?? file.listen.port;
  const adminPort = overrides.adminPort ?? file.admin.port;
  if (port !== adminPort || port === 0) return [];
  const message = 'the public and the admin listener have the same port';
  return [faultAt(document, ['admin', 'port'], { message, found: String(adminPort), expected: 'two ports' })];
}

interface Sources {
  readonly overrides: Overrides;
  readonly variables: Variables;
}

function resolveConfig(path: string, file: GatewayFile, { overrides, variables }: Sources): Config {
  const absolute = (written: string): string => resolve(dirname(path), written);
  const redisUrl = overrides.redisUrl ?? file.redis?.url;
  const assertion = file.upstream?.assertion;
  const upstreamUrl = overrides.upstreamUrl ?? file.upstream?.url ?? '';
  return {
    file: path,
    listen: {
      host: file.listen.host,
      port: overrides.port ?? file.listen.port,
      url: file.listen.url,
      hosts: file.listen.hosts,
      trustedProxies: file.listen['trusted-proxies'],
      origins: file.listen.origins,
    },
    admin: { host: file.admin.host, port: overrides.adminPort ?? file.admin.port },
    upstream: { url: new URL(upstreamUrl).origin, assertion: assertion && resolveAssertion(assertion) },
    issuers: file.issuers.map((issuer) => resolveIssuer(issuer, { absolute, variables })),
    ledger: { sqlite: absolute(file.ledger.sqlite) },
    redis: redisUrl === undefined ? undefined : { url: redisUrl },
    sockets: resolveSockets(file.sockets),
    sessions: {
      idleMillis: durationMillis(file.sessions.idle),
      lifetimeMillis: durationMillis(file.sessions.lifetime),
      store: file.sessions.store ?? (redisUrl === undefined ? 'ledger' : 'redis'),
      secrets: sessionSecrets(variables, file.sessions.secret),
    },
    policies: file.policies.map(absolute),
    audit: file.audit === 'off' ? undefined : { file: absolute(file.audit.file) },
    log: file.log,
  };
}

const resolveAssertion = (file: FileAssertion): AssertionSettings => ({
  header: file.header.toLowerCase(),
  algorithm: file.algorithm,
  audience: file.audience,
  lifetimeMillis: durationMillis(file.lifetime),
  rotateMillis: durationMillis(file.rotate),
});

const resolveSockets = (file: FileSockets): SocketLimits => ({
  perUser: file['per-user'],
  perAddress: file['per-address'],
  packetsPerSecond: file['packets-per-second'],
  burst: file.burst,
  waitingBytes: sizeBytes(file.waiting),
  connectMillis: durationMillis(file['connect-timeout']),
});
