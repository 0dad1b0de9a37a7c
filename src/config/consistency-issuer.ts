/** What the settings of one issuer ask of one another, and of the environment. */
import { SERVICE_ALIAS } from '../authn/issuer.ts';
import { faultAt, type YamlDocument } from '../policy/document.ts';
import type { Fault } from '../policy/fault.ts';
import { FROM_ENVIRONMENT, list, type Mapping, mapping, missingFile, type Path, secretOf } from './as-written.ts';
import {
  clientSecretVariable,
  introspectionSecretVariable,
  readVariable,
  secretVariable,
  type Variables,
  variableFault,
} from './environment.ts';
import { isKeysUrl, KEYS_URL_FORM } from './values.ts';

/** RFC 7518 section 3.2: a key as long as the hash, or longer. */
const MIN_SECRET_BYTES = 32;

interface Subject {
  readonly document: YamlDocument;
  readonly variables: Variables;
  readonly issuer: Mapping;
  readonly path: Path;
}

/** Returns every fault of an issuer that only shows when the whole of it is looked at. */
export function issuerFaults(subject: Subject): Fault[] {
  return [
    ...aliasFaults(subject),
    ...keyFaults(subject),
    ...purposeFaults(subject),
    ...unusedFaults(subject),
    ...tenantFaults(subject),
    ...loginFaults(subject),
    ...introspectionFaults(subject),
  ];
}

const at = ({ document, path }: Subject, below: Path, words: Parameters<typeof faultAt>[2]): Fault =>
  faultAt(document, [...path, ...below], words);

function aliasFaults(subject: Subject): Fault[] {
  if (subject.issuer.name !== SERVICE_ALIAS) return [];
  const message = 'this is the alias of the service accounts, whose keys the gateway makes itself';
  return [at(subject, ['name'], { message, found: SERVICE_ALIAS, expected: 'another' })];
}

function keyFaults(subject: Subject): Fault[] {
  const { document, path, issuer } = subject;
  const keys = mapping(issuer.keys);
  const faults = missingFile(document, keys.file, [...path, 'keys', 'file']);
  const variable = secretVariable(String(issuer.name));
  if (typeof keys.secret === 'string')
    faults.push(...secretFaults(subject, ['keys', 'secret'], { variable, minBytes: MIN_SECRET_BYTES }));
  // Without keys of one kind or the other the algorithms say nothing yet.
  return Object.keys(keys).length === 0 ? faults : [...faults, ...algorithmFaults(subject, 'secret' in keys)];
}

/** An issuer of which nothing is accepted is a mistake, and so is a token that says for whom it is and nobody asks. */
function purposeFaults(subject: Subject): Fault[] {
  const { issuer } = subject;
  if (typeof issuer.name !== 'string') return [];
  const verified = ['keys', 'introspection'].filter((key) => issuer[key] !== undefined);
  if (verified.length === 0 && issuer.login === undefined) {
    const message = 'nothing of this issuer could be accepted';
    return [at(subject, [], { message, expected: 'keys, introspection or login' })];
  }
  if (verified.length === 0 || issuer.audience !== undefined) return [];
  return [at(subject, [], { message: 'missing key "audience"', expected: 'whom a token must be meant for' })];
}

/** What is written and holds for nothing makes its author believe that it does. */
function unusedFaults(subject: Subject): Fault[] {
  const { keys, introspection, login, audience, algorithms, types } = subject.issuer;
  const fault = (key: string, expected: string): Fault =>
    at(subject, [key], { message: 'nothing of this issuer is judged by it', expected });
  return [
    ...(audience === undefined || login === undefined || (keys ?? introspection) !== undefined
      ? []
      : [fault('audience', 'keys or introspection beside it')]),
    ...(algorithms === undefined || keys !== undefined
      ? []
      : [fault('algorithms', login === undefined ? 'keys beside it' : 'keys beside it, or login.algorithms')]),
    ...(types === undefined || keys !== undefined ? [] : [fault('types', 'keys beside it')]),
  ];
}

