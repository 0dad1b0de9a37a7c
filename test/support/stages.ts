/** Model values for the tests of single stages, made by the real stages before them. */
import { read } from '../../src/body/read.ts';
import type { Policy } from '../../src/model/policy.ts';
import type { Principal } from '../../src/model/principal.ts';
import type { ReadRequest } from '../../src/model/request.ts';
import type { RouteMatch } from '../../src/model/route.ts';
import { formatFault } from '../../src/policy/fault.ts';
import { parsePolicy } from '../../src/policy/load.ts';
import { canonical } from '../../src/server/canonical.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });
const readBody = read();

/** Returns somebody of the issuer `test`; the owner is `test|<user>`. */
export const principalOf = (user: string, roles: readonly string[] = []): Principal =>
  ({
    owner: `test|${user}`,
    issuer: 'test',
    user,
    roles,
    tokenId: undefined,
    expiresAtMillis: Number.MAX_SAFE_INTEGER,
  }) as unknown as Principal;

/** Returns the policy of a text, or throws with its faults. */
export const policyFrom = (text: string): Policy => {
  const loaded = parsePolicy({ file: 'p.yaml', text });
  if ('faults' in loaded) throw new Error(loaded.faults.map(formatFault).join('\n'));
  return loaded.policy;
};

/** Returns the faults of a policy's text as lines; none when it loads. */
export const faultsOf = (text: string): string[] => {
  const loaded = parsePolicy({ file: 'p.yaml', text });
  return 'faults' in loaded ? loaded.faults.map(formatFault) : [];
};

export interface Arriving {
  readonly method: string;
  readonly target: string;
  /** Names and values alternating, besides Host and what a body needs. */
  readonly headers?: readonly string[];
  /** A value is sent as JSON, a text or bytes as they are. */
  readonly body?: unknown;
}

export interface Arrived {
  readonly request: ReadRequest;
  readonly match: RouteMatch;
}

/** Lives a request as far as its body; throws the Rejection of a stage on the way. */
export const arrive = async (policy: Policy, { method, target, headers = [], body }: Arriving): Promise<Arrived> => {
  const bytes =
    body === undefined || Buffer.isBuffer(body)
      ? body
      : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const framing =
    bytes === undefined ? [] : ['Content-Length', String(bytes.length), 'Content-Type', 'application/json'];
  const given = new Set(headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
  const rawHeaders = ['Host', 'gateway.example', ...headers];
  for (let index = 0; index < framing.length; index += 2) {
    const [name = '', value = ''] = framing.slice(index);
    if (!given.has(name.toLowerCase())) rawHeaders.push(name, value);
  }
  const canonicalRequest = canonicalize({ method, target, rawHeaders, remoteAddress: '192.0.2.1' });
  const match = policy.match(canonicalRequest.method, canonicalRequest.path);
  if (match === undefined) throw new Error(`no route for ${method} ${target}`);
  return { request: await readBody(canonicalRequest, match, bytes === undefined ? undefined : once(bytes)), match };
};

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
