/** The words of gateway.yaml and the form of each; what needs more than one of them is judged in consistency. */
import * as z from 'zod';
import { DURATION, durationMillis, SIZE, sizeBytes } from '../policy/amounts.ts';
import { checkDocument, type Schema, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import type { LogLevel } from '../telemetry/log.ts';
import {
  isAddressRange,
  isKeysUrl,
  isListenHost,
  isOrigin,
  isRedisUrl,
  isServedHost,
  KEYS_URL_FORM,
  mayHoldPassword,
  parseUpstream,
  REDIS_FORM,
  UPSTREAM_FORM,
} from './values.ts';

/** What a file says, defaults filled in; paths and spans of time as they are written. */
export interface GatewayFile {
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly hosts?: readonly string[] | undefined;
    readonly 'trusted-proxies': readonly string[];
    readonly origins: readonly string[];
  };
  readonly admin: { readonly host: string; readonly port: number };
  readonly upstream?: { readonly url: string } | undefined;
  readonly issuers: readonly FileIssuer[];
  readonly ledger: { readonly sqlite: string };
  readonly redis?: { readonly url: string } | undefined;
  readonly sockets: FileSockets;
  readonly policies: readonly string[];
  readonly audit: 'off' | { readonly file: string };
  readonly log: { readonly level: LogLevel };
}

export interface FileSockets {
  readonly 'per-user': number;
  readonly 'per-address': number;
  readonly 'packets-per-second': number;
  readonly burst: number;
  readonly waiting: string;
  readonly 'connect-timeout': string;
}

export interface FileIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string | readonly string[];
  readonly algorithms?: readonly string[] | undefined;
  readonly keys: { readonly url: string } | { readonly file: string } | { readonly secret: string };
  readonly claims: { readonly user: string; readonly roles: string };
  readonly types: readonly string[];
  readonly 'clock-tolerance': string;
}

/** Every algorithm that an issuer can be given. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'HS256',
] as const;

const MAX_TOLERANCE_MILLIS = 600_000;
const CONNECT_MILLIS = { least: 1_000, most: 300_000 };
const WAITING_BYTES = { least: 1_048_576, most: 1_073_741_824 };

const form = (expected: string, accepts: (text: string) => boolean) =>
  z.string().refine((text) => accepts(text), { params: { expected } });

const text = form('text that is not empty', (value) => value.trim() !== '');
const port = z.int().min(0).max(65_535);
const host = form('an address or the name of a host', isListenHost);

const issuer = z.strictObject({
  name: form('1 to 32 of a-z, 0-9 and -', (name) => /^[a-z0-9-]{1,32}$/.test(name)),
  issuer: text,
  audience: z.union([text, z.array(text).min(1)]),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
  keys: z.union([
    z.strictObject({ url: form(KEYS_URL_FORM, isKeysUrl) }),
    z.strictObject({ file: text }),
    z.strictObject({ secret: text }),
  ]),
  claims: z.strictObject({ user: text.default('sub'), roles: text.default('roles') }).prefault({}),
  types: z
    .array(form('a token type in lower case, without application/', (type) => /^[a-z0-9.+-]{1,64}$/.test(type)))
    .min(1)
    .default(['at+jwt', 'jwt']),
  'clock-tolerance': form('a span of time such as 30s or 1m, at most 10m', isTolerance).default('30s'),
});

const howMany = (most: number) => z.int().min(1).max(most);

const sockets = z.strictObject({
  'per-user': howMany(100_000).default(50),
  'per-address': howMany(1_000_000).default(200),
  'packets-per-second': howMany(100_000).default(50),
  burst: howMany(100_000).default(100),
  waiting: form('a size such as 64MiB, from 1MiB to 1GiB', isWaiting).default('64MiB'),
  'connect-timeout': form('a span of time such as 10s, from 1s to 5m', isConnectTimeout).default('10s'),
});

const schema: Schema<GatewayFile> = z.strictObject({
  listen: z
    .strictObject({
      host: host.default('0.0.0.0'),
      port: port.default(8080),
      hosts: z.array(form('a host name, with or without a port', isServedHost)).min(1).optional(),
      'trusted-proxies': z.array(form('an address, or a range such as 10.0.0.0/8', isAddressRange)).default([]),
      origins: z.array(form('an origin such as https://app.example.com', isOrigin)).default([]),
    })
    .prefault({}),
  admin: z.strictObject({ host: host.default('127.0.0.1'), port: port.default(9090) }).prefault({}),
  upstream: z.strictObject({ url: form(UPSTREAM_FORM, (url) => parseUpstream(url) !== undefined) }).optional(),
  issuers: z.array(issuer).min(1),
  ledger: z.strictObject({ sqlite: text.default('data/ownership.db') }).prefault({}),
  redis: z.strictObject({ url: form(REDIS_FORM, isRedisUrl) }).optional(),
  sockets: sockets.prefault({}),
  policies: z.array(text).min(1),
  audit: z.union([z.literal('off'), z.strictObject({ file: text.default('data/audit.ndjson') })]).prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
});

/** Returns what a gateway.yaml says, or every fault in its form. Values that are or hold secrets are not repeated. */
export function checkGatewayFile(document: YamlDocument): { value: GatewayFile } | { faults: readonly Fault[] } {
  return checkDocument(document, schema, { conceal });
}

function conceal(path: readonly (string | number)[], value: unknown): boolean {
  const last = path.at(-1);
  return last === 'secret' || last === 'keys' || path[0] === 'redis' || mayHoldPassword(value);
}

function isTolerance(span: string): boolean {
  return span === '0s' || (DURATION.test(span) && durationMillis(span) <= MAX_TOLERANCE_MILLIS);
}

function isWaiting(size: string): boolean {
  if (!SIZE.test(size)) return false;
  const bytes = sizeBytes(size);
  return bytes >= WAITING_BYTES.least && bytes <= WAITING_BYTES.most;
}

function isConnectTimeout(span: string): boolean {
  if (!DURATION.test(span)) return false;
  const millis = durationMillis(span);
  return millis >= CONNECT_MILLIS.least && millis <= CONNECT_MILLIS.most;
}
