/** What is wrong with the declarations of a policy although each of them is right: seen only by a look at all files. */
import { faultAt } from './document.ts';
import type { Fault } from './fault.ts';
import { addFault, type Scope, type Source } from './scope.ts';

/** Each request asks for each limit, and each word that is not known is compared with each that is. */
const MAX_DECLARED = 100;

/** Returns a fault where more is declared than can be worked with; then nothing else should be looked at. */
export const checkNumbers = (sources: readonly Source[]): Fault[] =>
  (['resources', 'limits', 'catalogues'] as const).flatMap((word) => {
    const declaring = sources.filter(({ policy }) => Object.keys(policy[word]).length > 0);
    const count = declaring.reduce((sum, { policy }) => sum + Object.keys(policy[word]).length, 0);
    const last = declaring.at(-1);
    if (count <= MAX_DECLARED || last === undefined) return [];
    const words = { message: 'too many are declared', found: String(count), expected: `at most ${MAX_DECLARED}` };
    return [faultAt(last.document, [word], words)];
  });

/** Adds a fault for each limit of failures that would hold nowhere, and for each circle of parents. */
export const checkDeclarations = (scope: Scope, sources: readonly Source[]): void => {
  for (const source of sources) checkFailureLimits(scope, source);
  checkParents(scope, sources);
};

const checkFailureLimits = (scope: Scope, source: Source): void => {
  for (const name of Object.keys(source.policy.limits)) {
    const rate = scope.rates.get(name);
    if (rate?.onFailedAuthentication !== true || scope.everywhere.includes(rate)) continue;
    const message = 'failed authentications are counted on every route';
    const words = { message, found: `${name} on none`, expected: `everywhere: [${name}]` };
    addFault({ scope, source, path: ['limits', name, 'counts'] }, words);
  }
};

const checkParents = (scope: Scope, sources: readonly Source[]): void => {
  const seen = new Set<string>();
  for (const name of scope.kinds.keys()) {
    const way: string[] = [];
    let kind: string | undefined = name;
    while (kind !== undefined && !seen.has(kind)) {
      seen.add(kind);
      way.push(kind);
      kind = scope.kinds.get(kind)?.parent;
    }
    // Back on this very way, and not on one that was walked before: the circle is told of once.
    if (kind === undefined || !way.includes(kind)) continue;
    const circle = [...way.slice(way.indexOf(kind)), kind];
    const source = sources.find(({ policy }) => policy.resources[circle[0] ?? ''] !== undefined);
    if (source === undefined) continue;
    const message = 'the parents of this kind never end';
    const words = { message, found: circle.join(' -> '), expected: 'a kind without a parent at the end' };
    addFault({ scope, source, path: ['resources', kind, 'parent'] }, words);
  }
};
