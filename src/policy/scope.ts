/** What the routes and sockets of a policy may refer to, compiled first; and the collector of every fault found. */
import type { ConcurrencyLimit, RateLimit } from '../model/limits.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { Catalogue } from '../model/route.ts';
import { durationMillis } from './amounts.ts';
import { faultAt, type YamlDocument } from './document.ts';
import { type Fault, nearestWord } from './fault.ts';
import { anchored, NOTHING, patternFault, WAYS_OF_IDS } from './safe-pattern.ts';
import type { ParsedPolicy, ParsedRoute } from './schema.ts';

export type Path = ReadonlyArray<string | number>;

export interface Source {
  readonly document: YamlDocument;
  readonly policy: ParsedPolicy;
  /** True where another file includes it. */
  readonly included: boolean;
}

export interface Scope {
  readonly kinds: Map<string, ResourceKind>;
  readonly rates: Map<string, RateLimit>;
  readonly concurrencies: Map<string, ConcurrencyLimit>;
  readonly catalogues: Map<string, Catalogue>;
  readonly everywhere: RateLimit[];
  /** Kinds of which the owner hears of calls that wait for an answer. */
  readonly announcing: Set<string>;
  /** Names of parameters that are no kinds, each with the kind that it looks like. */
  readonly spellings: Map<string, string | undefined>;
  readonly faults: Fault[];
}

export interface FaultWords {
  readonly message: string;
  readonly found?: string;
  readonly expected?: string;
  /** Where a name itself is wrong: its key, not the value after it. */
  readonly at?: 'key';
}

/** A place in a source, for which faults are collected. */
export interface Spot {
  readonly scope: Scope;
  readonly source: Source;
  readonly path: Path;
}

/** A route under compilation: what is written of it, and where its faults belong. */
export interface RouteContext extends Spot {
  readonly written: ParsedRoute;
}

/** Nobody reads more, and each is worked for: the nearest word is looked for among all. */
const MAX_FAULTS = 100;

/** True when no more faults are taken: then nothing should be worked out for one. */
export const isFull = ({ faults }: Scope): boolean => faults.length >= MAX_FAULTS;

/** Adds a fault at a spot, or at a path below it. */
export const addFault = ({ scope, source, path }: Spot, words: FaultWords, below: Path = []): void => {
  if (isFull(scope)) return;
  scope.faults.push(faultAt(source.document, [...path, ...below], words));
};

/** Returns what a name refers to; when it is not declared, adds a fault with the nearest known word. */
export const referred = <T>(
  declared: ReadonlyMap<string, T>,
  name: string,
  spot: Spot & { readonly what: string },
): T | undefined => {
  const found = declared.get(name);
  if (found !== undefined || isFull(spot.scope)) return found;
  const near = nearestWord(name, declared.keys());
  addFault(spot, {
    message: `${spot.what} is not declared`,
    found: name,
    expected: near ?? namesOf([...declared.keys()]),
  });
  return undefined;
};

const namesOf = (declared: readonly string[]): string => {
  const [only = 'a declared name', ...more] = declared;
  return more.length === 0 ? only : `one of ${declared.join(', ')}`;
};

/** Compiles the declarations of all sources; a name is declared once. */
export const declare = (sources: readonly Source[]): Scope => {
  const scope: Scope = {
    kinds: new Map(),
    rates: new Map(),
    concurrencies: new Map(),
    catalogues: new Map(),
    everywhere: [],
    announcing: new Set(sources.flatMap(announcingKinds)),
    spellings: new Map(),
    faults: [],
  };
  for (const source of sources) {
    declareKinds(scope, source);
    declareLimits(scope, source);
    for (const [name, { get, keys, 'max-age': maxAge }] of Object.entries(source.policy.catalogues)) {
      once({ scope, source, path: ['catalogues', name] }, scope.catalogues);
      scope.catalogues.set(name, { name, target: get, keys, maxAgeMillis: durationMillis(maxAge) });
    }
  }
  const everywhere = new Set<RateLimit>();
  for (const source of sources) {
    for (const [index, name] of source.policy.everywhere.entries()) {
      const path = ['everywhere', index];
      const rate = referred(scope.rates, name, { scope, source, path, what: 'this limit' });
      if (rate !== undefined) everywhere.add(rate);
    }
    for (const [name, { parent }] of Object.entries(source.policy.resources)) {
      if (parent === undefined) continue;
      referred(scope.kinds, parent, { scope, source, path: ['resources', name, 'parent'], what: 'this resource' });
    }
  }
  scope.everywhere.push(...everywhere);
  return scope;
};

