/** The routes that a request was perhaps meant for, when it matches none. */
import type { PathSegment, Route } from '../model/route.ts';
import { nearestWord } from '../policy/fault.ts';

const MOST = 3;

/** Returns the ids of the routes that differ least from a method and a path, the nearest first; none when all are far. */
export const nearestRoutes = (routes: readonly Route[], method: string, path: string): readonly string[] => {
  const parts = path.split('/').slice(1);
  const near = routes
    .map((route) => ({ id: route.id, cost: distance(route.segments, parts) + (route.method === method ? 0 : 0.25) }))
    .filter(({ cost }) => cost <= Math.max(1, parts.length / 3))
    .sort((a, b) => a.cost - b.cost);
  const bound = (near[0]?.cost ?? 0) + 0.25;
  return near
    .filter(({ cost }) => cost <= bound)
    .slice(0, MOST)
    .map(({ id }) => id);
};

/** One for each segment that differs, or is there on one side only; less where it is merely misspelt. */
const distance = (segments: readonly PathSegment[], parts: readonly string[]): number => {
  let cost = 0;
  let alike = 0;
  for (let index = 0; index < Math.max(segments.length, parts.length); index += 1) {
    const segment = segments[index];
    const part = parts[index];
    if (segment?.kind === 'rest') break;
    if (segment === undefined || part === undefined) cost += 1;
    else if (segment.kind === 'literal') {
      const differs = difference(segment.text, part);
      cost += differs;
      alike += 1 - differs;
    }
  }
  // Parameters and rests match anything, which makes nothing near.
  return alike === 0 ? Number.POSITIVE_INFINITY : cost;
};

const difference = (text: string, part: string): number => {
  if (text === part) return 0;
  return nearestWord(part, [text]) === undefined ? 1 : 0.5;
};
