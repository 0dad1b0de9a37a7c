/**
 * What one setting asks of another, of the environment or of the disk. It looks at the file as it stands, so that these
 * faults are told together with those of its form.
 */
import { dirname, resolve } from 'node:path';
import { DURATION, durationMillis } from '../policy/amounts.ts';
import { faultAt, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import { content, FROM_ENVIRONMENT, isFile, list, type Mapping, mapping, missingFile, secretOf } from './as-written.ts';
import { issuerFaults, sharedVariables } from './consistency-issuer.ts';
import { readVariable, SESSION_SECRET, type Variables, variableFault } from './environment.ts';

/** Returns every fault that only shows when the whole is looked at. */
export function inconsistencies(document: YamlDocument, variables: Variables): Fault[] {
  const file = mapping(content(document));
  const issuers = list(file.issuers).map(mapping);
  return [
    ...repeated(document, issuers, 'name'),
    ...repeated(document, issuers, 'issuer'),
    ...issuers.flatMap((issuer, index) => issuerFaults({ document, variables, issuer, path: ['issuers', index] })),
    ...introspected(document, issuers),
    ...sharedVariables(document, issuers),
    ...sessionFaults(document, mapping(file.sessions), variables),
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

/** An opaque token does not say whose it is, and is nobody's business but its issuer's. */
function introspected(document: YamlDocument, issuers: readonly Mapping[]): Fault[] {
  const all = issuers.flatMap(({ introspection }, index) => (introspection === undefined ? [] : [index]));
  return all.slice(1).map((index) => {
    const message = `issuers[${all[0]}] is asked about opaque tokens already`;
    return faultAt(document, ['issuers', index, 'introspection'], {
      message,
      expected: 'one issuer with introspection',
    });
  });
}

/** RFC 5869, section 3.3: what is stretched must be strong by itself. */
const MIN_SESSION_SECRET_BYTES = 32;

/** Returns the secrets that seal: none where the gateway makes one of its own. */
export function sessionSecrets(variables: Variables, written: string | undefined): readonly string[] {
  const text = secretOf(variables, SESSION_SECRET, written ?? FROM_ENVIRONMENT);
  return text === undefined ? [] : text.split(',').map((one) => one.trim());
}

function sessionFaults(document: YamlDocument, { secret, idle, lifetime }: Mapping, variables: Variables): Fault[] {
  const written = typeof secret === 'string' ? secret : undefined;
  const secrets = sessionSecrets(variables, written);
  const path = ['sessions', 'secret'];
  const faults: Fault[] = [];
  if (written === FROM_ENVIRONMENT && secrets.length === 0)
    faults.push(
      faultAt(document, path, {
        message: 'the environment holds no secret',
        expected: `the variable ${SESSION_SECRET}`,
      }),
    );
  if (secrets.some((one) => Buffer.byteLength(one) < MIN_SESSION_SECRET_BYTES)) {
    const expected = `secrets of ${MIN_SESSION_SECRET_BYTES} bytes or more, with commas between them`;
    const isGiven = readVariable(variables, SESSION_SECRET) !== undefined;
    faults.push(
      isGiven
        ? variableFault(SESSION_SECRET, expected, undefined)
        : faultAt(document, path, { message: 'a secret is too short', expected }),
    );
  }
  if (millisOf(idle) > millisOf(lifetime)) {
    const message = 'a session would end before it could be idle for so long';
    faults.push(
      faultAt(document, ['sessions', 'idle'], {
        message,
        found: String(idle),
        expected: `at most ${String(lifetime)}`,
      }),
    );
  }
  return faults;
}

/** What is no span is told where its form is judged. */
const millisOf = (span: unknown): number =>
  typeof span === 'string' && DURATION.test(span) ? durationMillis(span) : Number.NaN;

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
