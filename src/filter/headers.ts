/** The headers of an answer: the upstream's less what is between it and us or could speak for us, then the policy's. */
import type { UpstreamAnswer } from '../model/response.ts';
import type { Route } from '../model/route.ts';

/** Never passed: state, origins and reports are the gateway's to decide (contract, section 4: any Origin is reflected). */
const DROPPED =
  /^(?:set-cookie2?|server|x-powered-by|access-control-.*|clear-site-data|alt-svc|www-authenticate|x-request-id|x-content-type-options|strict-transport-security|content-security-policy-report-only|nel|report-to|reporting-endpoints|ratelimit.*)$/;

/** Dropped besides where the body was read and written anew. */
const OF_THE_BYTES =
  /^(?:content-length|content-encoding|etag|last-modified|accept-ranges|content-range|content-md5|digest|transfer-encoding)$/;

type Passing = 'always' | 'unchanged' | 'never';

/** The verdict on each name that an upstream ever sent; bounded, because an upstream may send what it was told. */
const verdicts = new Map<string, Passing>();
const MAX_VERDICTS = 1_000;

const passing = (name: string): Passing => {
  let verdict = verdicts.get(name);
  if (verdict === undefined) {
    verdict = DROPPED.test(name) ? 'never' : OF_THE_BYTES.test(name) ? 'unchanged' : 'always';
    if (verdicts.size < MAX_VERDICTS) verdicts.set(name, verdict);
  }
  return verdict;
};

/** Returns names and values alternating. `changed`: the body is not the upstream's bytes. */
export const answerHeaders = (answer: UpstreamAnswer, route: Route, changed: boolean): string[] => {
  const headers: string[] = ['x-content-type-options', 'nosniff'];
  for (const [name, value] of route.answerHeaders) headers.push(name, value);
  for (const name in answer.headers) {
    const verdict = passing(name);
    if (verdict === 'never' || (changed && verdict === 'unchanged') || route.answerHeaders.has(name)) continue;
    push(headers, name, answer.headers[name]);
  }
  return headers;
};

/** Returns the upstream's headers with nothing of a policy's: names and values alternating. */
export const headersAsTheyCame = (answer: UpstreamAnswer): string[] => {
  const headers: string[] = [];
  for (const name in answer.headers) {
    if (passing(name) !== 'never') push(headers, name, answer.headers[name]);
  }
  return headers;
};

const push = (headers: string[], name: string, value: string | readonly string[] | undefined): void => {
  if (typeof value === 'string') headers.push(name, value);
  else if (value !== undefined) for (const each of value) headers.push(name, each);
};
