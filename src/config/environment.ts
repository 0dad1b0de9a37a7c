/** The environment, read here and nowhere else: settings that go before those of the file, and secrets. */
import type { Fault } from '../policy/fault.ts';
import {
  isRedisUrl,
  mayHoldPassword,
  PORT_FORM,
  parsePort,
  parseUpstream,
  REDIS_FORM,
  UPSTREAM_FORM,
} from './values.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** Settings that replace the file's. */
export interface Overrides {
  readonly port?: number;
  readonly adminPort?: number;
  readonly upstreamUrl?: string;
  readonly redisUrl?: string;
}

const REDIS_URL = 'JAAZ_GATEWAY_REDIS_URL';

/** Returns the variables of this process. */
export const processVariables = (): Variables => process.env;

/** Returns the name of the variable that holds the secret of an issuer. */
export const secretVariable = (issuer: string): string =>
  `JAAZ_GATEWAY_ISSUER_${issuer.toUpperCase().replaceAll('-', '_')}_SECRET`;

/** Returns the name of the variable that holds the secret by which an issuer's login service knows the gateway. */
export const clientSecretVariable = (issuer: string): string =>
  secretVariable(issuer).replace(/SECRET$/, 'CLIENT_SECRET');

/** Returns the name of the variable that holds the secret with which an issuer is asked about tokens. */
export const introspectionSecretVariable = (issuer: string): string =>
  secretVariable(issuer).replace(/SECRET$/, 'INTROSPECTION_SECRET');

/** Seals what is kept of sessions. Several, with commas: the first one seals, all of them open. */
export const SESSION_SECRET = 'JAAZ_GATEWAY_SESSION_SECRET';

/** Returns a variable's value; one that is empty counts as not set. */
export function readVariable(variables: Variables, name: string): string | undefined {
  const value = variables[name];
  return value === '' ? undefined : value;
}

/** Returns what the environment sets, or every fault in it. */
export function readOverrides(variables: Variables): { overrides: Overrides; faults: Fault[] } {
  const faults: Fault[] = [];

  function read<T>(name: string, expected: string, parse: (text: string) => T | undefined): T | undefined {
    const text = readVariable(variables, name);
    if (text === undefined || isServiceLink(text)) return undefined;
    const value = parse(text);
    const secret = name === REDIS_URL || mayHoldPassword(text);
    if (value === undefined) faults.push(variableFault(name, expected, secret ? undefined : text));
    return value;
  }

  const port = read('JAAZ_GATEWAY_PORT', PORT_FORM, parsePort);
  const adminPort = read('JAAZ_GATEWAY_ADMIN_PORT', PORT_FORM, parsePort);
  const upstreamUrl = read('JAAZ_GATEWAY_UPSTREAM_URL', UPSTREAM_FORM, parseUpstream);
  const redisUrl = read(REDIS_URL, REDIS_FORM, (text) => (isRedisUrl(text) ? text : undefined));
  const overrides = {
    ...(port !== undefined && { port }),
    ...(adminPort !== undefined && { adminPort }),
    ...(upstreamUrl !== undefined && { upstreamUrl }),
    ...(redisUrl !== undefined && { redisUrl }),
  };
  return { overrides, faults };
}

/** Returns a fault that stands in no file. `found` is left out where it could be a secret. */
export function variableFault(name: string, expected: string, found: string | undefined): Fault {
  const told = found === undefined ? {} : { found: JSON.stringify(found.slice(0, 80)) };
  return { file: name, line: 0, column: 0, message: 'this environment variable is not acceptable', expected, ...told };
}

/**
 * Kubernetes sets JAAZ_GATEWAY_PORT to such an address in every pod beside a service called jaaz-gateway. It is not
 * meant for us.
 */
const isServiceLink = (text: string): boolean => /^(?:tcp|udp|sctp):\/\//.test(text);
