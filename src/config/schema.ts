/** The words of gateway.yaml and the form of each; what needs more than one of them is judged in consistency. */
import * as z from 'zod';
import { DURATION, durationMillis, SIZE, sizeBytes } from '../policy/amounts.ts';
import { checkDocument, type Schema, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import type { LogLevel } from '../telemetry/log.ts';
import { type FileIssuer, form, issuer, span, text } from './schema-issuer.ts';
import {
  isAddressRange,
  isListenHost,
  isOrigin,
  isPublicUrl,
  isRedisUrl,
  isServedHost,
  mayHoldPassword,
  PUBLIC_URL_FORM,
  parseUpstream,
  REDIS_FORM,
  UPSTREAM_FORM,
} from './values.ts';

/** What a file says, defaults filled in; paths and spans of time as they are written. */
export interface GatewayFile {
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly url?: string | undefined;
    readonly hosts?: readonly string[] | undefined;
    readonly 'trusted-proxies': readonly string[];
    readonly origins: readonly string[];
  };
  readonly admin: { readonly host: string; readonly port: number };
  readonly upstream?: { readonly url: string; readonly assertion?: FileAssertion | undefined } | undefined;
  readonly issuers: readonly FileIssuer[];
  readonly ledger: { readonly sqlite: string };
  readonly redis?: { readonly url: string } | undefined;
  readonly sockets: FileSockets;
  readonly sessions: FileSessions;
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

export interface FileSessions {
  readonly idle: string;
  readonly lifetime: string;
  readonly store?: 'ledger' | 'redis' | undefined;
  readonly secret?: string | undefined;
}

export interface FileAssertion {
  readonly header: string;
  readonly algorithm: 'ES256' | 'EdDSA';
  readonly audience: string;
  readonly lifetime: string;
  readonly rotate: string;
}

const CONNECT_MILLIS = { least: 1_000, most: 300_000 };
const WAITING_BYTES = { least: 1_048_576, most: 1_073_741_824 };

const port = z.int().min(0).max(65_535);
const host = form('an address or the name of a host', isListenHost);

const assertion = z.strictObject({
  header: form('the name of a header of its own, such as X-Jaaz-Assertion', isOwnHeader).default('X-Jaaz-Assertion'),
  algorithm: z.enum(['ES256', 'EdDSA']).default('ES256'),
  audience: text.default('jaaz'),
  lifetime: span('60s', { least: '1s', most: '10m' }).default('60s'),
  rotate: span('30d', { least: '1h', most: '366d' }).default('30d'),
});

const upstream = z.strictObject({
  url: form(UPSTREAM_FORM, (url) => parseUpstream(url) !== undefined),
  assertion: assertion.optional(),
});

const sessions = z.strictObject({
  idle: span('12h', { least: '1m', most: '366d' }).default('12h'),
  lifetime: span('7d', { least: '1m', most: '366d' }).default('7d'),
  store: z.enum(['ledger', 'redis']).optional(),
  secret: text.optional(),
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
      url: form(PUBLIC_URL_FORM, isPublicUrl).optional(),
      hosts: z.array(form('a host name, with or without a port', isServedHost)).min(1).optional(),
      'trusted-proxies': z.array(form('an address, or a range such as 10.0.0.0/8', isAddressRange)).default([]),
      origins: z.array(form('an origin such as https://app.example.com', isOrigin)).default([]),
    })
    .prefault({}),
  admin: z.strictObject({ host: host.default('127.0.0.1'), port: port.default(9090) }).prefault({}),
  upstream: upstream.optional(),
  issuers: z.array(issuer).min(1),
  ledger: z.strictObject({ sqlite: text.default('data/ownership.db') }).prefault({}),
  redis: z.strictObject({ url: form(REDIS_FORM, isRedisUrl) }).optional(),
  sockets: sockets.prefault({}),
  sessions: sessions.prefault({}),
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
  const isSecret = last === 'secret' || last === 'keys' || last === 'client-secret';
  return isSecret || path[0] === 'redis' || mayHoldPassword(value);
}

/** A header that means something to somebody already would be read for what it is not. */
function isOwnHeader(name: string): boolean {
  return /^(?=.{5,62}$)x-[a-z0-9]+(?:-[a-z0-9]+)+$/i.test(name) && !/^x-(?:user|forwarded|request|real)-/i.test(name);
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
