/** The headers of an answer: the upstream's less what is between it and us or could speak for us, then the policy's. */
import type { UpstreamAnswer } from '../model/response.ts';
import type { Route } from '../model/route.ts';

/** Never passed: state and origins are the gateway's to decide (contract, section 4: any Origin is reflected). */
const DROPPED =
  /^(?:set-cookie2?|server|x-powered-by|access-control-.*|clear-site-data|alt-svc|www-authenticate|x-request-id|strict-transport-security|content-security-policy-report-only|nel|report-to|ratelimit.*)$/;

/** Dropped besides where the body was read and written anew. */
const OF_THE_BYTES = new Set([
  'content-length',
  'content-encoding',
  'etag',
  'last-modified',
  'accept-ranges',
  'content-range',
  'content-md5',
  'digest',
  'transfer-encoding',
]);

/** Returns names and values alternating. `changed`: the body is not the upstream's bytes. */
export const answerHeaders = (answer: UpstreamAnswer, route: Route, changed: boolean): string[] => {
  const headers: string[] = ['x-content-type-options', 'nosniff'];
  for (const [name, value] of route.answerHeaders) headers.push(name, value);
  for (const name in answer.headers) {
    if (name === 'x-content-type-options' || route.answerHeaders.has(name) || DROPPED.test(name)) continue;
    if (changed && OF_THE_BYTES.has(name)) continue;
    const value = answer.headers[name];
    if (typeof value === 'string') headers.push(name, value);
    else if (value !== undefined) for (const each of value) headers.push(name, each);
  }
  return headers;
};
