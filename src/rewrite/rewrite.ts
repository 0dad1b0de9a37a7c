/**
 * REQUEST, INBOUND: builds what leaves for the upstream out of the parsed and checked parts. Nothing of the client's own
 * bytes is passed on: the target is rebuilt, the headers are a closed list, the body is our own serialisation.
 */
import type { Grant } from '../model/grant.ts';
import type { JsonObject } from '../model/json.ts';
import type { Principal } from '../model/principal.ts';
import type { MultipartPart, OutboundRequest } from '../model/request.ts';
import type { AnswerRule, CatalogueReader, RouteMatch } from '../model/route.ts';
import { outboundHeaders } from './headers.ts';

export interface RewriteOptions {
  readonly catalogue: CatalogueReader;
  /** Writes JSON as it was read: the reader's counterpart. */
  readonly writeJson: (value: JsonObject, bytes: number) => Promise<readonly Buffer[]>;
  readonly writeMultipart: (parts: readonly MultipartPart[]) => { contentType: string; body: readonly Buffer[] };
}

export type Rewrite = (
  grant: Grant,
  match: RouteMatch,
  principal: Principal | undefined,
) => OutboundRequest | Promise<OutboundRequest>;

/** Returns the stage: it returns the OutboundRequest, or throws a Rejection. */
export const rewrite = ({ catalogue, writeJson, writeMultipart }: RewriteOptions): Rewrite => {
  const withBody = async (grant: Grant, match: RouteMatch, principal: Principal | undefined) => {
    const { body } = grant.request;
    const outbound = frame(grant, match, principal);
    if (body.kind === 'json') {
      const context = { principal, catalogue };
      for (const operation of match.route.operations) await operation(body.value, context);
      outbound.headers.push('content-type', 'application/json');
      return { ...outbound, body: await writeJson(body.value, body.bytes) } as unknown as OutboundRequest;
    }
    if (body.kind === 'multipart') {
      const written = writeMultipart(body.parts);
      outbound.headers.push('content-type', written.contentType);
      return { ...outbound, body: written.body } as unknown as OutboundRequest;
    }
    return outbound as unknown as OutboundRequest;
  };

  return (grant, match, principal) =>
    grant.request.body.kind === 'none'
      ? (frame(grant, match, principal) as unknown as OutboundRequest)
      : withBody(grant, match, principal);
};

const frame = (grant: Grant, match: RouteMatch, principal: Principal | undefined) => {
  const { canonical } = grant.request;
  return {
    method: canonical.method,
    target: targetOf(grant, match),
    headers: outboundHeaders(canonical, principal, isRead(match.route.answer)),
    body: undefined,
    timeoutMillis: match.route.timeoutMillis,
  };
};

const isRead = (rule: AnswerRule): boolean => rule.kind !== 'stream' || rule.relative.length > 0;

const targetOf = ({ request: { canonical } }: Grant, { route, parameters }: RouteMatch): string => {
  let target = '';
  for (const segment of route.segments) {
    if (segment.kind === 'literal') target += `/${segment.text}`;
    else target += `/${parameters[segment.kind === 'rest' ? '*' : segment.name] ?? ''}`;
  }
  let separator = '?';
  for (const name of route.query) {
    const value = canonical.query.get(name);
    if (value === undefined) continue;
    target += `${separator}${name}=${encodeURIComponent(value)}`;
    separator = '&';
  }
  return target === '' ? '/' : target;
};