const announcingKinds = ({ policy }: Source): readonly string[] =>
  policy.sockets.flatMap((socket) =>
    Object.values(socket.protocol === 'socket.io' ? socket.deliver : {})
      .filter(({ types }) => Object.values(types).some(({ pending }) => pending !== undefined))
      .flatMap(({ owner }) => Object.keys(owner)),
  );

const once = (spot: Spot, declared: ReadonlyMap<string, unknown>): void => {
  const name = String(spot.path.at(-1));
  if (declared.has(name)) addFault(spot, { message: 'declared twice', found: name });
};

const declareKinds = (scope: Scope, source: Source): void => {
  for (const [name, written] of Object.entries(source.policy.resources)) {
    const path = ['resources', name];
    once({ scope, source, path: path }, scope.kinds);
    const pattern = idPattern({ scope, source, path: [...path, 'id'] }, written.id);
    const probe = written.probe === undefined ? undefined : compileProbe(scope, source, name);
    scope.kinds.set(name, {
      name,
      pattern,
      reserved: new Set(written.reserved),
      parent: written.parent,
      probe,
      url: written.url,
    });
  }
};

const idPattern = (spot: Spot, text: string): RegExp => {
  const message = patternFault({ what: 'the grammar of ids', pattern: text, maxWays: WAYS_OF_IDS });
  if (message === undefined) return anchored(text);
  addFault(spot, { message, found: text });
  return NOTHING;
};

const compileProbe = (scope: Scope, source: Source, kind: string): ResourceKind['probe'] => {
  const probe = source.policy.resources[kind]?.probe;
  if (probe === undefined) return undefined;
  const [pathBefore, pathAfter, ...more] = probe.get.split(`{${kind}}`);
  if (
    pathBefore === undefined ||
    pathAfter === undefined ||
    more.length > 0 ||
    /[^A-Za-z0-9._~/-]/.test(pathBefore + pathAfter)
  ) {
    addFault(
      { scope, source, path: ['resources', kind, 'probe', 'get'] },
      {
        message: 'the probe must name the id once',
        found: probe.get,
        expected: `a path with {${kind}}`,
      },
    );
  }
  return {
    pathBefore: pathBefore ?? '',
    pathAfter: pathAfter ?? '',
    absentBodies: 'json' in probe.absent ? [JSON.stringify(probe.absent.json)] : [],
    absentStatuses: 'status' in probe.absent ? [probe.absent.status] : [],
  };
};

const declareLimits = (scope: Scope, source: Source): void => {
  for (const [name, written] of Object.entries(source.policy.limits)) {
    const path = ['limits', name];
    once({ scope, source, path }, new Map<string, unknown>([...scope.rates, ...scope.concurrencies]));
    if ('concurrent' in written) {
      const { concurrent, timeout } = written;
      scope.concurrencies.set(name, { name, concurrent, timeoutMillis: durationMillis(timeout) });
      continue;
    }
    const { points, per, by, counts } = written;
    if (counts !== undefined && by !== 'address') {
      addFault(
        { scope, source, path: [...path, 'by'] },
        {
          message: 'a failed authentication has no user',
          found: by,
          expected: 'address',
        },
      );
    }
    const onFailedAuthentication = counts !== undefined;
    scope.rates.set(name, { name, points, perMillis: durationMillis(per), by, onFailedAuthentication });
  }
};
