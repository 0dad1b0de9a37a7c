/** What a compiled policy is tried with before it goes live: cheap, and independent of how it was compiled. */
import type { Policy } from '../model/policy.ts';
import type { Route } from '../model/route.ts';

/** No route has this method, so no request with it may reach one. */
const UNLISTED_METHOD = 'UNLISTED';

const MAX_TOLD = 10;

/** Returns in sentences what the policy does otherwise than its own routes say; nothing when all is well. */
export const selfTest = (policy: Policy): string[] => {
  const sample = sampleSegment(policy.routes);
  const wrong = policy.routes.flatMap((route) => [
    ...mismatch(policy, route, { method: route.method, path: pathOf(route, sample) }),
    ...mismatch(policy, undefined, { method: UNLISTED_METHOD, path: pathOf(route, sample) }),
  ]);
  return wrong.slice(0, MAX_TOLD);
};

const mismatch = (
  policy: Policy,
  expected: Route | undefined,
  { method, path }: { readonly method: string; readonly path: string },
): string[] => {
  const found = policy.match(method, path)?.route;
  if (found === expected) return [];
  return [`self-test: ${method} ${path} reaches ${nameOf(found)} instead of ${nameOf(expected)}`];
};

const nameOf = (route: Route | undefined): string => (route === undefined ? 'no route' : `the route ${route.id}`);

const pathOf = ({ segments }: Route, sample: string): string =>
  `/${segments.map((segment) => (segment.kind === 'literal' ? segment.text : sample)).join('/')}`;

/** Returns a segment that is no route's own word. */
const sampleSegment = (routes: readonly Route[]): string => {
  const words = new Set(
    routes.flatMap(({ segments }) => segments.flatMap((segment) => (segment.kind === 'literal' ? segment.text : []))),
  );
  let sample = 'x';
  while (words.has(sample)) sample += 'x';
  return sample;
};
