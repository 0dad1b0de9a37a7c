/** Requests with a body, and the routes that take them, for tests that need no socket. */
import { ENFORCED } from '../../src/model/mode.ts';
import { Rejection } from '../../src/model/rejection.ts';
import type { CanonicalRequest } from '../../src/model/request.ts';
import type { BodyRule, RouteMatch } from '../../src/model/route.ts';
import { canonical } from '../../src/server/canonical.ts';

const canonicalize = canonical({ hosts: undefined, trustedProxies: [] });

/** Returns a POST with these headers, names and values alternating. */
export const post = (...headers: string[]): CanonicalRequest =>
  canonicalize({ method: 'POST', target: '/', rawHeaders: ['Host', 'x', ...headers], remoteAddress: '127.0.0.1' });

/** Returns the match of a route that takes such a body. */
export const routeTaking = (body: BodyRule): RouteMatch => ({
  parameters: {},
  route: {
    id: 'test',
    rollout: ENFORCED,
    method: 'POST',
    segments: [],
    access: 'user',
    roles: [],
    when: undefined,
    limits: { user: [], address: [] },
    run: undefined,
    query: new Set(),
    queryOperations: new Map(),
    body,
    uses: [],
    references: undefined,
    operations: [],
    forwardTo: undefined,
    cache: undefined,
    fixed: undefined,
    answer: { kind: 'stream', relative: [] },
    hidden: undefined,
    answerHeaders: new Map(),
    timeoutMillis: 1000,
  },
});

/** Gives out the chunks one by one, as a connection would. */
export async function* arriving(...chunks: readonly (Buffer | string)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    await new Promise((resolve) => setImmediate(resolve));
    yield Buffer.from(chunk);
  }
}

/** Returns the reason and status with which `attempt` is refused, or `accepted`; what is not a Rejection is thrown on. */
export async function refusalOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return `${error.reason} ${error.status}`;
  }
}
