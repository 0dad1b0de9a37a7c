/**
 * What one setting asks of another, of the environment or of the disk. It looks at the file as it stands, so that these
 * faults are told together with those of its form.
 */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { checkDocument, faultAt, type Schema, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import { readVariable, secretVariable, type Variables, variableFault } from './environment.ts';

/** RFC 7518 section 3.2: a key as long as the hash, or longer. */
const MIN_SECRET_BYTES = 32;

/** In the place of a secret: it is in the environment. */
const FROM_ENVIRONMENT = 'env';

type Path = readonly (string | number)[];

/** Returns every fault that only shows when the whole is looked at. */
export function inconsistencies(document: YamlDocument, variables: Variables): Fault[] {
  const file = mapping(content(document));
  const issuers = list(file.issuers).map(mapping);
  return [
    ...repeated(document, issuers, 'name'),
    ...repeated(document, issuers, 'issuer'),
    ...issuers.flatMap((issuer, index) => issuerFaults(document, { issuer, index, variables })),
    ...list(file.policies).flatMap((path, index) => missingFile(document, path, ['policies', index])),
  ];
}

/** Returns the policies that a file names, whatever else is wrong with it, as far as they are there. */
export function existingPolicies(document: YamlDocument): string[] {
  return list(mapping(content(document)).policies).flatMap((written) => {
    if (typeof written !== 'string') return [];
    const file = resolve(dirname(document.file), written);
    return isFile(file) ? [file] : [];
  });
}

/** Returns the secret of an issuer: the environment's before the file's. Undefined when neither has one. */
export function secretOf(variables: Variables, issuer: string, written: string): string | undefined {
  const given = readVariable(variables, secretVariable(issuer));
  return given ?? (written === FROM_ENVIRONMENT ? undefined : written);
}

interface Subject {
  readonly issuer: Readonly<Record<string, unknown>>;
  readonly index: number;
  readonly variables: Variables;
}

function issuerFaults(document: YamlDocument, subject: Subject): Fault[] {
  const keys = mapping(subject.issuer.keys);
  const path = ['issuers', subject.index, 'keys'];
  const faults = missingFile(document, keys.file, [...path, 'file']);
  if (typeof keys.secret === 'string') faults.push(...secretFaults(document, subject, keys.secret));
  // Without keys of one kind or the other the algorithms say nothing yet.
  if (Object.keys(keys).length === 0) return faults;
  return [...faults, ...algorithmFaults(document, subject, 'secret' in keys)];
}

function secretFaults(document: YamlDocument, { issuer, index, variables }: Subject, written: string): Fault[] {
  const name = String(issuer.name);
  const variable = secretVariable(name);
  const secret = secretOf(variables, name, written);
  const path = ['issuers', index, 'keys', 'secret'];
  if (secret === undefined) {
    return [
      faultAt(document, path, { message: 'the environment holds no secret', expected: `the variable ${variable}` }),
    ];
  }
  const bytes = Buffer.byteLength(secret);
  if (bytes >= MIN_SECRET_BYTES) return [];
  const expected = `a secret of ${MIN_SECRET_BYTES} bytes or more`;
  if (readVariable(variables, variable) !== undefined) return [variableFault(variable, expected, undefined)];
  return [faultAt(document, path, { message: 'the secret is too short', found: `${bytes} bytes`, expected })];
}

/** A public key must never serve as the secret of an HMAC (RFC 8725 section 2.1), nor a secret as anything else. */
function algorithmFaults(document: YamlDocument, { issuer, index }: Subject, isSecret: boolean): Fault[] {
  return list(issuer.algorithms).flatMap((algorithm, at) => {
    if (typeof algorithm !== 'string' || (algorithm === 'HS256') === isSecret) return [];
    const message = isSecret ? 'this algorithm cannot use a secret' : 'this algorithm needs a secret, not public keys';
    const expected = isSecret ? 'HS256 alone' : 'an algorithm of public keys, such as RS256';
    return [faultAt(document, ['issuers', index, 'algorithms', at], { message, found: algorithm, expected })];
  });
}

function repeated(
  document: YamlDocument,
  issuers: readonly Readonly<Record<string, unknown>>[],
  key: 'name' | 'issuer',
): Fault[] {
  const first = new Map<unknown, number>();
  return issuers.flatMap((issuer, index) => {
    const value = issuer[key];
    const earlier = first.get(value);
    if (typeof value !== 'string') return [];
    if (earlier === undefined) {
      first.set(value, index);
      return [];
    }
    const message = `issuers[${earlier}] has the same ${key}`;
    return [faultAt(document, ['issuers', index, key], { message, found: JSON.stringify(value), expected: 'another' })];
  });
}

function missingFile(document: YamlDocument, written: unknown, path: Path): Fault[] {
  if (typeof written !== 'string' || written === '') return [];
  const file = resolve(dirname(document.file), written);
  if (isFile(file)) return [];
  return [
    faultAt(document, path, { message: 'there is no such file', found: JSON.stringify(written), expected: file }),
  ];
}

/** The name may also be too long, or go through something that is no folder. */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

const asItIs: Schema<unknown> = { safeParse: (data) => ({ success: true, data }) };

function content(document: YamlDocument): unknown {
  const result = checkDocument(document, asItIs);
  return 'value' in result ? result.value : undefined;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const mapping = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