function tenantFaults(subject: Subject): Fault[] {
  const { tenants, claims } = subject.issuer;
  if (tenants === undefined || mapping(claims).tenant !== undefined) return [];
  const message = 'nobody would be let in: no claim names the tenant of a user';
  return [at(subject, ['tenants'], { message, expected: 'a claims.tenant beside it' })];
}

function loginFaults(subject: Subject): Fault[] {
  const { issuer } = subject;
  const login = mapping(issuer.login);
  if (issuer.login === undefined) return [];
  const faults: Fault[] = [];
  if (typeof issuer.issuer === 'string' && !isKeysUrl(issuer.issuer)) {
    const message = 'a provider where people log in is found by its issuer';
    faults.push(at(subject, ['issuer'], { message, found: JSON.stringify(issuer.issuer), expected: KEYS_URL_FORM }));
  }
  if (typeof login['client-secret'] === 'string') {
    const variable = clientSecretVariable(String(issuer.name));
    faults.push(...secretFaults(subject, ['login', 'client-secret'], { variable, minBytes: 1 }));
  }
  return faults;
}

function introspectionFaults(subject: Subject): Fault[] {
  const { issuer } = subject;
  if (typeof mapping(issuer.introspection)['client-secret'] !== 'string') return [];
  const variable = introspectionSecretVariable(String(issuer.name));
  return secretFaults(subject, ['introspection', 'client-secret'], { variable, minBytes: 1 });
}

/** Returns a fault for each secret that is read from the variable of another one: `corp-client` and the client of `corp`. */
export function sharedVariables(document: YamlDocument, issuers: readonly Mapping[]): Fault[] {
  const first = new Map<string, number>();
  const faults: Fault[] = [];
  for (const [index, issuer] of issuers.entries()) {
    for (const variable of variablesOf(issuer)) {
      const earlier = first.get(variable);
      if (earlier === undefined) first.set(variable, index);
      else if (earlier !== index) {
        const message = `a secret of issuers[${earlier}] is read from the same variable, ${variable}`;
        faults.push(faultAt(document, ['issuers', index, 'name'], { message, expected: 'another name' }));
      }
    }
  }
  return faults;
}

function variablesOf({ name, keys, login, introspection }: Mapping): string[] {
  if (typeof name !== 'string') return [];
  return [
    ...(typeof mapping(keys).secret === 'string' ? [secretVariable(name)] : []),
    ...(typeof mapping(login)['client-secret'] === 'string' ? [clientSecretVariable(name)] : []),
    ...(typeof mapping(introspection)['client-secret'] === 'string' ? [introspectionSecretVariable(name)] : []),
  ];
}

interface SecretTerms {
  readonly variable: string;
  readonly minBytes: number;
}

function secretFaults(subject: Subject, below: Path, { variable, minBytes }: SecretTerms): Fault[] {
  const { variables, issuer } = subject;
  const written = below.reduce<unknown>((value, key) => mapping(value)[String(key)], issuer);
  const secret = secretOf(variables, variable, typeof written === 'string' ? written : FROM_ENVIRONMENT);
  if (secret === undefined)
    return [at(subject, below, { message: 'the environment holds no secret', expected: `the variable ${variable}` })];
  const bytes = Buffer.byteLength(secret);
  if (bytes >= minBytes) return [];
  const expected = `a secret of ${minBytes} bytes or more`;
  if (readVariable(variables, variable) !== undefined) return [variableFault(variable, expected, undefined)];
  return [at(subject, below, { message: 'the secret is too short', found: `${bytes} bytes`, expected })];
}

/** A public key must never serve as the secret of an HMAC (RFC 8725 section 2.1), nor a secret as anything else. */
function algorithmFaults(subject: Subject, isSecret: boolean): Fault[] {
  return list(subject.issuer.algorithms).flatMap((algorithm, index) => {
    if (typeof algorithm !== 'string' || (algorithm === 'HS256') === isSecret) return [];
    const message = isSecret ? 'this algorithm cannot use a secret' : 'this algorithm needs a secret, not public keys';
    const expected = isSecret ? 'HS256 alone' : 'an algorithm of public keys, such as RS256';
    return [at(subject, ['algorithms', index], { message, found: algorithm, expected })];
  });
}
