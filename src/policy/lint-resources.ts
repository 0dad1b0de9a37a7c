/** Kinds of resources that are declared and then left alone: never named, never anybody's, never given back. */
import type { Policy } from '../model/policy.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { Route } from '../model/route.ts';
import { type ListedRoute, listedRoutes, type Subject, type Warning, type WarningCode, warn } from './lint-warning.ts';
import { spokenKinds } from './lint-websocket.ts';

interface Lives {
  /** Named by a route or an event. */
  readonly used: ReadonlySet<string>;
  /** Becomes somebody's. */
  readonly given: ReadonlySet<string>;
  /** Becomes somebody's because a client names an id of its own choice. */
  readonly chosen: ReadonlySet<string>;
  readonly released: ReadonlySet<string>;
}

/** Returns the kinds whose ids clients choose. */
export const chosenKinds = (policy: Policy): ReadonlySet<string> =>
  new Set([...kindsOf(policy.routes, 'create', 'claim'), ...spokenKinds(policy).chosen]);

/** Returns the first of the warnings that is true of each kind, and that of the missing probe. */
export const resourceWarnings = (subject: Subject): readonly Warning[] => {
  const lives = livesOf(subject);
  return subject.sources.flatMap((source) =>
    Object.keys(source.policy.resources).flatMap((name) => {
      const kind = subject.policy.resources.get(name);
      if (kind === undefined) return [];
      const spot = { source, path: ['resources', name], at: 'key' as const };
      return codesOf(kind, lives, subject.policy).map((code) => warn(code, spot, name));
    }),
  );
};

const codesOf = (kind: ResourceKind, lives: Lives, { resources }: Policy): readonly WarningCode[] => {
  const { name } = kind;
  if (!lives.used.has(name)) return ['resource-unused'];
  if (!lives.given.has(name)) return ['resource-without-origin'];
  const codes: WarningCode[] = [];
  if (!isReleased(kind, lives.released, resources)) codes.push('resource-never-released');
  if (lives.chosen.has(name) && kind.probe === undefined) codes.push('resource-not-probed');
  return codes;
};

/** Deleting a parent takes its children along. Circles of parents are a fault. */
const isReleased = (kind: ResourceKind, released: ReadonlySet<string>, kinds: Policy['resources']): boolean => {
  let one: ResourceKind | undefined = kind;
  while (one !== undefined && !released.has(one.name))
    one = one.parent === undefined ? undefined : kinds.get(one.parent);
  return one !== undefined;
};

const livesOf = (subject: Subject): Lives => {
  const { policy } = subject;
  const events = policy.sockets.flatMap(({ deliver }) => [...deliver.values()]);
  const types = events.flatMap((event) => [...event.types.values()]);
  const heard = types.flatMap(({ learn }) => learn);
  const answered = policy.routes.flatMap(answerKinds);
  const chosen = chosenKinds(policy);
  const spoken = spokenKinds(policy);
  const learned = [...heard.map(({ kind }) => kind.name), ...answered.flatMap(({ learn }) => learn), ...spoken.learned];
  return {
    used: new Set([
      ...kindsOf(policy.routes),
      ...answered.flatMap(({ keep }) => keep),
      ...events.flatMap(({ owner, agree }) => [owner, ...agree]).map(({ kind }) => kind.name),
      ...types.flatMap(({ opens }) => opens?.kind.name ?? []),
      ...listedRoutes(subject).flatMap(citedKinds),
      ...spoken.named,
      ...learned,
    ]),
    given: new Set([...chosen, ...learned]),
    chosen,
    released: kindsOf(policy.routes, 'release'),
  };
};

const kindsOf = (routes: readonly Route[], ...verbs: readonly string[]): ReadonlySet<string> =>
  new Set(
    routes.flatMap(({ uses }) =>
      uses.filter(({ verb }) => verbs.length === 0 || verbs.includes(verb)).map(({ kind }) => kind.name),
    ),
  );

const answerKinds = ({ answer }: Route): { readonly keep: readonly string[]; readonly learn: readonly string[] } => {
  if (answer.kind === 'rows') return { keep: [answer.resource.name], learn: [] };
  if (answer.kind === 'stream') return { keep: [], learn: [] };
  const names = (rules: ReadonlyArray<{ readonly resource: ResourceKind }>) =>
    rules.map(({ resource }) => resource.name);
  return { keep: names(answer.keep), learn: names(answer.learn) };
};

const citedKinds = ({ written: { body } }: ListedRoute): readonly string[] =>
  body?.references === undefined ? [] : [body.references];
