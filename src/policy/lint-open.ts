/** Routes of users on which nothing says whose it is: what one user may see or change there, all may. */
import type { PathSegment, Route } from '../model/route.ts';
import { type ListedRoute, listedRoutes, type Subject, type Warning, warn } from './lint-warning.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Returns at most one warning for each route that is open to all users and does not say that it is meant to be. */
export const openWarnings = (subject: Subject): readonly Warning[] => {
  const offered = new Set(
    subject.sources.flatMap(({ policy }) => Object.values(policy.catalogues).map(({ get }) => `GET ${get}`)),
  );
  return listedRoutes(subject)
    .filter(({ route, written }) => route.access === 'user' && !asksForRole(written) && !isShared(written))
    .flatMap((listed) => openWarning(listed, { offered, kinds: subject.policy.resources.keys() }));
};

const asksForRole = ({ roles, when }: ListedRoute['written']): boolean =>
  roles !== undefined || (when !== undefined && needsRole(when));

type Condition = NonNullable<ListedRoute['written']['when']>;

/** True when the condition holds for nobody without a role. */
const needsRole = (condition: Condition): boolean => {
  if ('all' in condition) return condition.all.some(needsRole);
  if ('any' in condition) return condition.any.every(needsRole);
  return 'role' in condition;
};

/** Marked so, answered by the gateway itself, or answered to everybody from one copy. */
const isShared = ({ shared, answer, cache }: ListedRoute['written']): boolean =>
  shared || answer !== undefined || cache !== undefined;

interface Known {
  /** What the policy itself names as the server's offer: the same for everybody. */
  readonly offered: ReadonlySet<string>;
  readonly kinds: Iterable<string>;
}

const openWarning = (listed: ListedRoute, { offered, kinds }: Known): readonly Warning[] => {
  const { route, written, source, path } = listed;
  const unchecked = uncheckedSegment(route);
  if (unchecked !== undefined) return [warn('parameter-unchecked', { source, path: [...path, 'match'] }, unchecked)];
  const named = uncheckedQuery(route, kinds);
  if (named !== undefined) {
    const at = written.query.indexOf(named);
    return [warn('parameter-unchecked', { source, path: [...path, 'query', at] }, named)];
  }
  if (isJudged(listed) || offered.has(written.match)) return [];
  return [warn(READING.has(route.method) ? 'list-unfiltered' : 'write-unowned', listed, route.id)];
};

/** True when something of the request or of the answer is held against what the caller owns, or confined to it. */
const isJudged = ({ route: { uses, references, answer }, written: { rewrite } }: ListedRoute): boolean => {
  if (uses.length > 0 || references !== undefined || answer.kind === 'rows') return true;
  if (rewrite.some((step) => 'scope-path' in step)) return true;
  return answer.kind === 'json' && answer.keep.length + answer.learn.length > 0;
};

const uncheckedSegment = ({ segments, uses }: Route): string | undefined => {
  const checked = new Set(uses.flatMap(({ at }) => (at.in === 'path' ? [at.name] : [])));
  const open = segments.find(
    (segment) => segment.kind === 'rest' || (segment.kind === 'parameter' && !checked.has(segment.name)),
  );
  return open && segmentText(open);
};

const segmentText = (segment: PathSegment): string =>
  segment.kind === 'literal' ? segment.text : segment.kind === 'rest' ? '*' : `{${segment.name}}`;

/** A query parameter that is named after a kind: ids are checked in the path and in the body, not there. */
const uncheckedQuery = ({ query }: Route, kinds: Iterable<string>): string | undefined => {
  const names = new Set([...kinds].flatMap((kind) => [kind, `${kind}_id`, `${kind}id`]));
  return [...query].find((name) => names.has(name.toLowerCase().replaceAll('-', '_')));
};
