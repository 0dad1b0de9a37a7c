/** Names that lead nowhere: limits and catalogues that nothing uses, roles that no token carries, cohorts of nobody. */
import { nearestWord } from './fault.ts';
import { type Spot, type Subject, type Warning, warn } from './lint-warning.ts';
import type { Source } from './scope.ts';

/** Returns a warning for each such name. */
export const nameWarnings = (subject: Subject): readonly Warning[] => [
  ...unused(subject, 'limits'),
  ...unused(subject, 'catalogues'),
  ...roleWarnings(subject),
  ...withOwnCohorts(subject).flatMap((source) => cohortWarnings(source, subject)),
];

/** A file that says nothing of modes has the very cohorts of the one that includes it: they are judged where they stand. */
const withOwnCohorts = ({ sources }: Subject): readonly Source[] =>
  sources.filter(
    ({ policy }, index) => sources.findIndex((other) => other.policy.cohorts === policy.cohorts) === index,
  );

const UNUSED = { limits: 'limit-unused', catalogues: 'catalogue-unused' } as const;

const unused = ({ sources }: Subject, section: keyof typeof UNUSED): readonly Warning[] => {
  const used = new Set(sources.flatMap(({ policy }) => usedNames[section](policy)));
  return sources.flatMap((source) =>
    Object.keys(source.policy[section])
      .filter((name) => !used.has(name))
      .map((name) => warn(UNUSED[section], { source, path: [section, name], at: 'key' }, name)),
  );
};

const usedNames: Readonly<Record<keyof typeof UNUSED, (policy: Source['policy']) => readonly string[]>> = {
  limits: ({ everywhere, routes }) => [
    ...everywhere,
    ...routes.flatMap(({ limits, run }) => [...limits, ...(run === undefined ? [] : [run.limit])]),
  ],
  catalogues: ({ routes }) =>
    routes.flatMap(({ rewrite }) => rewrite.flatMap((step) => ('catalogue' in step ? [step.catalogue.from] : []))),
};

interface UsedRole extends Spot {
  readonly role: string;
}

/** As authn/claims: a role that holds one of these is refused, and the whole token with it. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

const MAX_COMPARED = 100_000;

const roleWarnings = (subject: Subject): readonly Warning[] => {
  const roles = [
    ...subject.sources.flatMap(routeRoles),
    ...subject.sources.flatMap(socketRoles),
    ...withOwnCohorts(subject).flatMap(cohortRoles),
  ];
  const counts = new Map<string, number>();
  for (const { role } of roles) counts.set(role, (counts.get(role) ?? 0) + 1);
  const usual = [...counts].filter(([, count]) => count > 1).map(([role]) => role);
  // So many are no roles that somebody wrote by hand.
  const comparable = usual.length * (counts.size - usual.length) <= MAX_COMPARED;
  return roles.flatMap((used) => {
    if (UNPRINTABLE.test(used.role)) return [warn('role-impossible', used, JSON.stringify(used.role))];
    const near = comparable && counts.get(used.role) === 1 ? nearestWord(used.role, usual) : undefined;
    return near === undefined ? [] : [warn('role-misspelt', used, `${used.role}, and elsewhere ${near}`)];
  });
};

const routeRoles = (source: Source): readonly UsedRole[] =>
  source.policy.routes.flatMap(({ roles = [], when }, route) => [
    ...roles.map((role, index) => ({ role, source, path: ['routes', route, 'roles', index] })),
    ...conditionRoles(when).map((role) => ({ role, source, path: ['routes', route, 'when'] })),
  ]);

const socketRoles = (source: Source): readonly UsedRole[] =>
  source.policy.sockets.flatMap((socket, index) =>
    (socket.protocol === 'websocket' ? (socket.roles ?? []) : []).map((role, at) => ({
      role,
      source,
      path: ['sockets', index, 'roles', at],
    })),
  );

type Condition = Source['policy']['routes'][number]['when'];

const conditionRoles = (condition: Condition): readonly string[] => {
  if (condition === undefined) return [];
  if ('role' in condition) return [condition.role];
  if ('not' in condition) return conditionRoles(condition.not);
  const inner = 'all' in condition ? condition.all : 'any' in condition ? condition.any : [];
  return inner.flatMap(conditionRoles);
};

const cohortRoles = (source: Source): readonly UsedRole[] =>
  Object.entries(source.policy.cohorts).flatMap(([name, { roles }]) =>
    roles.map((role, index) => ({ role, source, path: ['cohorts', name, 'roles', index] })),
  );

const cohortWarnings = (source: Source, { issuers }: Subject): readonly Warning[] => {
  const warnings: Warning[] = [];
  let everybodyIn: string | undefined;
  for (const [name, { users, roles, percent }] of Object.entries(source.policy.cohorts)) {
    const spot = { source, path: ['cohorts', name] };
    if (everybodyIn !== undefined) {
      warnings.push(warn('cohort-unreachable', { ...spot, at: 'key' }, `${name}, after all are in ${everybodyIn}`));
    } else if (users.length + roles.length + percent === 0) {
      warnings.push(warn('cohort-unreachable', { ...spot, at: 'key' }, `${name} without users, roles and percent`));
    }
    if (percent === 100) everybodyIn ??= name;
    for (const [index, user] of users.entries()) {
      if (issuers.includes(user.slice(0, user.indexOf('|')))) continue;
      warnings.push(warn('cohort-user-unknown', { source, path: [...spot.path, 'users', index] }, user));
    }
  }
  return warnings;
};
