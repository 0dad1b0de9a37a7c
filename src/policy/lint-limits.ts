/** Routes that let one caller use up what is there for all. */
import { type ListedRoute, listedRoutes, type Subject, type Warning, warn } from './lint-warning.ts';

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Returns a warning for each route that writes without a limit, and for each generator without a rate of its own. */
export const limitWarnings = (subject: Subject): readonly Warning[] =>
  listedRoutes(subject)
    .filter(({ route }) => route.access !== 'denied')
    .flatMap((listed) => (generates(listed) ? generator(listed, subject) : writer(listed)));

/** True when a request of this route starts work: it is a run, or it chooses what the server is to work with. */
const generates = ({ written: { run, rewrite } }: ListedRoute): boolean =>
  run !== undefined || rewrite.some((step) => 'catalogue' in step);

const generator = (listed: ListedRoute, { sources }: Subject): readonly Warning[] => {
  const isByUser = (name: string): boolean =>
    sources.some(({ policy }) => {
      const limit = policy.limits[name];
      return limit !== undefined && 'points' in limit && limit.by === 'user';
    });
  return listed.written.limits.some(isByUser) ? [] : [warn('generator-unlimited', listed, listed.written.id)];
};

const writer = (listed: ListedRoute): readonly Warning[] => {
  const { method, access, limits, id } = listed.route;
  const holding = access === 'public' ? limits.address : limits.user;
  return READING.has(method) || holding.length > 0 ? [] : [warn('write-unlimited', listed, id)];
};
