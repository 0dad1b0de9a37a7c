/** What the route would make of a request that passes as it came: run on what was read of it, of which nothing is sent. */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { judging } from '../model/evidence.ts';
import type { GrantInShadow } from '../model/grant.ts';
import type { JsonObject } from '../model/json.ts';
import type { Principal } from '../model/principal.ts';
import type { RouteMatch } from '../model/route.ts';
import { type RewriteOptions, targetAsSent, targetOf } from './rewrite.ts';

export type Changes = (grant: GrantInShadow, match: RouteMatch, principal: Principal | undefined) => Promise<void>;

/** Returns the judge: whether the request would be changed or refused is in the Grant's evidence then. Never rejects. */
export const changes = ({ catalogue, writeJson }: Pick<RewriteOptions, 'catalogue' | 'writeJson'>): Changes => {
  const digest = async (value: JsonObject, bytes: number): Promise<string> => {
    const hash = createHash('sha256');
    for (const piece of await writeJson(value, bytes)) {
      hash.update(piece);
      if (bytes > LARGE_BYTES) await nextTurn();
    }
    return hash.digest('base64');
  };

  const changesBody: (...given: Parameters<Changes>) => Promise<boolean> = async (
    { request },
    { route },
    principal,
  ) => {
    if (request.body.kind !== 'json' || route.operations.length === 0) return false;
    const { canonical } = request;
    const { value, bytes } = request.body;
    const before = await digest(value, bytes);
    for (const operation of route.operations) await operation(value, { canonical, principal, catalogue });
    return (await digest(value, bytes)) !== before;
  };

  return async (grant, match, principal) => {
    const { evidence } = grant.shadow;
    const isChanged = await judging(evidence, async () => {
      const sent = targetAsSent(grant.request.canonical, match.route.tokenInQuery === true);
      const target = pieces(targetOf(grant, match, principal)) !== pieces(sent);
      return (await changesBody(grant, match, principal)) || target;
    });
    if (isChanged === true) evidence.findings.push({ would: 'change', what: 'request' });
  };
};

const LARGE_BYTES = 1024 * 1024;

/** The order of parameters is the route's, and says nothing. */
const pieces = (target: string): string =>
  target
    .split(/[?&]/)
    .sort((one, other) => (one < other ? -1 : 1))
    .join('&');
